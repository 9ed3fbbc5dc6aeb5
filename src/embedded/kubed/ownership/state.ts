import { equal, type Json, objectsOf, stringOf } from '../../../lib/kube/json.ts'
import type { Owned, Owners } from '../../../lib/kube-typed/merge/owners.ts'
import { PathElementError } from '../../../lib/kube-typed/merge/path-element.ts'
import {
  difference,
  isEmpty,
  parseFields,
  type PathSet,
  renderFields,
  union,
} from '../../../lib/kube-typed/merge/path-set.ts'
import type { Obj } from '../object.ts'
import { compareAges, compareManagers, idOf, type Manager, readManager } from './managers.ts'

/** Who owns what of an object. */
export type State = { readonly managers: Map<string, Manager>; owners: Map<string, Owned> }

/** Fields of metadata that belong to nobody: the server sets them. */
export const NOBODYS = parseFields({
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

/** Who owns what by the word of a writer, which is mostly what was read here. */
export function stateSent(sent: Json | undefined, live: Obj | undefined): State {
  const known = live?.metadata.managedFields
  const isKnown = !Array.isArray(sent) || sent.length === 0 || equal(sent, known)
  return (isKnown ? undefined : tryState(sent)) ?? parseState(known)
}

/** The owners that somebody sent; undefined when one of the entries cannot be read. */
function tryState(entries: Json[]): State | undefined {
  const isWhole = objectsOf(entries).every(
    ({ operation, apiVersion, fieldsType }) =>
      (operation === 'Apply' || operation === 'Update') && stringOf(apiVersion) !== '' && fieldsType === 'FieldsV1',
  )
  try {
    return isWhole ? readState(entries) : undefined
  } catch (error) {
    if (error instanceof PathElementError) return undefined
    throw error
  }
}

/** The owners, the one who writes without what nobody owns. */
export function withoutNobodys(owners: Owners, writer: string): State['owners'] {
  const out = new Map(owners)
  const own = out.get(writer)
  if (own !== undefined) out.set(writer, { ...own, set: difference(own.set, NOBODYS) })
  return out
}

/** Owners of stored objects, read once a version. */
const states = new WeakMap<Json[], State>()

/** The owners of an object as it is kept. */
export function parseState(entries: Json | undefined): State {
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
    owners.set(idOf(manager), { set, isApplied: manager.operation === 'Apply', version: manager.apiVersion })
  }
  return { managers, owners }
}

/** The managedFields of a state; undefined when nobody owns anything. Caches what it writes. */
export function render(state: State): Json[] | undefined {
  const { managers, owners } = state
  const kept: { manager: Manager; set: PathSet }[] = []
  for (const [id, { set }] of owners) {
    const manager = managers.get(id)
    if (manager !== undefined && !isEmpty(set)) kept.push({ manager, set })
  }
  kept.sort((a, b) => compareManagers(a.manager, b.manager))
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
  // Sets that were only read here are kept for the next version; new ones, several times their text, are not. Who owns nothing any more is forgotten.
  if (kept.every(({ set }) => written.has(set)))
    states.set(entries, {
      managers: new Map(kept.map(({ manager }) => [idOf(manager), manager])),
      owners: new Map([...owners].filter(([, { set }]) => !isEmpty(set))),
    })
  return entries
}

/** Go leaves out what is empty. */
const said = (text: string): string | undefined => (text === '' ? undefined : text)

/** Folds the oldest of too many writers into one for each version. In place. */
export function capManagers(state: State): void {
  const updates = [...state.managers].filter(([id, { operation }]) => operation === 'Update' && state.owners.has(id))
  let excess = updates.length - MAX_UPDATE_MANAGERS
  if (excess <= 0) return
  updates.sort(([, a], [, b]) => compareAges(a, b))
  const firsts = new Map<string, string>()
  for (const [id, manager] of updates) {
    const { apiVersion, time } = manager
    const first = firsts.get(apiVersion)
    if (excess === 0) return
    if (first === undefined) {
      firsts.set(apiVersion, id)
      continue
    }
    const ancient: Manager = { ...manager, manager: 'ancient-changes', subresource: '', time }
    const key = idOf(ancient)
    if (!state.owners.has(key)) moveOwner(state, first, key)
    fold(state, id, key)
    state.managers.set(key, ancient)
    excess--
  }
}

function moveOwner({ owners }: State, from: string, to: string): void {
  const owned = owners.get(from)
  owners.delete(from)
  if (owned !== undefined) owners.set(to, owned)
}

function fold({ owners }: State, from: string, into: string): void {
  const [owned, all] = [owners.get(from), owners.get(into)]
  if (owned === undefined || all === undefined) return
  owners.delete(from)
  owners.set(into, { ...all, set: union(owned.set, all.set) })
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
