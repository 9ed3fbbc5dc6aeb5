import type { FieldType } from '../kube-schema/schema.ts'
import { equal, isObject, type Json, type JsonObject, listOf } from '../kube/json.ts'

/** A strategic merge patch that cannot be carried out, in kube-apiserver's words. */
export class StrategicError extends Error {}

const ORDER = '$setElementOrder/'
const REMOVE = '$deleteFromPrimitiveList/'

/**
 * Strategic merge patch: lists with a merge key merge item by item, the others are replaced; with `$patch`, `$retainKeys`,
 * `$setElementOrder` and `$deleteFromPrimitiveList`. The target is not changed.
 *
 * @throws StrategicError
 * @see https://github.com/kubernetes/community/blob/master/contributors/devel/sig-api-machinery/strategic-merge-patch.md
 */
export function strategicPatch(type: FieldType | undefined, target: Json | undefined, patch: Json): Json | undefined {
  if (!isObject(patch)) return patch
  const directive = patch.$patch
  if (directive === 'replace') return without(patch, '$patch')
  if (directive === 'delete') return undefined
  if (directive !== undefined && directive !== 'merge')
    throw new StrategicError(`Unknown patch type found: ${JSON.stringify(directive).slice(1, -1)}`)
  const out: JsonObject = isObject(target) ? { ...target } : {}
  retainKeys(out, patch)
  removePrimitives(out, patch)
  for (const name in patch) {
    const value = patch[name]
    if (value === undefined || name.startsWith('$')) continue
    const field = type?.child(name)
    if (value === null) delete out[name]
    else if (Array.isArray(value) && out[name] === undefined && !value.some(hasDirective)) out[name] = value
    else if (Array.isArray(value)) out[name] = patchList(field, listOf(out[name]), value, patch[`${ORDER}${name}`])
    else {
      const isReplaced = field?.strategies.includes('replace') === true && !isObject(value)
      const merged = isReplaced ? value : strategicPatch(field, out[name], value)
      if (merged === undefined) delete out[name]
      else out[name] = merged
    }
  }
  reorder(type, out, target, patch)
  return out
}

const hasDirective = (item: Json): boolean => isObject(item) && item.$patch !== undefined

function without(map: JsonObject, name: string): JsonObject {
  const { [name]: _gone, ...rest } = map
  return rest
}

function retainKeys(out: JsonObject, patch: JsonObject): void {
  const retained = patch.$retainKeys
  if (!Array.isArray(retained)) return
  for (const name of Object.keys(out)) if (!retained.includes(name)) delete out[name]
}

function removePrimitives(out: JsonObject, patch: JsonObject): void {
  for (const name in patch) {
    if (!name.startsWith(REMOVE)) continue
    const field = name.slice(REMOVE.length)
    const gone = listOf(patch[name])
    if (Array.isArray(out[field]))
      out[field] = listOf(out[field]).filter((item) => !gone.some((each) => equal(each, item)))
  }
}

function patchList(
  type: FieldType | undefined,
  target: readonly Json[],
  patch: readonly Json[],
  order: Json | undefined,
): Json[] {
  if (type?.strategies.includes('merge') !== true)
    return patch.filter((item) => !isObject(item) || item.$patch === undefined)
  const key = type.mergeKey
  if (key === undefined) {
    if (Array.isArray(order)) checkOrder(order, patch, undefined)
    const isIn = (list: readonly Json[], item: Json): boolean => list.some((each) => equal(each, item))
    return interleave(
      patch.filter((item, index) => !isIn(patch.slice(0, index), item)),
      target.filter((item) => !isIn(patch, item)),
      (item) => target.findIndex((each) => equal(each, item)),
    )
  }
  const isReplaced = patch.some((item) => isObject(item) && item.$patch === 'replace')
  const items = patch.filter((item) => !(isObject(item) && item.$patch === 'replace'))
  if (Array.isArray(order))
    checkOrder(
      order,
      items.filter((item) => !(isObject(item) && item.$patch === 'delete')),
      key,
    )
  let out = isReplaced ? [] : [...target]
  for (const item of items) out = patchItem(type, key, out, item)
  const rank = (item: Json): number => items.findIndex((each) => sameKey(key, each, item))
  return interleave(
    out.filter((item) => rank(item) >= 0).sort((a, b) => rank(a) - rank(b)),
    out.filter((item) => rank(item) < 0),
    (item) => target.findIndex((each) => sameKey(key, each, item)),
  )
}

const sameKey = (key: string, a: Json, b: Json): boolean => isObject(a) && isObject(b) && equal(a[key], b[key])

function patchItem(type: FieldType, key: string, list: Json[], item: Json): Json[] {
  if (!isObject(item) || item[key] === undefined)
    throw new StrategicError(`map: ${goMap(item)} does not contain declared merge key: ${key}`)
  const hasKey = (each: Json): boolean => isObject(each) && equal(each[key], item[key])
  if (item.$patch === 'delete') return list.filter((each) => !hasKey(each))
  const index = list.findIndex(hasKey)
  if (item.$patch !== undefined)
    throw new StrategicError(
      item.$patch === 'merge'
        ? 'merging lists cannot yet be specified in the patch'
        : `unknown patch type: ${goMap(item.$patch)} in map: ${goMap(item)}`,
    )
  if (index < 0) return [...list, item]
  const merged = strategicPatch(type.element, list[index], item) ?? null
  return list.map((each, at) => (at === index ? merged : each))
}

/** Prints a map as Go's %v does. */
function goMap(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(goMap).join(' ')}]`
  if (!isObject(value)) return value === null ? '<nil>' : String(value)
  return `map[${Object.keys(value)
    .sort()
    .map((key) => `${key}:${goMap(value[key] ?? null)}`)
    .join(' ')}]`
}

function checkOrder(order: readonly Json[], items: readonly Json[], key: string | undefined): void {
  const keyOf = (item: Json): Json | undefined => (key === undefined ? item : isObject(item) ? item[key] : undefined)
  let index = 0
  for (const item of items) {
    while (index < order.length && !equal(keyOf(order[index] ?? null), keyOf(item))) index++
    if (index === order.length)
      throw new StrategicError(
        `The order in patch list:\n${goMap([...items])}\n doesn't match $setElementOrder list:\n${goMap([...order])}\n`,
      )
  }
}

/** Puts the items in the order that the patch asks for; live items that it does not know keep their place between them. */
function reorder(type: FieldType | undefined, out: JsonObject, target: Json | undefined, patch: JsonObject): void {
  for (const name in patch) {
    if (!name.startsWith(ORDER)) continue
    const field = name.slice(ORDER.length)
    const list = out[field]
    if (!Array.isArray(list)) continue
    const key = type?.child(field)?.mergeKey
    const order = listOf(patch[name])
    const same = (a: Json, b: Json): boolean =>
      key === undefined ? equal(a, b) : isObject(a) && isObject(b) && equal(a[key], b[key])
    const rank = (item: Json): number => order.findIndex((each) => same(each, item))
    const before = isObject(target) ? listOf(target[field]) : []
    const place = (item: Json): number => before.findIndex((each) => same(each, item))
    out[field] = interleave(
      list.filter((item) => rank(item) >= 0).sort((a, b) => rank(a) - rank(b)),
      list.filter((item) => rank(item) < 0),
      place,
    )
  }
}

function interleave(ordered: readonly Json[], others: readonly Json[], place: (item: Json) => number): Json[] {
  const out: Json[] = []
  let o = 0
  for (const item of ordered) {
    const at = place(item)
    while (at >= 0 && o < others.length && place(others[o] ?? null) < at) out.push(others[o++] ?? null)
    out.push(item)
  }
  return [...out, ...others.slice(o)]
}
