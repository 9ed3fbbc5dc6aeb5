import type { FieldType } from '../../kube-schema/schema.ts'
import { equal, isObject, type Json, type JsonObject } from '../../kube/json.ts'
import { shownElement } from './path-element.ts'
import { isEmpty, type PathSet } from './path-set.ts'
import { duplicatesOf, fieldOf, itemElement, lengthOf, MergeError, shapeOf } from './typed-value.ts'

/**
 * Merges the applied value over the live one: scalars and atomic values are replaced, maps and associative lists go into each
 * other. Shares what did not change.
 *
 * @throws MergeError when an applied list holds an item twice or without its keys
 */
export function mergeValues(
  type: FieldType | undefined,
  live: Json | undefined,
  applied: Json | undefined,
): Json | undefined {
  if (applied === undefined) return live
  if (live === undefined) {
    refuseDuplicates(type, applied)
    return applied
  }
  if (applied === null && isObject(live) && lengthOf(live) > 0 && type?.kind !== 'scalar')
    return type?.isAtomic ? applied : live
  const shape = shapeOf(type, applied ?? live)
  if (shape.kind === 'scalar' || shape.isAtomic || (lengthOf(live) === 0 && lengthOf(applied) === 0))
    return equal(live, applied) ? live : applied
  if (applied === null) return shape.type === undefined ? applied : live
  if (live === null || shapeOf(type, live).kind !== shape.kind) return applied
  if (Array.isArray(live) && Array.isArray(applied) && shape.type !== undefined)
    return mergeItems(shape.type, live, applied)
  if (isObject(live) && isObject(applied)) return mergeFields(shape.type, live, applied)
  return applied
}

function refuseDuplicates(type: FieldType | undefined, value: Json): void {
  const shape = shapeOf(type, value)
  if (shape.isAtomic || shape.type === undefined) return
  if (Array.isArray(value)) {
    const list = shape.type
    refuseTwice(value.map((item) => itemElement(list, item)))
    for (const item of value) refuseDuplicates(list.element, item)
  } else if (isObject(value))
    for (const name in value) {
      const field = value[name]
      if (field !== undefined) refuseDuplicates(fieldOf(shape.type, name), field)
    }
}

function refuseTwice(elements: readonly string[]): void {
  const [first] = duplicatesOf(elements)
  if (first !== undefined) throw new MergeError(`duplicate entries for key ${shownElement(first)}`)
}

function mergeFields(type: FieldType | undefined, live: JsonObject, applied: JsonObject): JsonObject {
  let out = live
  for (const name in applied) {
    const merged = mergeValues(fieldOf(type, name), live[name], applied[name])
    if (merged === undefined || merged === live[name]) continue
    if (out === live) out = { ...live }
    out[name] = merged
  }
  return out
}

/** Keeps the relative order of both sides: live items that nobody applies stay where they stood between the shared ones. */
function mergeItems(type: FieldType, live: Json[], applied: readonly Json[]): Json[] {
  const left = live.map((item) => itemElement(type, item))
  const right = applied.map((item) => itemElement(type, item))
  refuseTwice(right)
  const twice = duplicatesOf(left)
  const liveItems = new Map(left.map((element, index) => [element, live[index]]))
  const appliedItems = new Map(right.map((element, index) => [element, applied[index]]))
  const shared = right.filter((element) => liveItems.has(element))
  const done = new Set<string>()
  const out: Json[] = []
  let nextShared = shared.shift()
  const take = (element: string): void => {
    done.add(element)
    const merged = mergeValues(
      type.element,
      twice.has(element) ? undefined : liveItems.get(element),
      appliedItems.get(element),
    )
    if (merged !== undefined) out.push(merged)
  }
  for (let l = 0, r = 0; l < left.length || r < right.length;) {
    const ours = left[l]
    const theirs = right[r]
    if (ours !== undefined && ours === theirs) {
      take(ours)
      l++
      r++
      nextShared = shared.shift()
      continue
    }
    if (
      ours !== undefined &&
      theirs !== undefined &&
      appliedItems.has(ours) &&
      nextShared !== undefined &&
      nextShared !== ours
    ) {
      l++
      continue
    }
    if (ours !== undefined && !appliedItems.has(ours)) {
      const item = live[l]
      if (item !== undefined) out.push(item)
      l++
      continue
    }
    if (ours !== undefined && done.has(ours)) l++
    if (theirs === undefined) continue
    take(theirs)
    r++
    if (nextShared === theirs) nextShared = shared.shift()
  }
  return out.length === live.length && out.every((item, index) => item === live[index]) ? live : out
}

/** The value without the paths of `set`. A map or list that is emptied becomes undefined, or null below a map. */
export function removePaths(type: FieldType | undefined, value: Json, set: PathSet): Json | undefined {
  const shape = shapeOf(type, value)
  if (shape.kind === 'scalar' || value === null) return value
  if (lengthOf(value) === 0 || shape.isAtomic) return undefined
  if (Array.isArray(value)) return shape.type === undefined ? undefined : removeItems(shape.type, value, set)
  return isObject(value) ? removeFields(shape.type, value, set) : value
}

function removeItems(type: FieldType, list: readonly Json[], set: PathSet): Json[] | undefined {
  const out: Json[] = []
  for (const item of list) {
    const below = set.children.get(itemElement(type, item))
    if (below?.isMember) continue
    if (below === undefined || isEmpty(below)) out.push(item)
    else out.push(removePaths(type.element, item, below) ?? null)
  }
  return out.length > 0 ? out : undefined
}

function removeFields(type: FieldType | undefined, map: JsonObject, set: PathSet): JsonObject | undefined {
  const out: JsonObject = {}
  let count = 0
  for (const name in map) {
    const value = map[name]
    const below = set.children.get(`f:${name}`)
    if (value === undefined || below?.isMember) continue
    out[name] = below === undefined || isEmpty(below) ? value : (removePaths(fieldOf(type, name), value, below) ?? null)
    count++
  }
  return count > 0 ? out : undefined
}
