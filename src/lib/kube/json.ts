/** Any JSON value. */
export type Json = null | boolean | number | string | Json[] | JsonObject

/** A JSON object; a field that is absent may also be `undefined`. */
export type JsonObject = { [key: string]: Json | undefined }

/** True for a JSON object: neither null nor a list. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Reads any parsed JSON or YAML as a Json value; the parser's own word that it holds nothing else. */
export function asJson(value: unknown): Json {
  return value as Json
}

/** The value as an object, or an empty one that is not kept. */
export function objectOf(value: Json | undefined): JsonObject {
  return isObject(value) ? value : {}
}

/** The value as a list, or an empty one that is not kept. */
export function listOf(value: Json | undefined): Json[] {
  return Array.isArray(value) ? value : []
}

/** The objects among the elements of a list. */
export function objectsOf(value: Json | undefined): JsonObject[] {
  return listOf(value).filter(isObject)
}

/** The value as a string, or `''`. */
export function stringOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : ''
}

/** The value as a number, or undefined. */
export function numberOf(value: Json | undefined): number | undefined {
  return typeof value === 'number' ? value : undefined
}

/** Follows field names; undefined where the path ends early. */
export function at(value: Json | undefined, ...path: readonly string[]): Json | undefined {
  let here = value
  for (const name of path) {
    if (!isObject(here)) return undefined
    here = here[name]
  }
  return here
}

/** A deep copy; fields that are `undefined` are left out. */
export function clone<T extends Json | undefined>(value: T): T {
  return copy(value) as T
}

function copy(value: Json | undefined): Json | undefined {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((element) => copy(element) ?? null)
  const out: JsonObject = {}
  for (const key in value) {
    const field = value[key]
    if (field !== undefined) out[key] = copy(field)
  }
  return out
}

/** Deep equality; the order of keys does not count, an `undefined` field is absent. */
export function equal(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a))
    return Array.isArray(b) && a.length === b.length && a.every((element, index) => equal(element, b[index]))
  if (Array.isArray(b)) return false
  let count = 0
  for (const key in a) {
    if (a[key] === undefined) continue
    count++
    if (b[key] === undefined || !equal(a[key], b[key])) return false
  }
  for (const key in b) if (b[key] !== undefined) count--
  return count === 0
}

/** The same value with the keys of every object in byte order: how Go prints a map. */
export function sorted(value: Json): Json {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(sorted)
  const out: JsonObject = {}
  for (const key of Object.keys(value).sort(byBytes)) {
    const field = value[key]
    if (field !== undefined) out[key] = sorted(field)
  }
  return out
}

/** The same value without what is null in its objects; in lists nulls stay. */
export function withoutNulls(value: Json): Json {
  if (Array.isArray(value)) return value.map(withoutNulls)
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, each]) =>
      each === null || each === undefined ? [] : [[name, withoutNulls(each)]],
    ),
  )
}

/** Byte order for text without surrogate pairs, code unit order otherwise. */
export function byBytes(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

const MARKUP = /[<>&\u2028\u2029]/
const ALL_MARKUP = /[<>&\u2028\u2029]/g

/** A value as Go writes it as JSON: what could be markup is escaped. Fields stay in their order. */
export function goJson(value: Json): string {
  const text = JSON.stringify(value)
  if (!MARKUP.test(text)) return text
  return text.replace(ALL_MARKUP, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
