import type { FieldType } from '../../kube-schema/schema.ts'
import { isObject, type Json, type JsonObject, objectOf } from '../../kube/json.ts'
import { GO_LIST, keyless, malformed, mistyped, StrategicError, unknownDirective } from './fault.ts'
import { checkOrder, isDeleted, isDirective, isListOfMaps, keyOf, mapOf, putInOrder } from './order.ts'

const ORDER = '$setElementOrder'
const REMOVE = '$deleteFromPrimitiveList'
const RETAIN = '$retainKeys'

/**
 * Strategic merge patch: lists with a merge key merge item by item, the others are replaced; with `$patch`, `$retainKeys`,
 * `$setElementOrder` and `$deleteFromPrimitiveList`. The target is not changed.
 *
 * @throws StrategicError
 * @see https://github.com/kubernetes/community/blob/master/contributors/devel/sig-api-machinery/strategic-merge-patch.md
 */
export function strategicPatch(type: FieldType | undefined, target: JsonObject, patch: JsonObject): JsonObject {
  const { $patch: directive } = patch
  if (directive === 'replace') return without(patch, '$patch')
  if (directive === 'delete') return {}
  if (directive !== undefined) throw unknownDirective(directive, patch)
  const out = retainKeys(target, patch)
  const ordered = mergeOrdered(type, out, patch)
  for (const [key, value] of Object.entries(patch)) {
    if (key === RETAIN || key.startsWith(ORDER) || ordered.has(key) || value === undefined) continue
    const isRemoval = key.startsWith(REMOVE)
    const name = isRemoval ? fieldOf(key, REMOVE) : key
    const before = out[name]
    let next: Json | undefined
    if (value === null) next = undefined
    else if (isObject(before) && isObject(value)) next = mergeMap(type, name, before, value)
    else if (Array.isArray(before) && Array.isArray(value)) next = mergeList(type, name, before, value, isRemoval)
    else next = isRemoval ? before : isDirective(value) ? undefined : withoutDirectives(withoutNulls(value))
    if (next === undefined) delete out[name]
    else out[name] = next
  }
  return out
}

function without(map: JsonObject, name: string): JsonObject {
  const { [name]: _gone, ...rest } = map
  return rest
}

/** The field that a directive is about. @throws StrategicError */
function fieldOf(key: string, prefix: typeof ORDER | typeof REMOVE): string {
  if (key.startsWith(`${prefix}/`)) return key.slice(prefix.length + 1)
  throw malformed(prefix === ORDER ? 'setElementOrder list' : 'primitive list')
}

/** The target with those fields alone that the patch retains. */
function retainKeys(target: JsonObject, patch: JsonObject): JsonObject {
  const retained = patch[RETAIN]
  if (retained === undefined) return { ...target }
  if (!Array.isArray(retained)) throw malformed('retainKeys')
  const isOther = ([key, value]: [string, Json | undefined]): boolean =>
    value !== null && key !== RETAIN && !key.startsWith(REMOVE) && !key.startsWith(ORDER) && !retained.includes(key)
  if (Object.entries(patch).some(isOther)) throw malformed('retainKeys')
  return Object.fromEntries(Object.entries(target).filter(([key]) => retained.includes(key)))
}

/** Merges the lists of which the patch says the order, in place; answers their names. */
function mergeOrdered(type: FieldType | undefined, out: JsonObject, patch: JsonObject): ReadonlySet<string> {
  const done = new Set<string>()
  for (const [key, order] of Object.entries(patch)) {
    if (!key.startsWith(ORDER)) continue
    const [asked = [], name] = [listIn(order), fieldOf(key, ORDER)]
    const [before, items] = [listIn(out[name]), listIn(patch[name])]
    const field = fieldIn(type, name)
    if (field !== undefined && field.kind !== 'list')
      throw new StrategicError('expected slice or array type, but got: struct')
    const mergeKey = field?.mergeKey ?? ''
    checkOrder(items ?? [], asked, mergeKey)
    if (before === undefined && items === undefined) continue
    const merged =
      before === undefined
        ? withoutDirectives(items ?? [])
        : items === undefined
          ? before
          : mergeList(type, name, before, items, false)
    const isOfMaps = isListOfMaps([before ?? [], items ?? []])
    const places = before && items && isOfMaps ? placesAfter(before, items, mergeKey) : (before ?? [])
    out[name] = putInOrder(merged, asked, places, { key: mergeKey, isOfMaps })
    done.add(name)
  }
  return done
}

/** The original merges in the list itself: what is added takes the places of what is deleted, and so stands behind what stays. */
function placesAfter(before: readonly Json[], items: readonly Json[], key: string): readonly Json[] {
  const gone = items.filter(isDeleted).map((item) => keyOf(item, key))
  const kept = before.filter((item) => !gone.includes(keyOf(item, key)))
  const added = items.filter(
    (item) => mapOf(item).$patch === undefined && !kept.some((each) => keyOf(each, key) === keyOf(item, key)),
  )
  return [...kept, ...added].slice(0, before.length)
}

/** @throws StrategicError for what is something else than a list */
function listIn(value: Json | undefined): readonly Json[] | undefined {
  if (value === undefined || Array.isArray(value)) return value
  throw mistyped(GO_LIST, value)
}

/** How a field is merged. @throws StrategicError where the Go type has no such field */
function fieldIn(type: FieldType | undefined, name: string): FieldType | undefined {
  if (type === undefined || type.kind !== 'map' || type.preservesUnknown) return undefined
  if (type.declares(name)) return type.child(name)
  if (type.schema.additionalProperties !== undefined && type.names.length === 0)
    throw new StrategicError('merging an object in json but data type is not struct, instead is: map')
  const struct = type.shortName.slice(type.shortName.lastIndexOf('.') + 1)
  throw new StrategicError(`unable to find api field in struct ${struct} for the json field ${JSON.stringify(name)}`)
}

const strategyOf = (field: FieldType | undefined): string | undefined =>
  field?.strategies.find((each) => each !== 'retainKeys')

function mergeMap(type: FieldType | undefined, name: string, before: JsonObject, patch: JsonObject): JsonObject {
  const field = fieldIn(type, name)
  return strategyOf(field) === 'replace' ? patch : strategicPatch(field, before, patch)
}

function mergeList(
  type: FieldType | undefined,
  name: string,
  before: readonly Json[],
  patch: readonly Json[],
  isRemoval: boolean,
): Json[] {
  const field = fieldIn(type, name)
  if (!isRemoval && strategyOf(field) !== 'merge') return [...patch]
  if (before.length === 0 && patch.length === 0) return []
  const key = field?.mergeKey ?? ''
  if (isListOfMaps([before, patch])) return mergeItems(field, key, before, patch)
  if (isRemoval) return before.filter((item) => !patch.includes(item))
  return putInOrder([...new Set([...before, ...patch])], patch, before, { key, isOfMaps: false })
}

function mergeItems(
  field: FieldType | undefined,
  key: string,
  before: readonly Json[],
  patch: readonly Json[],
): Json[] {
  if (key === '') throw new StrategicError('cannot merge lists without merge key for struct')
  const plain = patch.filter((item) => mapOf(item).$patch === undefined)
  const directives = patch.flatMap((item) => (plain.includes(item) ? [] : [mapOf(item)]))
  const gone = directives.filter((item) => isDeletion(item, key)).map((item) => keyOf(item, key))
  const isReplaced = directives.some(({ $patch }) => $patch === 'replace')
  const [kept, items] = isReplaced
    ? [plain, []]
    : [before.filter((item) => !gone.includes(mapOf(item)[key] ?? null)), plain]
  const merged = items.reduce<Json[]>((list, item) => mergeItem(field, key, list, mapOf(item)), [...kept])
  return putInOrder(merged, items, kept, { key, isOfMaps: true })
}

/** @throws StrategicError for directives that lists do not know */
function isDeletion(item: JsonObject, key: string): boolean {
  const { $patch: directive } = item
  if (directive === 'merge') throw new StrategicError('merging lists cannot yet be specified in the patch')
  if (directive !== 'delete' && directive !== 'replace') throw unknownDirective(directive ?? null, item)
  if (directive === 'delete' && item[key] === undefined) throw keyless(item, key)
  return isDeleted(item)
}

function mergeItem(field: FieldType | undefined, key: string, list: readonly Json[], item: JsonObject): Json[] {
  const value = keyOf(item, key)
  const at = list.findIndex((each) => mapOf(each)[key] === value)
  return at < 0 ? [...list, item] : list.with(at, strategicPatch(field?.element, objectOf(list[at]), item))
}

/** What a patch brings anew says nothing by null; the items of its lists may. */
function withoutNulls(value: Json): Json {
  if (Array.isArray(value)) return value.map(withoutNulls)
  return isObject(value) ? mapValues(value, (each) => (each === null ? undefined : withoutNulls(each))) : value
}

/** Directives have nothing to act on in what is new: what has one is not taken. */
function withoutDirectives<T extends Json | readonly Json[]>(value: T): T
function withoutDirectives(value: Json): Json {
  if (Array.isArray(value)) return value.filter((each) => !isDirective(each)).map((each) => withoutDirectives(each))
  if (!isObject(value)) return value
  return mapValues(value, (each) => (isDirective(each) ? undefined : withoutDirectives(each)))
}

/** The same map with other values; without those for which there is none. */
function mapValues(map: JsonObject, change: (value: Json) => Json | undefined): JsonObject {
  const out: JsonObject = {}
  for (const [name, value] of Object.entries(map)) {
    const next = value === undefined ? undefined : change(value)
    if (next !== undefined) out[name] = next
  }
  return out
}
