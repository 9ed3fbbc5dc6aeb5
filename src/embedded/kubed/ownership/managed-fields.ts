import { clone, equal, isObject, type Json, type JsonObject, stringOf } from '../../../lib/kube/json.ts'
import { OwnershipConflict, ownApply, ownUpdate, type Versions } from '../../../lib/kube-typed/merge/owners.ts'
import { difference, isEmpty, isWithin, type PathSet, sameSet, union } from '../../../lib/kube-typed/merge/path-set.ts'
import { isComparable, joinFaults, typeFaults } from '../../../lib/kube-typed/merge/type-faults.ts'
import { MergeError, VersionError } from '../../../lib/kube-typed/merge/typed-value.ts'
import { schemaFor } from '../../../lib/kube-schema/builtin.ts'
import type { FieldType } from '../../../lib/kube-schema/schema.ts'
import { toVersion } from '../conversion/convert.ts'
import { holdsGivenEmpty } from '../decoding/emptied.ts'
import { shapeLikeGo } from '../decoding/go-shape.ts'
import { decodeInto } from '../decoding/object.ts'
import { Fault } from '../fault.ts'
import { type Obj, objFrom } from '../object.ts'
import { apiVersionOf, type Resource } from '../resources/resource.ts'
import { conflictFault } from './conflicts.ts'
import { unexplained } from './last-applied.ts'
import { idOf, type Manager, managerOf, type Writer } from './managers.ts'
import { resetFieldsOf } from './reset-fields.ts'
import { capManagers, NOBODYS, parseState, render, type State, stateSent, withoutNobodys } from './state.ts'

/** How the one who writes is called while it does. */
const SELF = 'current-operation'

/** managedFields after a plain write. `live` is undefined when the object is new. */
export function trackUpdate(
  resource: Resource,
  live: Obj | undefined,
  next: Obj,
  sent: Json | undefined,
  writer: Writer,
): void {
  try {
    ownUpdated(resource, live, next, sent, writer)
  } catch (error) {
    if (!(error instanceof MergeError)) throw error
    // What cannot be compared keeps its owners; validation says what else is wrong with it.
    setEntries(next, live?.metadata.managedFields)
  }
}

function ownUpdated(
  resource: Resource,
  live: Obj | undefined,
  next: Obj,
  sent: Json | undefined,
  writer: Writer,
): void {
  const said = writer.subresource === '' ? sent : undefined
  const isReset = resetsOwners(resource, said)
  const state = stateSent(said, live)
  if (isReset || (live !== undefined && state.managers.size === 0)) return setEntries(next, undefined)
  refuseUncomparable(resource, live, next)
  const before = live === undefined ? unset(resource) : bare(live)
  const result = ownUpdate(
    resource.type,
    before,
    next.metadata.managedFields === undefined ? next : bare(next),
    state.owners,
    SELF,
    {
      ignored: resetFieldsOf(resource, writer.subresource),
      versions: versionsOf(resource, writer.subresource),
      // Go tells an empty list from none within the items of a list.
      isOther: resource.custom === undefined ? holdsGivenEmpty : undefined,
    },
  )
  state.owners = withoutNobodys(result.owners, SELF)
  const own = state.owners.get(SELF)
  state.owners.delete(SELF)
  if (own !== undefined && !isEmpty(own.set)) {
    const manager = managerOf(resource, writer, 'Update')
    const id = idOf(manager)
    const previous = state.owners.get(id)
    state.owners.set(id, {
      set: previous === undefined ? own.set : joined(previous.set, own.set),
      isApplied: false,
      version: manager.apiVersion,
    })
    state.managers.set(id, manager)
  }
  capManagers(state)
  setEntries(next, render(state))
}

/**
 * Of custom kinds only: what is sent of a status that is not written here was looked at by nobody, and a definition may have changed since
 * an object was kept. @throws MergeError
 */
function refuseUncomparable({ custom, type }: Resource, live: Obj | undefined, next: Obj): void {
  if (custom === undefined) return
  for (const object of [next, live])
    if (object !== undefined && !isComparable(type, object)) throw new MergeError('the object does not fit its schema')
}

function setEntries({ metadata }: Obj, entries: Json[] | undefined): void {
  if (entries === undefined) delete metadata.managedFields
  else metadata.managedFields = entries
}

/** No entry, or one that says nothing, takes all owners away. Metadata of custom kinds is read by way of Go, where no entry is as none said. */
function resetsOwners({ custom }: Resource, sent: Json | undefined): boolean {
  if (!Array.isArray(sent)) return false
  const [only] = sent
  return sent.length === 0
    ? custom === undefined
    : sent.length === 1 && isObject(only) && Object.keys(only).length === 0
}

/** What others see of a write who own fields in another version of the kind. */
function versionsOf(resource: Resource, subresource: string): Versions {
  const { custom } = resource
  const typeOf = (version: string): FieldType | undefined => {
    const type = custom === undefined ? schemaFor(version, resource.kind) : custom.versions.get(version)
    if (type === undefined && custom !== undefined)
      throw new VersionError(`request to convert CR to an invalid group/version: ${version}`)
    return type
  }
  const convert = (value: Json, version: string): Json => {
    const converted = inVersion(resource, value, version)
    const type = version === apiVersionOf(resource) ? undefined : typeOf(version)
    const faults = type === undefined ? [] : typeFaults(type, converted)
    if (faults.length > 0) throw new VersionError(joinFaults(faults))
    return converted
  }
  return {
    own: apiVersionOf(resource),
    typeOf,
    convert: onceEach(convert),
    // What the main resource of a custom kind cannot change only the version that is written knows.
    ignoredIn: () =>
      custom === undefined || subresource === 'status' ? resetFieldsOf(resource, subresource) : undefined,
  }
}

/** However many own fields in a version, a value is converted into it once. */
function onceEach(convert: Versions['convert']): Versions['convert'] {
  const known = new Map<Json, Map<string, Json>>()
  return (value, version) => {
    const converted = known.get(value) ?? new Map<string, Json>()
    known.set(value, converted)
    const found = converted.get(version) ?? convert(value, version)
    converted.set(version, found)
    return found
  }
}

function inVersion(resource: Resource, value: Json, apiVersion: string): Json {
  if (!isObject(value) || typeof value.apiVersion !== 'string') return value
  if (resource.custom !== undefined) return { ...value, apiVersion }
  const [version = '', group = ''] = apiVersion.split('/').reverse()
  const object = clone(value)
  const type = schemaFor(value.apiVersion, resource.kind)
  // What is null is nothing in Go's types, and they have something in place of nothing.
  if (type !== undefined) decodeInto({ ...resource, type }, object, { unknown: [] })
  return toVersion({ ...resource, group, version }, objFrom(object, value.apiVersion, resource.kind))
}

/** Both sets, the first itself where the second brings nothing. */
const joined = (set: PathSet, more: PathSet): PathSet => (isWithin(more, set) ? set : union(set, more))

/** The applied object merged into the live one; shares what did not change. */
export type Applied = {
  /** Without managedFields, unless nothing changes. */
  readonly value: JsonObject
  /** undefined when nobody owns anything. */
  readonly managedFields: Json[] | undefined
  /** True when the live object, its owners included, is what was applied. */
  readonly isUnchanged: boolean
  /** True when the live object already has all the values that were applied, whoever owns them. */
  readonly isSame: boolean
}

/** Applies to the live object. @throws Fault 409 when others own what would change, 500 when lists lack their keys */
export function trackApply(
  resource: Resource,
  live: Obj | undefined,
  applied: JsonObject,
  writer: Writer,
  force: boolean,
): Applied {
  try {
    return applyOwned(resource, live, applied, writer, force)
  } catch (error) {
    if (error instanceof VersionError) throw new Fault(500, '', error.message)
    if (error instanceof MergeError) throw unmergeable(resource, live, applied, error)
    if (!(error instanceof OwnershipConflict)) throw error
    const left = writer.manager === 'kubectl' ? unexplained(resource, live ?? {}, error.conflicts) : error.conflicts
    if (left.size === 0) return applyOwned(resource, live, applied, writer, true)
    throw conflictFault(left, stateBefore(resource, live, writer))
  }
}

/** Who owns what before something is applied. */
function stateBefore(resource: Resource, live: Obj | undefined, writer: Writer): State {
  const state = parseState(live?.metadata.managedFields)
  if (live !== undefined && state.managers.size === 0) adoptUnowned(resource, state, bare(live), writer)
  return state
}

function applyOwned(
  resource: Resource,
  live: Obj | undefined,
  applied: JsonObject,
  writer: Writer,
  force: boolean,
): Applied {
  const state = stateBefore(resource, live, writer)
  const before = live === undefined ? unset(resource) : bare(live)
  const manager = managerOf(resource, writer, 'Apply')
  const id = idOf(manager)
  const ignored = resetFieldsOf(resource, writer.subresource)
  const result = ownApply(resource.type, before, applied, state.owners, id, {
    force,
    ignored,
    versions: versionsOf(resource, writer.subresource),
  })
  const last = state.owners.get(id)
  state.owners = withoutNobodys(result.owners, id)
  // The order of a list counts here, though nobody owns it.
  const isSame = equal(before, result.value)
  const own = state.owners.get(id)
  const isVersion = state.managers.get(id)?.apiVersion === manager.apiVersion
  const ownsTheSame = isVersion && last?.isApplied === true && own !== undefined && sameSet(last.set, own.set)
  if (isSame && live !== undefined && ownsTheSame)
    return { value: live, managedFields: live.metadata.managedFields, isUnchanged: true, isSame }
  if (ownsTheSame) state.owners.set(id, last)
  // Times tell when a manager changed the object; who only joins in owning what is there has none.
  if (!isSame) state.managers.set(id, manager)
  else if (!isVersion) state.managers.set(id, { ...manager, time: state.managers.get(id)?.time })
  const value = isObject(result.value) ? result.value : {}
  return { value, managedFields: render(state), isUnchanged: false, isSame }
}

/** Lists without their keys are not refused when they are written, so that they may stand in what is kept as well as in what is applied. */
function unmergeable(resource: Resource, live: Obj | undefined, applied: JsonObject, { message }: MergeError): Fault {
  const faults =
    live === undefined ? [] : typeFaults(resource.type, bare(live)).filter((each) => each.endsWith(message))
  if (live === undefined || faults.length === 0)
    return new Fault(500, '', `failed to create typed patch object (${describe(resource, applied)}): ${message}`)
  const isUnowned = parseState(live.metadata.managedFields).managers.size === 0
  const kept = `(${describe(resource, live)})`
  const why = isUnowned
    ? `failed to create manager for existing fields: failed to convert new object ${kept} to smd typed`
    : `failed to create typed live object ${kept}`
  return new Fault(500, '', `${why}: ${joinFaults(faults)}`)
}

function describe(resource: Resource, applied: JsonObject): string {
  const metadata = isObject(applied.metadata) ? applied.metadata : {}
  return `${stringOf(metadata.namespace)}/${stringOf(metadata.name)}; ${resource.group}/${resource.version}, Kind=${resource.kind}`
}

/** An object without managedFields was written before ownership was kept: all of it gets one owner. */
function adoptUnowned(resource: Resource, state: State, live: JsonObject, writer: Writer): void {
  const manager: Manager = { ...managerOf(resource, writer, 'Update'), manager: 'before-first-apply' }
  const [id, reset] = [idOf(manager), resetFieldsOf(resource, writer.subresource)]
  const { owners } = ownUpdate(resource.type, unset(resource), live, new Map(), id, { ignored: reset })
  for (const [owner, { set }] of owners)
    state.owners.set(owner, { set: difference(set, NOBODYS), isApplied: false, version: manager.apiVersion })
  state.managers.set(id, manager)
}

/** What a new object is compared with: the structs that Go's zero value has. */
function unset(resource: Resource): JsonObject {
  const zero: JsonObject = {}
  if (resource.custom === undefined) shapeLikeGo(resource.type, zero)
  return zero
}

/** The object without what ownership ignores. */
function bare(object: Obj): JsonObject {
  const { managedFields: _gone, ...metadata } = object.metadata
  return { ...object, metadata }
}
