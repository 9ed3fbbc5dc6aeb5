import { equal, isObject, type Json, type JsonObject, objectsOf, stringOf } from '../../../lib/kube/json.ts'
import { type Owners, OwnershipConflict, ownApply, ownUpdate } from '../../../lib/kube-typed/merge/owners.ts'
import {
  difference,
  isEmpty,
  isWithin,
  parseFields,
  type PathSet,
  renderFields,
  renderPaths,
  sameSet,
  union,
} from '../../../lib/kube-typed/merge/path-set.ts'
import { MergeError } from '../../../lib/kube-typed/merge/typed-value.ts'
import { shapeLikeGo } from '../decoding/go-shape.ts'
import { type Cause, Fault } from '../fault.ts'
import type { Obj } from '../object.ts'
import { apiVersionOf, type Resource } from '../resources/resource.ts'
import { unexplained } from './last-applied.ts'
import { resetFieldsOf } from './reset-fields.ts'

/** Who writes, when and through what. */
export type Writer = {
  readonly manager: string
  /** RFC 3339, seconds. */
  readonly now: string
  readonly subresource: string
}

type Manager = {
  readonly manager: string
  readonly operation: 'Apply' | 'Update'
  readonly apiVersion: string
  readonly subresource: string
  readonly time: string | undefined
}

type State = { readonly managers: Map<string, Manager>; owners: Map<string, Owner> }

type Owner = { readonly set: PathSet; readonly isApplied: boolean }

/** Fields of metadata that belong to nobody: the server sets them. */
const NOBODYS = parseFields({
  'f:apiVersion': {},
  'f:kind': {},
  'f:metadata': {
    '.': {},
    'f:name': {},
    'f:namespace': {},
    'f:creationTimestamp': {},
    'f:selfLink': {},
    'f:uid': {},
    'f:clusterName': {},
    'f:generation': {},
    'f:managedFields': {},
    'f:resourceVersion': {},
  },
})
/** More writers than this are folded into one. */
const MAX_UPDATE_MANAGERS = 10
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
    // Lists without their keys have no owners; validation says what else is wrong with them.
    delete next.metadata.managedFields
  }
}

function ownUpdated(
  resource: Resource,
  live: Obj | undefined,
  next: Obj,
  sent: Json | undefined,
  writer: Writer,
): void {
  const isReset =
    Array.isArray(sent) &&
    (sent.length === 0 || (sent.length === 1 && isObject(sent[0]) && Object.keys(sent[0]).length === 0))
  const state = stateSent(isReset ? [] : sent, live)
  if (isReset || (live !== undefined && state.managers.size === 0)) {
    delete next.metadata.managedFields
    return
  }
  const before = live === undefined ? unset(resource) : bare(live)
  const result = ownUpdate(
    resource.type,
    before,
    bare(next),
    state.owners,
    SELF,
    resetFieldsOf(resource, writer.subresource),
  )
  state.owners = withoutNobodys(result.owners, SELF)
  const own = state.owners.get(SELF)
  state.owners.delete(SELF)
  if (own !== undefined && !isEmpty(own.set)) {
    const manager = managerOf(resource, writer, 'Update')
    const id = idOf(manager)
    const previous = state.owners.get(id)
    state.owners.set(id, { set: previous === undefined ? own.set : joined(previous.set, own.set), isApplied: false })
    state.managers.set(id, manager)
  }
  capManagers(state, writer.now)
  const entries = render(state)
  if (entries === undefined) delete next.metadata.managedFields
  else next.metadata.managedFields = entries
}

/** Who owns what by the word of a writer, which is mostly what was read here. */
function stateSent(sent: Json | undefined, live: Obj | undefined): State {
  const known = live?.metadata.managedFields
  return Array.isArray(sent) && !equal(sent, known) ? readState(sent) : parseState(known)
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

/** Applies to the live object. @throws Fault 409 when others own what would change */
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
  try {
    const result = ownApply(resource.type, before, applied, state.owners, id, {
      force,
      ...(ignored === undefined ? {} : { ignored }),
    })
    const last = state.owners.get(id)
    state.owners = withoutNobodys(result.owners, id)
    const { added, removed, modified } = result.comparison
    const isSame = isEmpty(added) && isEmpty(removed) && isEmpty(modified)
    const own = state.owners.get(id)
    const ownsTheSame = last?.isApplied === true && own !== undefined && sameSet(last.set, own.set)
    if (isSame && live !== undefined && ownsTheSame)
      return { value: live, managedFields: live.metadata.managedFields, isUnchanged: true, isSame }
    if (ownsTheSame) state.owners.set(id, last)
    // Times tell when a manager changed the object; who only joins in owning what is there has none.
    if (!isSame) state.managers.set(id, manager)
    else if (!state.managers.has(id)) state.managers.set(id, { ...manager, time: undefined })
    const value = isObject(result.value) ? result.value : {}
    return { value, managedFields: render(state), isUnchanged: false, isSame }
  } catch (error) {
    if (error instanceof MergeError)
      throw new Fault(500, '', `failed to create typed patch object (${describe(resource, applied)}): ${error.message}`)
    throw error
  }
}

/** The owners, the one who writes without what nobody owns. */
function withoutNobodys(owners: Owners, writer: string): State['owners'] {
  const out = new Map(owners)
  const own = out.get(writer)
  if (own !== undefined) out.set(writer, { ...own, set: difference(own.set, NOBODYS) })
  return out
}

function describe(resource: Resource, applied: JsonObject): string {
  const metadata = isObject(applied.metadata) ? applied.metadata : {}
  return `${stringOf(metadata.namespace)}/${stringOf(metadata.name)}; ${resource.group}/${resource.version}, Kind=${resource.kind}`
}

/** An object without managedFields was written before ownership was kept: all of it gets one owner. */
function adoptUnowned(resource: Resource, state: State, live: JsonObject, writer: Writer): void {
  const manager: Manager = {
    ...managerOf(resource, { ...writer, subresource: '' }, 'Update'),
    manager: 'before-first-apply',
  }
  const [id, reset] = [idOf(manager), resetFieldsOf(resource, '')]
  const { owners } = ownUpdate(resource.type, unset(resource), live, new Map(), id, reset)
  for (const [owner, { set }] of owners) state.owners.set(owner, { set: difference(set, NOBODYS), isApplied: false })
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

function managerOf(resource: Resource, writer: Writer, operation: 'Apply' | 'Update'): Manager {
  return {
    manager: writer.manager,
    operation,
    apiVersion: apiVersionOf(resource),
    subresource: writer.subresource,
    // The handler of scale writes no times.
    time: writer.subresource === 'scale' ? undefined : writer.now,
  }
}

const idOf = ({ manager, operation, apiVersion, subresource }: Manager): string =>
  JSON.stringify(
    operation === 'Apply' ? [manager, operation, subresource] : [manager, operation, apiVersion, subresource],
  )

/** Owners of stored objects, read once a version. */
const states = new WeakMap<Json[], State>()

function parseState(entries: Json | undefined): State {
  if (!Array.isArray(entries)) return { managers: new Map(), owners: new Map() }
  let state = states.get(entries)
  if (state === undefined) states.set(entries, (state = readState(entries, true)))
  return { managers: new Map(state.managers), owners: new Map(state.owners) }
}

/** Sets as they are written. A write that moves nothing between owners writes none anew. */
const written = new WeakMap<PathSet, Json>()

/** @param isOurs the entries were written here: their sets need not be written again */
function readState(entries: Json[], isOurs = false): State {
  const managers = new Map<string, Manager>()
  const owners: State['owners'] = new Map()
  for (const entry of objectsOf(entries)) {
    const manager = readManager(entry)
    managers.set(idOf(manager), manager)
    const set = difference(parseFields(entry.fieldsV1), NOBODYS)
    if (isOurs && entry.fieldsV1 !== undefined) written.set(set, entry.fieldsV1)
    owners.set(idOf(manager), { set, isApplied: manager.operation === 'Apply' })
  }
  return { managers, owners }
}

function readManager(entry: JsonObject): Manager {
  return {
    manager: stringOf(entry.manager),
    operation: entry.operation === 'Apply' ? 'Apply' : 'Update',
    apiVersion: stringOf(entry.apiVersion),
    subresource: stringOf(entry.subresource),
    time: typeof entry.time === 'string' ? entry.time : undefined,
  }
}

function render(state: State): Json[] | undefined {
  const { managers, owners } = state
  const kept: { manager: Manager; set: PathSet }[] = []
  for (const [id, { set }] of owners) {
    const manager = managers.get(id)
    if (manager !== undefined && !isEmpty(set)) kept.push({ manager, set })
  }
  kept.sort((a, b) => order(a.manager) - order(b.manager) || compareText(rank(a.manager), rank(b.manager)))
  if (kept.length === 0) return undefined
  const entries = kept.map(({ manager, set }) => ({
    manager: said(manager.manager),
    operation: manager.operation,
    apiVersion: said(manager.apiVersion),
    time: manager.time,
    fieldsType: 'FieldsV1',
    fieldsV1: written.get(set) ?? renderFields(set),
    subresource: said(manager.subresource),
  }))
  // Sets that were only read here are kept for the next version; new ones, several times their text, are not.
  if (kept.every(({ set }) => written.has(set))) states.set(entries, state)
  return entries
}

/** Go leaves out what is empty. */
const said = (text: string): string | undefined => (text === '' ? undefined : text)

/** managedFields in the order in which they are kept: appliers first, then by time and name. */
export function sortEntries(entries: readonly JsonObject[]): JsonObject[] {
  return entries
    .map((entry) => ({ entry, manager: readManager(entry) }))
    .sort((a, b) => order(a.manager) - order(b.manager) || compareText(rank(a.manager), rank(b.manager)))
    .map(({ entry }) => entry)
}

const order = ({ operation }: Manager): number => (operation === 'Apply' ? 0 : 1)
const rank = ({ time, manager, apiVersion, subresource }: Manager): string =>
  `${time ?? ''}\u0000${manager}\u0000${apiVersion}\u0000${subresource}`
const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

function capManagers(state: State, now: string): void {
  const updates = [...state.managers].filter(([id, manager]) => manager.operation === 'Update' && state.owners.has(id))
  const excess = updates.length - MAX_UPDATE_MANAGERS
  if (excess <= 0) return
  updates.sort(([, a], [, b]) => compareText(rank(a), rank(b)))
  for (const [id, manager] of updates.slice(0, excess + 1)) {
    const ancient: Manager = { ...manager, manager: 'ancient-changes', subresource: '', time: manager.time ?? now }
    const owned = state.owners.get(id)
    state.owners.delete(id)
    state.managers.delete(id)
    const key = idOf(ancient)
    const previous = state.owners.get(key)
    if (owned !== undefined)
      state.owners.set(key, {
        set: previous === undefined ? owned.set : union(previous.set, owned.set),
        isApplied: false,
      })
    state.managers.set(key, ancient)
  }
}

/** The real server tells of managers in the order of what it calls them inside. */
function rankOf(entry: Manager | undefined): string {
  if (entry === undefined) return ''
  const { manager, operation, apiVersion, time, subresource } = entry
  const dated = operation === 'Update' ? { apiVersion, time } : {}
  return JSON.stringify({ manager, operation, ...dated, ...(subresource === '' ? {} : { subresource }) })
}

function conflictFault(conflicts: OwnershipConflict['conflicts'], { managers }: State): Fault {
  const causes: Cause[] = []
  const told: string[] = []
  const byManager = [...conflicts]
    .sort(([a], [b]) => compareText(rankOf(managers.get(a)), rankOf(managers.get(b))))
    .map(([id, set]) => ({ manager: managers.get(id), fields: renderPaths(set) }))
  const isOne = byManager.length === 1 && byManager[0]?.fields.length === 1
  for (const { manager, fields } of byManager) {
    const via = manager?.subresource ? ` with subresource "${manager.subresource}"` : ''
    const using = manager?.operation === 'Update' ? ` using ${manager.apiVersion}` : ''
    const name = `"${manager?.manager ?? ''}"${via}${using}`
    told.push(
      isOne
        ? `conflict with ${name}: ${fields[0]}`
        : `conflicts with ${name}:\n${fields.map((field) => `- ${field}`).join('\n')}`,
    )
    for (const field of fields) causes.push({ reason: 'FieldManagerConflict', message: `conflict with ${name}`, field })
  }
  const count = causes.length
  const message = `Apply failed with ${count} conflict${count === 1 ? '' : 's'}: ${told.join('\n')}`
  return new Fault(409, 'Conflict', message, { causes })
}

/** True when two lists of managedFields differ in nothing but times. */
export function sameOwners(a: Json[] | undefined, b: Json[] | undefined): boolean {
  const timeless = (list: Json[] | undefined): string =>
    JSON.stringify(
      objectsOf(list)
        .map(({ time: _time, ...entry }) => JSON.stringify(entry))
        .sort(),
    )
  return timeless(a) === timeless(b)
}
