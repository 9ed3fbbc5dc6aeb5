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

/** The order in which elements are written: by what they are, then names by their bytes, keys and values by what they stand for. */
export function compareElements(a: string, b: string): number {
  const kind = a[0] ?? ''
  if (kind !== b[0]) return KINDS.indexOf(kind) - KINDS.indexOf(b[0] ?? '')
  if (kind === 'f') return byBytes(a, b)
  const [left, right] = [read(a.slice(2)), read(b.slice(2))]
  return kind === 'k' && isObject(left) && isObject(right) ? compareKeys(left, right) : compareValues(left, right)
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
  return goJson(value)
}
