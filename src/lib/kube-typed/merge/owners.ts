import type { FieldType } from '../../kube-schema/schema.ts'
import type { Json } from '../../kube/json.ts'
import { mergeValues, removePaths } from './merge-values.ts'
import {
  difference,
  emptySet,
  intersection,
  isEmpty,
  isWithin,
  type PathSet,
  recursiveDifference,
  union,
} from './path-set.ts'
import { compare, type Comparison, fieldSetOf, withNamedParents } from './typed-value.ts'

/** Who owns which fields, by manager id. */
export type Owners = ReadonlyMap<string, { readonly set: PathSet; readonly isApplied: boolean }>

/** The outcome of a write. */
export type Owned = { readonly value: Json; readonly owners: Owners; readonly comparison: Comparison }

/** Fields that others own and an apply without force would change. */
export class OwnershipConflict extends Error {
  readonly conflicts: ReadonlyMap<string, PathSet>
  constructor(conflicts: ReadonlyMap<string, PathSet>) {
    super('conflict')
    this.conflicts = conflicts
  }
}

/**
 * Ownership after a plain write by `manager`: it takes what it changed, others lose what was changed or removed.
 *
 * @param ignored paths that the write cannot really change (status of the main resource)
 * @see https://github.com/kubernetes-sigs/structured-merge-diff (the algorithm; same results as its test tables)
 */
export function ownUpdate(
  type: FieldType | undefined,
  live: Json,
  written: Json,
  owners: Owners,
  manager: string,
  ignored?: PathSet,
): Owned {
  const comparison = without(compare(type, live, written), ignored)
  const next = yieldTo(comparison, owners, manager)
  const taken = union(comparison.modified, comparison.added)
  const own = union(difference(next.get(manager)?.set ?? emptySet(), comparison.removed), taken)
  const kept = ignored === undefined ? own : recursiveDifference(own, ignored)
  if (isEmpty(kept)) next.delete(manager)
  else next.set(manager, { set: kept, isApplied: false })
  return { value: written, owners: next, comparison }
}

/**
 * Server-side apply: merges, removes what this manager applied before and nobody owns now, and finds conflicts.
 *
 * @throws OwnershipConflict without `force` when fields of others would change
 */
export function ownApply(
  type: FieldType | undefined,
  live: Json,
  applied: Json,
  owners: Owners,
  manager: string,
  options: { readonly force: boolean; readonly ignored?: PathSet },
): Owned {
  const merged = mergeValues(type, live, applied) ?? null
  const last = owners.get(manager)
  const all = fieldSetOf(type, applied)
  const set = options.ignored === undefined ? all : recursiveDifference(all, options.ignored)
  const claimed = new Map(owners)
  claimed.set(manager, { set, isApplied: true })
  // Who gives nothing up leaves nothing to remove.
  const value = last === undefined || isWithin(last.set, set) ? merged : prune(type, merged, claimed, last.set)
  const comparison = compare(type, live, value)
  const counted = without(comparison, options.ignored)
  const conflicts = options.force ? new Map<string, PathSet>() : conflictsOf(counted, owners, manager)
  if (conflicts.size > 0) throw new OwnershipConflict(conflicts)
  const next = yieldTo(counted, claimed, manager)
  if (isEmpty(set)) next.delete(manager)
  return { value, owners: next, comparison }
}

/** What is ignored does not change for anybody. */
function without(comparison: Comparison, ignored: PathSet | undefined): Comparison {
  if (ignored === undefined) return comparison
  const { added, modified, removed } = comparison
  return {
    ...comparison,
    added: recursiveDifference(added, ignored),
    modified: recursiveDifference(modified, ignored),
    removed: recursiveDifference(removed, ignored),
  }
}

function conflictsOf(comparison: Comparison, owners: Owners, manager: string): Map<string, PathSet> {
  const changed = union(comparison.modified, comparison.added)
  const out = new Map<string, PathSet>()
  for (const [other, { set }] of owners) {
    if (other === manager) continue
    const shared = intersection(set, changed)
    if (!isEmpty(shared)) out.set(other, shared)
  }
  return out
}

function yieldTo(
  comparison: Comparison,
  owners: Owners,
  manager: string,
): Map<string, { set: PathSet; isApplied: boolean }> {
  const next = new Map<string, { set: PathSet; isApplied: boolean }>()
  if (owners.size === 0) return next
  const gone = union(union(comparison.modified, comparison.added), comparison.removed)
  for (const [other, owned] of owners) {
    const keeps = other === manager || isEmpty(intersection(owned.set, gone))
    const set = keeps ? owned.set : difference(owned.set, gone)
    if (!isEmpty(set)) next.set(other, { ...owned, set })
  }
  return next
}

function prune(type: FieldType | undefined, merged: Json, owners: Owners, last: PathSet): Json {
  const lastNamed = withNamedParents(last, type)
  let pruned = removePaths(type, merged, lastNamed) ?? null
  const mergedNamed = withNamedParents(fieldSetOf(type, merged), type)
  let managed = emptySet()
  for (const { set } of owners.values()) managed = union(managed, set)
  // Back comes what anybody owns ...
  const keep = union(withNamedParents(fieldSetOf(type, pruned), type), withNamedParents(managed, type))
  pruned = removePaths(type, merged, difference(mergedNamed, keep)) ?? null
  // ... and what lay below a removed item without belonging to the last applied set.
  const dangling = difference(mergedNamed, withNamedParents(fieldSetOf(type, pruned), type))
  return removePaths(type, merged, intersection(dangling, lastNamed)) ?? null
}
