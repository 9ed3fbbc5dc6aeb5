import { equal, type JsonObject, listOf, objectOf, stringOf } from '../../../lib/kube/json.ts'
import type { Obj } from '../object.ts'

/** The names that a definition is granted, and which of those that it asks for belongs to another. */
export type Granted = {
  readonly acceptedNames: JsonObject
  readonly conflict: { readonly reason: string; readonly message: string } | undefined
}

/** What definitions must not share: kinds with kinds, and what stands in paths with what stands in paths. */
const OF_PATHS = ['plural', 'singular', 'shortNames']
const OF_KINDS = ['kind', 'listKind']
const REASONS: Readonly<Record<string, string>> = {
  plural: 'PluralConflict',
  singular: 'SingularConflict',
  shortNames: 'ShortNamesConflict',
  kind: 'KindConflict',
  listKind: 'ListKindConflict',
}

/**
 * Grants a definition the names that no definition of its group has; what is taken stays as it was, and the last such name is told.
 *
 * @param group all definitions of the group, itself among them
 * @see k8s.io/apiextensions-apiserver/pkg/controller/status naming_controller.go
 */
export function grantNames({ spec, status }: Obj, group: readonly Obj[]): Granted {
  const wanted = objectOf(objectOf(spec).names)
  const own = objectOf(objectOf(status).acceptedNames)
  const all = group.map((each) => objectOf(objectOf(each.status).acceptedNames))
  const taken = (fields: readonly string[]): Set<string> =>
    new Set(all.flatMap((names) => fields.flatMap((field) => textsOf(names, field))))
  const acceptedNames: JsonObject = { plural: '', kind: '', ...own }
  let conflict: Granted['conflict']
  for (const fields of [OF_PATHS, OF_KINDS]) {
    const names = taken(fields)
    for (const field of fields) {
      const had = textsOf(own, field)
      const lost = textsOf(wanted, field).filter((name) => !had.includes(name) && names.has(name))
      if (lost.length > 0) conflict = { reason: REASONS[field] ?? '', message: told(lost) }
      else set(acceptedNames, field, wanted)
    }
  }
  set(acceptedNames, 'categories', wanted)
  return { acceptedNames, conflict }
}

/** True of a definition that has all the names that it asks for. */
export const hasItsNames = ({ spec, status }: Obj): boolean =>
  equal(objectOf(spec).names, objectOf(status).acceptedNames)

function set(names: JsonObject, field: string, { [field]: value }: JsonObject): void {
  if (value === undefined) delete names[field]
  else names[field] = value
}

const textsOf = (names: JsonObject, field: string): string[] =>
  field === 'shortNames' ? listOf(names[field]).map(stringOf) : [stringOf(names[field])]

/** Several faults in one text, as Go writes them. */
function told(names: readonly string[]): string {
  const each = [...new Set(names)].map((name) => `${JSON.stringify(name)} is already in use`)
  return each.length === 1 ? (each[0] ?? '') : `[${each.join(', ')}]`
}
