import { asJson, type Json } from '../../../lib/kube/json.ts'
import { badRequest, Fault } from '../fault.ts'
import { TOKENS } from './number-text.ts'

/** The value of a JSON text as Go reads it; undefined for a text that is none. @throws Fault 400 for what cannot be kept */
export function parseJson(text: string): Json | undefined {
  try {
    // Half of a pair is no sign of Go's; only an escape can spell it.
    const hasEscapes = text.includes('\\u')
    const value = asJson(hasEscapes && /\\ud[89a-f]/i.test(text) ? JSON.parse(text, wellFormed) : JSON.parse(text))
    // An escape may spell it, too.
    if (hasEscapes || text.includes('__proto__')) refusePrototypes(value)
    return value
  } catch (error) {
    if (error instanceof Fault) throw error
    return undefined
  }
}

const wellFormedText = (text: string): string => Buffer.from(text, 'utf8').toString('utf8')

const wellFormed = (_name: string, value: unknown): unknown => {
  if (typeof value === 'string') return wellFormedText(value)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [wellFormedText(name), each]))
}

/** JavaScript cannot keep a field of that name as others are kept. @throws Fault 400 */
export function refusePrototypes(value: Json): void {
  const waiting: Json[] = [value]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (typeof next !== 'object' || next === null) continue
    if (Object.hasOwn(next, '__proto__')) throw badRequest('kubed does not keep fields named "__proto__": rename it')
    for (const below of Object.values(next)) if (below !== undefined) waiting.push(below)
  }
}

/** 400 for a whole number that a float cannot keep: it would be another one when it is read again. */
export const inexact = (number: string): Fault => badRequest(inexactText(number))

export const inexactText = (number: string): string =>
  `kubed does not keep the number ${number} exactly: whole numbers end at ${Number.MAX_SAFE_INTEGER} here`

/** A text with a number that needs more digits, or a larger power, than most have. */
const MAY_BE_LARGE = /(?<!\d)\d{300}|[eE]\+?\d{3}/

/** The first number of a JSON text that Go's floats cannot hold. */
export function tooLargeIn(text: string): string | undefined {
  if (!MAY_BE_LARGE.test(text)) return undefined
  for (const [token] of text.matchAll(TOKENS))
    if (!token.startsWith('"') && !Number.isFinite(Number(token))) return token
  return undefined
}
