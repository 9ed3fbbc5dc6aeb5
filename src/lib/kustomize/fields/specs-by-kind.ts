import { matchesKind, visitField, type CreateKind, type FieldSpec, type Visit } from './field-spec.ts'
import { fieldText, type Resource } from '../objects/resource.ts'

/** Visits the fields of every spec in every resource; the specs of a kind are picked once. */
export function visitFields(
  resources: readonly Resource[],
  specs: readonly FieldSpec[],
  create: CreateKind,
  visitorOf: (resource: Resource) => Visit,
): void {
  const byKind = new Map<string, FieldSpec[]>()
  for (const resource of resources) {
    if (resource.isDeleted) continue
    const kind = `${fieldText(resource.node, 'apiVersion')} ${fieldText(resource.node, 'kind')}`
    let mine = byKind.get(kind)
    if (mine === undefined) {
      mine = specs.filter((spec) => matchesKind(resource.node, spec))
      byKind.set(kind, mine)
    }
    const visit = visitorOf(resource)
    for (const spec of mine) visitField(resource.node, spec, create, visit)
  }
}
