import { isObject, type Json, type JsonObject } from '../../kube/json.ts'
import { GO_LIST, GO_MAP, goText, goTypeOf, keyless, mistyped, StrategicError } from './fault.ts'

/** What of a list's items tells them apart: the value of a key, or, without one, the item itself. */
export type Identity = {
  /** '' for lists whose items have no key. */
  readonly key: string
  /** Whether the items are maps. */
  readonly isOfMaps: boolean
}

/** An item that a patch wants to be gone. */
export const isDeleted = (item: Json): boolean => isObject(item) && item.$patch === 'delete'

/** What says how to merge, instead of what. */
export const isDirective = (item: Json): boolean => isObject(item) && item.$patch !== undefined

/** An item as a map. @throws StrategicError */
export function mapOf(item: Json): JsonObject {
  if (isObject(item)) return item
  throw mistyped(GO_MAP, item)
}

/** The value of an item's key. @throws StrategicError when it has none */
export function keyOf(item: Json, key: string): Json {
  const value = mapOf(item)[key]
  if (value === undefined) throw keyless(mapOf(item), key)
  return value
}

/**
 * Checks that all items of some lists are of one type, and of which.
 *
 * @throws StrategicError also when there is none
 */
export function isListOfMaps(lists: readonly (readonly Json[])[]): boolean {
  const types = new Set(lists.flat().map(goTypeOf))
  const [first] = types
  if (first === undefined) throw new StrategicError('no elements in any of the given slices')
  if (first === GO_LIST) throw new StrategicError('lists of lists are not supported', 422)
  if (types.size > 1) throw new StrategicError(`list element types are not identical: ${goText(lists as Json)}`)
  return first === GO_MAP
}

/** Checks that the items of a patch come in the order that it asks for. @throws StrategicError */
export function checkOrder(patch: readonly Json[], order: readonly Json[], key: string): void {
  if (patch.length === 0 || order.length === 0) return
  const items = key === '' ? patch : patch.filter((item) => !isDeleted(mapOf(item)))
  const same = (a: Json, b: Json): boolean => (key === '' ? a === b : keyOf(a, key) === keyOf(b, key))
  let at = 0
  for (let index = 0; at < items.length && index < order.length;) {
    const [item, next] = [items[at] ?? null, order[index] ?? null]
    if (isDirective(item)) at++
    else {
      if (same(item, next)) at++
      index++
    }
    if (at < items.length && index >= order.length)
      throw new StrategicError(
        `The order in patch list:\n${goText([...patch])}\n doesn't match $setElementOrder list:\n${goText([...order])}\n`,
      )
  }
}

/**
 * Puts a merged list in order: items that the patch speaks of as it has them, the others as they were, and between them those that were
 * there before stay before.
 *
 * @param order the items, or keys, that the patch speaks of
 * @throws StrategicError
 */
export function putInOrder(
  merged: readonly Json[],
  order: readonly Json[],
  before: readonly Json[],
  identity: Identity,
): Json[] {
  const { key, isOfMaps } = identity
  const isOrdered = (item: Json): boolean =>
    key === '' ? order.includes(item) : order.some((each) => ownMap(each)[key] === keyOf(item, key))
  const parts = [merged.filter(isOrdered), merged.filter((item) => !isOrdered(item))] as const
  if (isOfMaps) for (const item of [...parts[0], ...order, ...parts[1], ...before]) keyOf(item, key)
  const placeIn = (list: readonly Json[]) => placesOf(list, identity)
  const place = placeIn(before)
  return interleave(sorted(parts[0], placeIn(order)), sorted(parts[1], place), place)
}

function ownMap(item: Json): JsonObject {
  if (isObject(item)) return item
  throw new StrategicError('value for key 0 is not a map')
}

type Place = (item: Json) => number

/** Where an item stands in a list; -1 where it does not. */
function placesOf(list: readonly Json[], { key, isOfMaps }: Identity): Place {
  const told = (item: Json): Json => (isOfMaps ? (mapOf(item)[key] ?? null) : item)
  const places = list.map(told)
  return (item) => places.indexOf(told(item))
}

/** What stands nowhere goes before what it comes behind, which is what the original's comparison comes to. */
function sorted(items: readonly Json[], place: Place): Json[] {
  const out: Json[] = []
  for (const item of items) {
    let at = out.length
    while (at > 0 && (place(item) < 0 || place(out[at - 1] ?? null) < 0 || place(item) < place(out[at - 1] ?? null)))
      at--
    out.splice(at, 0, item)
  }
  return out
}

function interleave(ordered: readonly Json[], others: readonly Json[], place: Place): Json[] {
  const out: Json[] = []
  let next = 0
  for (const item of ordered) {
    const at = place(item)
    for (let other = others[next]; other !== undefined; other = others[next]) {
      const was = place(other)
      if (at < 0 || was < 0 || was >= at) break
      out.push(other)
      next++
    }
    out.push(item)
  }
  return [...out, ...others.slice(next)]
}
