import { equal } from '../../../lib/kube/json.ts'
import { type Obj, specOf } from '../object.ts'

const TEMPLATE_GENERATION = 'deprecated.daemonset.template.generation'

/** The internal kind has a field for it, the served one an annotation. */
export function stampTemplate({ metadata }: Obj): void {
  metadata.annotations = {
    ...metadata.annotations,
    [TEMPLATE_GENERATION]: metadata.annotations?.[TEMPLATE_GENERATION] ?? '0',
  }
}

export function countTemplate(set: Obj, before: Obj | undefined): void {
  const old = Number(before?.metadata.annotations?.[TEMPLATE_GENERATION] ?? 0)
  const isSameTemplate = before !== undefined && equal(specOf(set).template, specOf(before).template)
  set.metadata.annotations = {
    ...set.metadata.annotations,
    [TEMPLATE_GENERATION]: String(isSameTemplate ? old : old + 1),
  }
}
