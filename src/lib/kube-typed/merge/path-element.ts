import { byBytes, goJson, isObject, type Json, type JsonObject } from '../../kube/json.ts'
import { goFloat } from '../../yaml/write/go-numbers.ts'
import { goQuote } from '../../value/go-quote.ts'

/** A text is no element of a path. */
export class PathElementError extends Error {}

/** The element of a list item that is known by its keys. */
export function keyElement(keys: JsonObject): string {
  const names = Object.keys(keys)
  // Most items have one key.
  if (names.length > 1) names.sort(byBytes)
  return `k:{${names.map((name) => `${goJson(name)}:${goJson(keys[name] ?? null)}`).join(',')}}`
}

/** The element of a list item that is known by its value. */
export const valueElement = (value: Json): string => `v:${goJson(value)}`

/**
 * An element as it is kept here, from how somebody wrote it; undefined for one of an unknown kind.
 *
 * @throws PathElementError
 */
export function readElement(text: string): string | undefined {
  const rest = text.slice(2)
  if (text[1] !== ':') throw new PathElementError(`missing colon: ${text}`)
  if (text.startsWith('f:')) return text
  if (text.startsWith('i:')) {
    if (!/^[-+]?\d+$/.test(rest)) throw new PathElementError(`not a number: ${text}`)
    return `i:${Number(rest)}`
  }
  if (text.startsWith('v:')) return valueElement(read(rest))
  if (!text.startsWith('k:')) return undefined
  const keys = read(rest)
  if (!isObject(keys)) throw new PathElementError(`no keys: ${text}`)
  return keyElement(keys)
}

function read(text: string): Json {
  try {
    return JSON.parse(text) as Json
  } catch {
    throw new PathElementError(`no JSON: ${text}`)
  }
}

const KINDS = 'fkvi'

/** An element with what it stands for, read once for all the comparisons of a sort. */
type Ranked = { readonly element: string; readonly kind: number; readonly value: Json }

/** Elements as they are written: by what they are, then names by their bytes, keys and values by what they stand for. */
export function sortElements(elements: Iterable<string>): string[] {
  const all = [...elements]
  if (all.length < 2) return all
  // Most objects have fields alone.
  if (all.every((element) => element.startsWith('f:'))) return all.sort(byBytes)
  return all
    .map(rank)
    .sort(compareElements)
    .map(({ element }) => element)
}

function rank(element: string): Ranked {
  const isName = element.startsWith('f')
  return { element, kind: KINDS.indexOf(element[0] ?? ''), value: isName ? element : read(element.slice(2)) }
}

function compareElements(a: Ranked, b: Ranked): number {
  if (a.kind !== b.kind) return a.kind - b.kind
  return isObject(a.value) && isObject(b.value) && a.element.startsWith('k')
    ? compareKeys(a.value, b.value)
    : compareValues(a.value, b.value)
}

/** Keys are compared one by one, in the order of their names. */
function compareKeys(a: JsonObject, b: JsonObject): number {
  const [left, right] = [Object.keys(a).sort(byBytes), Object.keys(b).sort(byBytes)]
  for (const [index, name] of left.entries()) {
    const other = right[index]
    if (other === undefined) return 1
    const order = byBytes(name, other) || compareValues(a[name] ?? null, b[other] ?? null)
    if (order !== 0) return order
  }
  return left.length - right.length
}

/** Numbers come before texts, and these before what is true or false. */
function compareValues(a: Json, b: Json): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b
  if (typeof a === 'string' && typeof b === 'string') return byBytes(a, b)
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b)
  return rankOf(a) - rankOf(b) || byBytes(goJson(a), goJson(b))
}

function rankOf(value: Json): number {
  if (value === null) return 4
  return ['number', 'string', 'boolean', 'object'].indexOf(typeof value)
}

/** An element as people read it: `.name`, `[name="web"]`, `[="x"]`, `[3]`. */
export function shownElement(element: string): string {
  const rest = element.slice(2)
  if (element.startsWith('f:')) return `.${rest}`
  if (element.startsWith('i:')) return `[${rest}]`
  const value = read(rest)
  if (element.startsWith('v:')) return `[=${shown(value)}]`
  return `[${Object.entries(isObject(value) ? value : {})
    .map(([key, each]) => `${key}=${shown(each ?? null)}`)
    .join(',')}]`
}

function shown(value: Json): string {
  if (typeof value === 'string') return goQuote(value)
  if (typeof value === 'number') return Number.isInteger(value) ? String(value) : goFloat(value)
  if (Array.isArray(value)) return `[${value.map(shown).join(',')}]`
  if (!isObject(value)) return goJson(value)
  return Object.entries(value)
    .map(([name, each]) => `${name}=${shown(each ?? null)}`)
    .join('')
}
