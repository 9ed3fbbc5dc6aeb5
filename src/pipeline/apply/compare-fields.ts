import { isDeepStrictEqual } from 'node:util'
import { isRecord } from '../../lib/value/is-record.ts'

/** What differs at one place: a value that changed, or entries that came and went. */
export type FieldChange =
  | { readonly kind: 'value'; readonly path: string; readonly before: unknown; readonly after: unknown }
  | { readonly kind: 'entries'; readonly path: string; readonly removed: Entries; readonly added: Entries }
  | {
      readonly kind: 'order'
      readonly path: string
      readonly before: readonly unknown[]
      readonly after: readonly unknown[]
    }

/** Fields of a map, or items of a list. */
export type Entries = Readonly<Record<string, unknown>> | readonly unknown[]

type Fields = Readonly<Record<string, unknown>>

/** The fields by which Kubernetes tells the items of its lists apart. */
const IDENTITIES = ['name', 'key', 'id']

/**
 * Compares two JSON values as dyff does, which `flux diff` prints: maps by key, lists by the names of their items, other lists as sets.
 *
 * Places are named with dots, items by their name: `spec.ports.http.port`; the top is `(root level)`.
 * @see https://github.com/homeport/dyff
 */
export function compareFields(before: unknown, after: unknown, path: readonly string[] = []): readonly FieldChange[] {
  if (isDeepStrictEqual(before, after)) return []
  if (isRecord(before) && isRecord(after)) return compareMaps(before, after, path)
  if (Array.isArray(before) && Array.isArray(after)) return compareLists(before, after, path)
  return [{ kind: 'value', path: placeOf(path), before, after }]
}

function compareMaps(before: Fields, after: Fields, path: readonly string[]): readonly FieldChange[] {
  const removed = Object.fromEntries(Object.entries(before).filter(([key]) => !(key in after)))
  const added = Object.fromEntries(Object.entries(after).filter(([key]) => !(key in before)))
  const common = Object.keys(before).filter((key) => key in after)
  return [
    ...entriesOf(path, removed, added),
    ...common.flatMap((key) => compareFields(before[key], after[key], [...path, key])),
  ]
}

function compareLists(
  before: readonly unknown[],
  after: readonly unknown[],
  path: readonly string[],
): readonly FieldChange[] {
  const identity = IDENTITIES.find((field) => isNamedBy(before, field) && isNamedBy(after, field))
  if (identity !== undefined) return compareNamed(before, after, identity, path)
  if (before.length === 1 && after.length === 1) return compareFields(before[0], after[0], [...path, '0'])
  const removed = without(before, after)
  const added = without(after, before)
  if (removed.length > 0 || added.length > 0) return entriesOf(path, removed, added)
  return [{ kind: 'order', path: placeOf(path), before, after }]
}

function compareNamed(
  before: readonly unknown[],
  after: readonly unknown[],
  identity: string,
  path: readonly string[],
): readonly FieldChange[] {
  const old = byName(before, identity)
  const young = byName(after, identity)
  const removed = [...old].filter(([name]) => !young.has(name)).map(([, item]) => item)
  const added = [...young].filter(([name]) => !old.has(name)).map(([, item]) => item)
  const order = (from: ReadonlyMap<string, unknown>, other: ReadonlyMap<string, unknown>): readonly string[] =>
    [...from.keys()].filter((name) => other.has(name))
  const [was, is] = [order(old, young), order(young, old)]
  return [
    ...(isDeepStrictEqual(was, is) ? [] : [{ kind: 'order', path: placeOf(path), before: was, after: is } as const]),
    ...entriesOf(path, removed, added),
    ...was.flatMap((name) => compareFields(old.get(name), young.get(name), [...path, name])),
  ]
}

function entriesOf(path: readonly string[], removed: Entries, added: Entries): readonly FieldChange[] {
  const isEmpty = Object.keys(removed).length === 0 && Object.keys(added).length === 0
  return isEmpty ? [] : [{ kind: 'entries', path: placeOf(path), removed, added }]
}

function isNamedBy(list: readonly unknown[], field: string): boolean {
  const names = list.map((item) => (isRecord(item) ? item[field] : undefined))
  return names.every((name) => typeof name === 'string') && new Set(names).size === list.length
}

function byName(list: readonly unknown[], field: string): ReadonlyMap<string, unknown> {
  return new Map(list.flatMap((item) => (isRecord(item) ? [[String(item[field]), item] as const] : [])))
}

/** What one list has and the other has not, each item as often as it is missing. */
function without(list: readonly unknown[], other: readonly unknown[]): readonly unknown[] {
  const left = [...other]
  return list.filter((item) => {
    const at = left.findIndex((candidate) => isDeepStrictEqual(candidate, item))
    if (at >= 0) left.splice(at, 1)
    return at < 0
  })
}

function placeOf(path: readonly string[]): string {
  return path.length === 0 ? '(root level)' : path.join('.')
}
