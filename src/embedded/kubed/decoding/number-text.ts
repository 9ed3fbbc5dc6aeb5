import { asJson, isObject, type Json, type JsonObject } from '../../../lib/kube/json.ts'

/** How the text of a body writes its odd numbers, by the object or list that holds them and the field or place there. */
export type Spelling = WeakMap<JsonObject | Json[], Map<string, string>>

/** Strings, which may hold anything, and numbers. */
export const TOKENS = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?/g
const PLAIN = /^-?\d{1,15}$/
/** A number with a point, a power or very many digits, where a value may stand. */
const MAY_BE_ODD = /[[:,]\s*-?(?:\d+\.\d+(?:[eE][-+]?\d+)?|\d+[eE][-+]?\d+|\d{16,})\s*[,}\]]/

/**
 * Go tells `1.0` and `1e2` from whole numbers, and numbers of many digits from each other; their values do not show it here.
 *
 * @param value what the text says
 * @returns undefined for almost all texts: they have no such numbers
 */
export function spellingOf(text: string, value: Json): Spelling | undefined {
  if (!MAY_BE_ODD.test(text)) return undefined
  const quoted = text.replace(TOKENS, (token) => (token.startsWith('"') || PLAIN.test(token) ? token : `"${token}"`))
  const spelling: Spelling = new WeakMap()
  const waiting: [Json | undefined, Json | undefined][] = [[value, asJson(JSON.parse(quoted))]]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const [holder, twin] = next
    if (!isHolder(holder) || !isHolder(twin)) continue
    const twins = new Map(Object.entries(twin))
    for (const [name, field] of Object.entries(holder)) {
      const other = twins.get(name)
      if (typeof field === 'number' && typeof other === 'string') remember(spelling, holder, name, other)
      else waiting.push([field, other])
    }
  }
  return spelling
}

const isHolder = (value: Json | undefined): value is JsonObject | Json[] => Array.isArray(value) || isObject(value)

function remember(spelling: Spelling, holder: JsonObject | Json[], name: string, text: string): void {
  const known = spelling.get(holder)
  if (known === undefined) spelling.set(holder, new Map([[name, text]]))
  else known.set(name, text)
}

const [LEAST, MOST] = [-(2n ** 63n), 2n ** 63n - 1n]
const WHOLE = /^-?\d+$/

/** True of a whole number that Go keeps as such. */
export const isInt64 = (text: string): boolean => WHOLE.test(text) && BigInt(text) >= LEAST && BigInt(text) <= MOST

/** The first whole number of a JSON text that Go would keep exactly, and a float does not. */
export function inexactIn(text: string): string | undefined {
  if (!/\d{16}/.test(text)) return undefined
  for (const [token] of text.matchAll(TOKENS)) if (isInexact(token)) return token
  return undefined
}

/** True of a whole number that Go keeps, and that would be written otherwise here. */
export const isInexact = (text: string): boolean =>
  text.length > 15 && text.length <= 20 && isInt64(text) && String(Number(text)) !== text
