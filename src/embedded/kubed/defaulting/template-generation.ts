import type { Obj } from '../object.ts'

/** Where a DaemonSet says how often its template changed. */
export const TEMPLATE_GENERATION = 'deprecated.daemonset.template.generation'

/** The internal kind has a field for it, the served one an annotation. */
export function stampTemplate({ metadata }: Obj): void {
  metadata.annotations = {
    ...metadata.annotations,
    [TEMPLATE_GENERATION]: metadata.annotations?.[TEMPLATE_GENERATION] ?? '0',
  }
}
