import type { Obj } from '../object.ts'
import { TEMPLATE_GENERATION } from '../resources/resource.ts'

/** The internal kind has a field for it, the served one an annotation. */
export function stampTemplate({ metadata }: Obj): void {
  metadata.annotations = {
    ...metadata.annotations,
    [TEMPLATE_GENERATION]: metadata.annotations?.[TEMPLATE_GENERATION] ?? '0',
  }
}
