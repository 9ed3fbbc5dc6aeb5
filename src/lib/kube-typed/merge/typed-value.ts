import type { FieldType } from '../../kube-schema/schema.ts'
import { equal, isObject, type Json, type JsonObject } from '../../kube/json.ts'
import { keyElement, valueElement } from './path-element.ts'
import { attach, branch, emptySet, insert, isEmpty, type PathSet } from './path-set.ts'

/** How a value is taken apart: by its declared type, or by its shape where nothing is declared. */
export type Shape = {
  readonly kind: 'scalar' | 'map' | 'list'
  readonly isAtomic: boolean
  readonly type: FieldType | undefined
}

/** A list item that lacks its keys, or the like: the object cannot be merged. */
export class MergeError extends Error {}

/** A value that a version in which somebody owns fields cannot have. */
export class VersionError extends MergeError {}

/** The shape of `value` under `type`. A list of no declared type is atomic. */
export function shapeOf(type: FieldType | undefined, value: Json | undefined): Shape {
  if (type !== undefined && type.kind !== 'any') return { kind: type.kind, isAtomic: type.isAtomic, type }
  const isAtomic = type?.isAtomic ?? false
  if (Array.isArray(value)) return { kind: 'list', isAtomic: true, type: undefined }
  if (isObject(value)) return { kind: 'map', isAtomic, type: undefined }
  return { kind: 'scalar', isAtomic: false, type: undefined }
}

/** The path element of a list item: its keys, or its value in a set. @throws MergeError for an item that can be no item of such a list */
export function itemElement(type: FieldType, item: Json): string {
  if (type.keys === undefined) return valueElement(setItem(item))
  if (item === null) throw new MergeError('associative list with keys may not have a null element')
  if (!isObject(item)) throw new MergeError('associative list with keys may not have non-map elements')
  const keys: JsonObject = {}
  let found = 0
  for (const key of type.keys) {
    const own = item[key]
    const value = own === undefined ? type.keyDefault(key) : own
    if (value === undefined) continue
    keys[key] = value
    found++
  }
  if (found > 0) return keyElement(keys)
  const names = type.keys.map((key) => JSON.stringify(key)).join(' ')
  throw new MergeError(
    `associative list with keys has an element that omits all key fields [${names}] (and doesn't have default values for any key fields)`,
  )
}

function setItem(item: Json): Json {
  if (isObject(item)) throw new MergeError("associative list without keys has an element that's a map type")
  if (Array.isArray(item)) throw new MergeError('not supported: associative list with lists as elements')
  if (item === null) throw new MergeError("associative list without keys has an element that's an explicit null")
  return item
}

/** The type of a field of a map. */
export function fieldOf(type: FieldType | undefined, name: string): FieldType | undefined {
  return type?.child(name)
}

/** All paths that `value` sets. */
export function fieldSetOf(type: FieldType | undefined, value: Json): PathSet {
  const root = emptySet()
  collect(type, value, root)
  root.isMember = false
  return root
}

function collect(type: FieldType | undefined, value: Json, set: PathSet): void {
  const shape = shapeOf(type, value)
  if (shape.kind === 'scalar' || shape.isAtomic) {
    set.isMember = true
    return
  }
  if (Array.isArray(value)) {
    if (shape.type !== undefined) collectItems(shape.type, value, set)
  } else if (isObject(value)) collectFields(shape.type, value, set)
}

/** An item that occurs twice is owned as a whole, its fields by nobody. */
function collectItems(type: FieldType, list: readonly Json[], set: PathSet): void {
  const elements = list.map((item) => itemElement(type, item))
  const twice = duplicatesOf(elements)
  for (const [index, element] of elements.entries()) {
    const child = branch(set, element)
    const item = list[index]
    if (!twice.has(element) && item !== undefined) collect(type.element, item, child)
    child.isMember = true
  }
}

function collectFields(type: FieldType | undefined, map: JsonObject, set: PathSet): void {
  for (const name in map) {
    const value = map[name]
    if (value === undefined) continue
    const child = emptySet()
    collect(fieldOf(type, name), value, child)
    const isBare = value === null || (isObject(value) && Object.keys(value).length === 0)
    if (isBare || !type?.declares(name)) child.isMember = true
    if (!isEmpty(child)) attach(set, `f:${name}`, child)
  }
}

/** Elements that occur more than once. */
export function duplicatesOf(elements: readonly string[]): Set<string> {
  const seen = new Set<string>()
  const twice = new Set<string>()
  for (const element of elements) {
    if (seen.has(element)) twice.add(element)
    seen.add(element)
  }
  return twice
}

/**
 * The set with every declared field that lies on the way to a member made a member itself.
 *
 * Removing needs it: an emptied struct goes, a map entry or list item only when it was owned.
 */
export function withNamedParents(set: PathSet, type: FieldType | undefined): PathSet {
  const out = emptySet(set.isMember)
  for (const [element, child] of set.children) {
    const isField = element.startsWith('f:')
    const name = element.slice(2)
    const below = withNamedParents(child, isField ? fieldOf(type, name) : type?.element)
    if (isField && child.children.size > 0 && type?.declares(name)) below.isMember = true
    attach(out, element, below)
  }
  return out
}

/** What changed between two values of a type. */
export type Comparison = { readonly added: PathSet; readonly removed: PathSet; readonly modified: PathSet }

/** True of a list that holds something that text alone does not show, and so is another one than the same text. */
export type IsOther = (list: Json[]) => boolean

/** What is found on the way. */
type Found = Comparison & { readonly isOther: IsOther | undefined }

/** Compares two values field by field; lists by their keys, atomic ones as a whole. */
export function compare(type: FieldType | undefined, before: Json, after: Json, isOther?: IsOther): Comparison {
  const out: Found = { added: emptySet(), removed: emptySet(), modified: emptySet(), isOther }
  walk(type, before, after, [], out)
  return out
}

/** `path` grows and shrinks on the way: most values are the same, and need none. */
function walk(
  type: FieldType | undefined,
  before: Json | undefined,
  after: Json | undefined,
  path: string[],
  out: Found,
): void {
  if (before === after) return
  const left = shapeOf(type, before)
  const right = shapeOf(type, after)
  const shape = after === undefined || (after === null && before !== undefined) ? left : right
  const changesKind = isValue(before) && isValue(after) && left.kind !== right.kind
  if (changesKind) return walkBoth(left, right, before, after, path, out)
  const leaf = shape.kind === 'scalar' || shape.isAtomic || (lengthOf(before) === 0 && lengthOf(after) === 0)
  if (leaf) {
    if (before === undefined) insert(out.added, path)
    else if (after === undefined) insert(out.removed, path)
    else if (differs(before, after, out.isOther)) insert(out.modified, path)
    return
  }
  if (shape.kind === 'list') walkItems(shape.type, listIn(before), listIn(after), path, out)
  else walkFields(shape.type, mapIn(before), mapIn(after), path, out)
  if (before === undefined) insert(out.added, path)
  else if (after === undefined) insert(out.removed, path)
}

function differs(before: Json, after: Json, isOther: IsOther | undefined): boolean {
  if (!equal(before, after)) return true
  return isOther !== undefined && Array.isArray(after) && isOther(after)
}

/** What becomes something of another shape changes as a whole where either is a leaf; the fields of a map go or come. */
function walkBoth(
  left: Shape,
  right: Shape,
  before: Json | undefined,
  after: Json | undefined,
  path: string[],
  out: Found,
): void {
  const isLeaf = (shape: Shape, value: Json | undefined): boolean =>
    shape.kind !== 'map' || shape.isAtomic || lengthOf(value) === 0
  if (isLeaf(left, before) || isLeaf(right, after)) insert(out.modified, path)
  if (!isLeaf(left, before)) walkFields(left.type, mapIn(before), {}, path, out)
  if (!isLeaf(right, after)) walkFields(right.type, {}, mapIn(after), path, out)
}

function walkFields(
  type: FieldType | undefined,
  before: JsonObject,
  after: JsonObject,
  path: string[],
  out: Found,
): void {
  for (const name in before) {
    if (before[name] === undefined || before[name] === after[name]) continue
    path.push(`f:${name}`)
    walk(fieldOf(type, name), before[name], after[name], path, out)
    path.pop()
  }
  for (const name in after) {
    if (before[name] !== undefined || after[name] === undefined) continue
    path.push(`f:${name}`)
    walk(fieldOf(type, name), undefined, after[name], path, out)
    path.pop()
  }
}

function walkItems(
  type: FieldType | undefined,
  before: readonly Json[],
  after: readonly Json[],
  path: string[],
  out: Found,
): void {
  if (type === undefined) return
  const left = byElement(type, before)
  const right = byElement(type, after)
  for (const element of new Set([...left.keys(), ...right.keys()])) {
    path.push(element)
    walkTwins(type, left.get(element) ?? [], right.get(element) ?? [], path, out)
    path.pop()
  }
}

/** The items of one element: one at most on either side, unless a list holds it twice. */
function walkTwins(type: FieldType, olds: readonly Json[], news: readonly Json[], path: string[], out: Found): void {
  if (olds.length < 2 && news.length < 2) walk(type.element, olds[0], news[0], path, out)
  else if (olds.length === 0) insert(out.added, path)
  else if (news.length === 0) insert(out.removed, path)
  else if (olds.length >= 2 && news.length >= 2) {
    if (!equal([...olds], [...news])) insert(out.modified, path)
  } else {
    // From or to duplicates: the item as a whole changes, and its fields come or go one by one.
    insert(out.modified, path)
    if (news.length === 1) walk(type.element, undefined, news[0], path, out)
    else walk(type.element, olds[0], undefined, path, out)
  }
}

function byElement(type: FieldType, list: readonly Json[]): Map<string, Json[]> {
  const out = new Map<string, Json[]>()
  for (const item of list) {
    const element = itemElement(type, item)
    const items = out.get(element)
    if (items === undefined) out.set(element, [item])
    else items.push(item)
  }
  return out
}

const isValue = (value: Json | undefined): boolean => value !== undefined && value !== null
const listIn = (value: Json | undefined): readonly Json[] => (Array.isArray(value) ? value : [])
const mapIn = (value: Json | undefined): JsonObject => (isObject(value) ? value : {})

/** Number of items or fields; 0 for null and absent, 1 for scalars. */
export function lengthOf(value: Json | undefined): number {
  if (value === undefined || value === null) return 0
  if (Array.isArray(value)) return value.length
  return isObject(value) ? Object.keys(value).length : 1
}
