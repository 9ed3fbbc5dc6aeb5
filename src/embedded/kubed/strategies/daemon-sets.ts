import { equal } from '../../../lib/kube/json.ts'
import { TEMPLATE_GENERATION } from '../resources/resource.ts'
import { type Obj, specOf } from '../object.ts'

/** Counts the changes of a set's template, in the annotation. In place. */
export function countTemplate(set: Obj, before: Obj | undefined): void {
  const old = Number(before?.metadata.annotations?.[TEMPLATE_GENERATION] ?? 0)
  const isSameTemplate = before !== undefined && equal(specOf(set).template, specOf(before).template)
  set.metadata.annotations = {
    ...set.metadata.annotations,
    [TEMPLATE_GENERATION]: String(isSameTemplate ? old : old + 1),
  }
}
