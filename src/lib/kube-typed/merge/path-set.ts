import { type Json, type JsonObject, isObject } from '../../kube/json.ts'
import { readElement, shownElement, sortElements } from './path-element.ts'

/**
 * A set of field paths, as `metadata.managedFields` keeps it: a tree whose edges are path elements
 * (`f:name`, `k:{"name":"web"}`, `v:"value"`).
 *
 * Built by adding, then only read; operations return new trees and share branches.
 */
export type PathSet = { isMember: boolean; children: ReadonlyMap<string, PathSet> }

/** Shared by all that nothing is below: most of a tree are leaves, and a map of their own would be three quarters of its memory. */
const NONE: ReadonlyMap<string, PathSet> = new Map()

/** A set without a path below it; `isMember` is true for a leaf that is a path itself. */
export function emptySet(isMember = false): PathSet {
  return { isMember, children: NONE }
}

/** The branch below `element`, made when absent. */
export function branch(set: PathSet, element: string): PathSet {
  let next = set.children.get(element)
  if (next === undefined) attach(set, element, (next = emptySet()))
  return next
}

/** Puts a branch below `element`, in place of what was there. */
export function attach(set: PathSet, element: string, below: PathSet): void {
  if (set.children instanceof Map && set.children !== NONE) set.children.set(element, below)
  else set.children = new Map([[element, below]])
}

/** Adds one path. */
export function insert(set: PathSet, path: readonly string[]): void {
  if (path.length === 0) return
  let here = set
  for (const element of path) here = branch(here, element)
  here.isMember = true
}

/** True when no path is in the set. */
export function isEmpty(set: PathSet | undefined): boolean {
  if (set === undefined) return true
  if (set.isMember) return false
  for (const child of set.children.values()) if (!isEmpty(child)) return false
  return true
}

/** Paths of either. */
export function union(a: PathSet, b: PathSet): PathSet {
  const isMember = a.isMember || b.isMember
  if (b.children.size === 0) return { isMember, children: a.children }
  if (a.children.size === 0) return { isMember, children: b.children }
  const out: PathSet = { isMember, children: new Map(a.children) }
  for (const [element, right] of b.children) {
    const left = a.children.get(element)
    attach(out, element, left === undefined ? right : union(left, right))
  }
  return out
}

/** Paths of both. */
export function intersection(a: PathSet, b: PathSet): PathSet {
  const out = emptySet(a.isMember && b.isMember)
  for (const [element, left] of a.children) {
    const right = b.children.get(element)
    if (right === undefined) continue
    const both = intersection(left, right)
    if (!isEmpty(both)) attach(out, element, both)
  }
  return out
}

/** Paths of `a` that are not in `b`. */
export function difference(a: PathSet, b: PathSet): PathSet {
  const out = emptySet(a.isMember && !b.isMember)
  for (const [element, left] of a.children) {
    const right = b.children.get(element)
    const rest = right === undefined ? left : difference(left, right)
    if (!isEmpty(rest)) attach(out, element, rest)
  }
  return out
}

/** Paths of `a` that are neither in `b` nor below a path of `b`. */
export function recursiveDifference(a: PathSet, b: PathSet): PathSet {
  const out = emptySet(a.isMember && !b.isMember)
  for (const [element, left] of a.children) {
    const right = b.children.get(element)
    if (right?.isMember) continue
    const rest = right === undefined ? left : recursiveDifference(left, right)
    if (!isEmpty(rest)) attach(out, element, rest)
  }
  return out
}

/** Same paths. */
export function sameSet(a: PathSet, b: PathSet): boolean {
  if (a.isMember !== b.isMember) return false
  for (const [element, left] of a.children) {
    const right = b.children.get(element)
    if (right === undefined ? !isEmpty(left) : !sameSet(left, right)) return false
  }
  for (const [element, right] of b.children) if (!a.children.has(element) && !isEmpty(right)) return false
  return true
}

/** True when every path of `a` is in `b`. */
export function isWithin(a: PathSet, b: PathSet): boolean {
  if (a.isMember && !b.isMember) return false
  for (const [element, left] of a.children) {
    const right = b.children.get(element)
    if (right === undefined ? !isEmpty(left) : !isWithin(left, right)) return false
  }
  return true
}

/**
 * Reads `fieldsV1`. Elements of a kind that nobody knows are left out.
 *
 * @throws PathElementError for an element that is none
 */
export function parseFields(fields: Json | undefined): PathSet {
  const out = emptySet()
  if (!isObject(fields)) return out
  for (const written in fields) {
    if (written === '.') continue
    const element = readElement(written)
    if (element === undefined) continue
    const below = fields[written]
    const child = parseFields(below)
    child.isMember = isObject(below) && (child.children.size === 0 || below['.'] !== undefined)
    attach(out, element, child)
  }
  return out
}

/** Writes `fieldsV1`, elements in the server's order. */
export function renderFields(set: PathSet): JsonObject {
  const out: JsonObject = {}
  if (set.children.size === 0) return out
  for (const element of sortElements(set.children.keys())) {
    const child = set.children.get(element)
    if (child === undefined || isEmpty(child)) continue
    const below = renderFields(child)
    out[element] = child.isMember && Object.keys(below).length > 0 ? { '.': {}, ...below } : below
  }
  return out
}

/** Every path as people read it, `.spec.containers[name="web"].image`: at each level the members first, then what is below, as the original goes. */
export function renderPaths(set: PathSet, prefix = ''): string[] {
  const elements = sortElements(set.children.keys())
  const at = (element: string): PathSet => set.children.get(element) ?? emptySet()
  const members = elements.flatMap((element) => (at(element).isMember ? [prefix + shownElement(element)] : []))
  return [...members, ...elements.flatMap((element) => renderPaths(at(element), prefix + shownElement(element)))]
}
