import type { FieldType } from '../../kube-schema/schema.ts'
import type { Json } from '../../kube/json.ts'
import { mergeValues, removePaths } from './merge-values.ts'
import { reconcile } from './reconcile.ts'
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

/** What somebody owns, in the words of a version of the kind; undefined: of the one that is written. */
export type Owned = { readonly set: PathSet; readonly isApplied: boolean; readonly version?: string }

/** Who owns which fields, by manager id. */
export type Owners = ReadonlyMap<string, Owned>

/** The version that is written, and what a write changes as others see it; undefined for a version that there is no more, so that nobody owns anything in it. */
export type Versions = {
  readonly own: string
  readonly compare: (version: string, before: Json, after: Json) => Comparison | undefined
}

/** The outcome of a write. */
export type Outcome = { readonly value: Json; readonly owners: Owners; readonly comparison: Comparison }

/** Fields that others own and an apply without force would change. */
export class OwnershipConflict extends Error {
  readonly conflicts: ReadonlyMap<string, PathSet>
  constructor(conflicts: ReadonlyMap<string, PathSet>) {
    super('conflict')
    this.conflicts = conflicts
  }
}

type Options = {
  /** Paths that the write cannot really change (status of the main resource). */
  readonly ignored?: PathSet | undefined
  readonly versions?: Versions | undefined
}

/** What changes, as the version of an owner sees it. */
type Seen = (owned: Owned) => Comparison | undefined

function seen(comparison: Comparison, before: Json, after: Json, versions?: Versions): Seen {
  const known = new Map<string, Comparison | undefined>()
  return ({ version }) => {
    if (version === undefined || versions === undefined || version === versions.own) return comparison
    if (!known.has(version)) known.set(version, versions.compare(version, before, after))
    return known.get(version)
  }
}

/**
 * Ownership after a plain write by `manager`: it takes what it changed, others lose what was changed or removed.
 *
 * @see https://github.com/kubernetes-sigs/structured-merge-diff (the algorithm; same results as its test tables)
 */
export function ownUpdate(
  type: FieldType | undefined,
  live: Json,
  written: Json,
  owners: Owners,
  manager: string,
  { ignored, versions }: Options = {},
): Outcome {
  const known = reconcileOwners(owners, type)
  const comparison = without(compare(type, live, written), ignored)
  const next = yieldTo(seen(comparison, live, written, versions), known, manager)
  const taken = union(comparison.modified, comparison.added)
  const own = union(difference(next.get(manager)?.set ?? emptySet(), comparison.removed), taken)
  const kept = ignored === undefined ? own : recursiveDifference(own, ignored)
  if (isEmpty(kept)) next.delete(manager)
  else next.set(manager, { set: kept, isApplied: false, ...versionOf({ versions }) })
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
  options: Options & { readonly force: boolean },
): Outcome {
  const merged = mergeValues(type, live, applied) ?? null
  const known = reconcileOwners(owners, type)
  const last = known.get(manager)
  const all = fieldSetOf(type, applied)
  const set = options.ignored === undefined ? all : recursiveDifference(all, options.ignored)
  const claimed = new Map(known)
  claimed.set(manager, { set, isApplied: true, ...versionOf(options) })
  // Who gives nothing up leaves nothing to remove.
  const value = last === undefined || isWithin(last.set, set) ? merged : prune(type, merged, claimed, last.set)
  const comparison = compare(type, live, value)
  const counted = seen(without(comparison, options.ignored), live, value, options.versions)
  const conflicts = options.force ? new Map<string, PathSet>() : conflictsOf(counted, known, manager)
  if (conflicts.size > 0) throw new OwnershipConflict(conflicts)
  const next = yieldTo(counted, claimed, manager)
  if (isEmpty(set)) next.delete(manager)
  return { value, owners: next, comparison }
}

function reconcileOwners(owners: Owners, type: FieldType | undefined): Owners {
  if (type === undefined) return owners
  let out: Map<string, Owned> | undefined
  for (const [id, owned] of owners) {
    const set = reconcile(owned.set, type)
    if (set !== owned.set) (out ??= new Map(owners)).set(id, { ...owned, set })
  }
  return out ?? owners
}

const versionOf = ({ versions }: Options): { version?: string } =>
  versions === undefined ? {} : { version: versions.own }

/** What is ignored does not change for anybody. */
export function without(comparison: Comparison, ignored: PathSet | undefined): Comparison {
  if (ignored === undefined) return comparison
  const { added, modified, removed } = comparison
  return {
    ...comparison,
    added: recursiveDifference(added, ignored),
    modified: recursiveDifference(modified, ignored),
    removed: recursiveDifference(removed, ignored),
  }
}

function conflictsOf(changes: Seen, owners: Owners, manager: string): Map<string, PathSet> {
  const out = new Map<string, PathSet>()
  for (const [other, owned] of owners) {
    const comparison = other === manager ? undefined : changes(owned)
    if (comparison === undefined) continue
    const shared = intersection(owned.set, union(comparison.modified, comparison.added))
    if (!isEmpty(shared)) out.set(other, shared)
  }
  return out
}

function yieldTo(changes: Seen, owners: Owners, manager: string): Map<string, Owned> {
  const next = new Map<string, Owned>()
  for (const [other, owned] of owners) {
    const comparison = changes(owned)
    if (comparison === undefined && other !== manager) continue
    const set = other === manager || comparison === undefined ? owned.set : keptOf(owned.set, comparison)
    if (!isEmpty(set)) next.set(other, { ...owned, set })
  }
  return next
}

function keptOf(set: PathSet, { modified, added, removed }: Comparison): PathSet {
  const gone = union(union(modified, added), removed)
  return isEmpty(intersection(set, gone)) ? set : difference(set, gone)
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
