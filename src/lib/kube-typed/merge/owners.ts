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
import { compare, type Comparison, fieldSetOf, type IsOther, VersionError, withNamedParents } from './typed-value.ts'

/** What somebody owns, in the words of a version of the kind; undefined: of the one that is written. */
export type Owned = { readonly set: PathSet; readonly isApplied: boolean; readonly version?: string }

/** Who owns which fields, by manager id. */
export type Owners = ReadonlyMap<string, Owned>

/** The version that is written, and those in which others own fields. */
export type Versions = {
  readonly own: string
  /** How a value is taken apart in another version; undefined: there is no such version any more, and nobody owns anything in it. */
  readonly typeOf: (version: string) => FieldType | undefined
  /** A value of any version in another one that there is. @throws VersionError */
  readonly convert: (value: Json, version: string) => Json
  /** What a write cannot really change, in the words of another version. */
  readonly ignoredIn: (version: string) => PathSet | undefined
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
  readonly isOther?: IsOther | undefined
}

/** What changes, as the version of an owner sees it. */
type Seen = (owned: Owned) => Comparison

function seen(comparison: Comparison, before: Json, after: Json, versions?: Versions): Seen {
  const known = new Map<string, Comparison>()
  return ({ version }) => {
    if (version === undefined || versions === undefined || version === versions.own) return comparison
    let other = known.get(version)
    if (other === undefined) {
      const [old, next] = [versions.convert(before, version), converted(versions, after, version)]
      known.set(version, (other = without(compare(versions.typeOf(version), old, next), versions.ignoredIn(version))))
    }
    return other
  }
}

/** What is written, in another version. @throws VersionError */
function converted(versions: Versions, written: Json, version: string): Json {
  try {
    return versions.convert(written, version)
  } catch (error) {
    if (!(error instanceof VersionError)) throw error
    throw new VersionError(`failed to convert new object: ${error.message}`)
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
  { ignored, versions, isOther }: Options = {},
): Outcome {
  const known = reconcileOwners(owners, type, live, versions)
  const comparison = without(compare(type, live, written, isOther), ignored)
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
  const known = reconcileOwners(owners, type, live, options.versions)
  const last = known.get(manager)
  const all = fieldSetOf(type, applied)
  const set = options.ignored === undefined ? all : recursiveDifference(all, options.ignored)
  const claimed = new Map(known)
  claimed.set(manager, { set, isApplied: true, ...versionOf(options) })
  // Who gives nothing up leaves nothing to remove.
  const isKept = last === undefined || (isOwn(last, options.versions) && isWithin(last.set, set))
  const value = isKept ? merged : prune(merged, claimed, last, type, options.versions)
  const comparison = compare(type, live, value)
  const counted = seen(without(comparison, options.ignored), live, value, options.versions)
  const conflicts = options.force ? new Map<string, PathSet>() : conflictsOf(counted, known, manager)
  if (conflicts.size > 0) throw new OwnershipConflict(conflicts)
  const next = yieldTo(counted, claimed, manager)
  if (isEmpty(set)) next.delete(manager)
  return { value, owners: next, comparison }
}

/** The owners as their versions have it now; who owned in a version that is gone owns nothing. */
function reconcileOwners(owners: Owners, type: FieldType | undefined, live: Json, versions?: Versions): Owners {
  if (type === undefined) return owners
  let out: Map<string, Owned> | undefined
  for (const [id, owned] of owners) {
    const own: FieldType | undefined = isOwn(owned, versions) ? type : typeIn(owned, versions)
    if (own === undefined) (out ??= new Map(owners)).delete(id)
    else {
      // A live object that does not fit into a version is told of before anything is written.
      if (own !== type) versions?.convert(live, owned.version ?? '')
      const set = reconcile(owned.set, own)
      if (set !== owned.set) (out ??= new Map(owners)).set(id, { ...owned, set })
    }
  }
  return out ?? owners
}

const isOwn = ({ version }: Owned, versions: Versions | undefined): boolean =>
  version === undefined || versions === undefined || version === versions.own

const typeIn = ({ version = '' }: Owned, versions: Versions | undefined): FieldType | undefined =>
  versions?.typeOf(version)

const versionOf = ({ versions }: Options): { version?: string } =>
  versions === undefined ? {} : { version: versions.own }

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

function conflictsOf(changes: Seen, owners: Owners, manager: string): Map<string, PathSet> {
  const out = new Map<string, PathSet>()
  for (const [other, owned] of owners) {
    if (other === manager) continue
    const { modified, added } = changes(owned)
    const shared = intersection(owned.set, union(modified, added))
    if (!isEmpty(shared)) out.set(other, shared)
  }
  return out
}

function yieldTo(changes: Seen, owners: Owners, manager: string): Map<string, Owned> {
  const next = new Map<string, Owned>()
  for (const [other, owned] of owners) {
    const set = other === manager ? owned.set : keptOf(owned.set, changes(owned))
    if (!isEmpty(set)) next.set(other, { ...owned, set })
  }
  return next
}

function keptOf(set: PathSet, { modified, added, removed }: Comparison): PathSet {
  const gone = union(union(modified, added), removed)
  return isEmpty(intersection(set, gone)) ? set : difference(set, gone)
}

/** A value in a version, taken apart by its type. */
type Versioned = { readonly value: Json; readonly version: string; readonly type: FieldType | undefined }

/** The merged value without what was applied last and nobody owns now. The last time may have been in another version: what goes is decided in that one. */
function prune(merged: Json, owners: Owners, last: Owned, type: FieldType | undefined, versions?: Versions): Json {
  const own = versions?.own ?? ''
  const into = (from: Versioned, version: string): Versioned =>
    versions === undefined || from.version === version
      ? from
      : {
          value: versions.convert(from.value, version),
          version,
          type: version === own ? type : versions.typeOf(version),
        }
  const before = into({ value: merged, version: own, type }, last.version ?? own)
  const lastNamed = withNamedParents(last.set, before.type)
  let pruned = less(before, lastNamed)
  // Back comes what anybody owns ...
  let all = before
  for (const [version, managed] of managedIn(owners, before.version)) {
    all = into(all, version)
    pruned = into(pruned, version)
    const keep = union(namedSet(pruned), withNamedParents(managed, all.type))
    pruned = less(all, difference(namedSet(all), keep))
  }
  // ... and what lay below a removed item without belonging to the last applied set.
  const dangling = difference(namedSet(before), namedSet(into(pruned, before.version)))
  return into(less(before, intersection(dangling, lastNamed)), own).value
}

/** What is owned in each version, the first of them before the others. */
function managedIn(owners: Owners, first: string): Map<string, PathSet> {
  const out = new Map([[first, emptySet()]])
  for (const { set, version = first } of owners.values()) out.set(version, union(out.get(version) ?? emptySet(), set))
  return out
}

const less = (from: Versioned, set: PathSet): Versioned => ({
  ...from,
  value: removePaths(from.type, from.value, set) ?? null,
})

const namedSet = ({ type, value }: Versioned): PathSet => withNamedParents(fieldSetOf(type, value), type)
