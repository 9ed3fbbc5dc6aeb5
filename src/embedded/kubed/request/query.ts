import { parseGoDuration } from '../../../lib/go-duration/go-duration.ts'
import { badRequest, Fault } from '../fault.ts'
import type { Route } from './route.ts'

/** A yes or no of the query as the API reads it: only `false` and `0` are a no, an empty text is a yes; `undefined` when it is not there. */
export function booleanIn(query: URLSearchParams, name: string): boolean | undefined {
  const text = query.get(name)
  return text === null ? undefined : text !== '0' && text.toLowerCase() !== 'false'
}

const [LEAST, MOST] = [-(2n ** 63n), 2n ** 63n - 1n]

/** A whole number of the query, of 64 bits; `undefined` when it is not there. @throws Fault 400 */
export function numberIn(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name)
  if (text === null) return undefined
  const refused = (why: string): Error => badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: ${why}`)
  if (!/^[-+]?\d+$/.test(text)) throw refused('invalid syntax')
  const value = BigInt(text.replace(/^\+/, ''))
  if (value < LEAST || value > MOST) throw refused('value out of range')
  return Number(value)
}

const LARGEST = 18_446_744_073_709_551_615n

/** A text as the number that Go reads; undefined for one of more than 64 bits. Zeros in front cost nothing, and no long number is built. */
export function unsignedOf(digits: string): bigint | undefined {
  const short = digits.replace(/^0+/, '')
  if (short.length > 20) return undefined
  const value = BigInt(short)
  return value <= LARGEST ? value : undefined
}

/** A resourceVersion that has to be a number of 64 bits. @throws Fault with the given code */
export function checkVersionText(text: string, code: 400 | 500): void {
  const isNumber = /^\d*$/.test(text)
  if (isNumber && unsignedOf(text) !== undefined) return
  const quoted = JSON.stringify(text)
  const fault = isNumber ? 'value out of range' : 'invalid syntax'
  const why = `resourceVersion: Invalid value: ${quoted}: strconv.ParseUint: parsing ${quoted}: ${fault}`
  throw code === 400 ? badRequest(`invalid resource version: ${why}`) : new Fault(code, '', why)
}

const LONG = new Set(['attach', 'exec', 'proxy', 'log', 'portforward'])

/**
 * Refuses a `timeout` that is no duration, before anything else is looked at. What runs long has none.
 *
 * @throws Fault 400
 */
export function checkTimeout(found: Route, query: URLSearchParams): void {
  const text = query.get('timeout') ?? ''
  if (text === '') return
  const isLong = found.kind === 'resource' && (LONG.has(found.subresource) || found.isWatchPath)
  const isWatch = found.kind === 'resource' && found.name === '' && booleanIn(query, 'watch') === true
  const duration = isLong || isWatch ? undefined : parseGoDuration(text)
  if (duration && 'fault' in duration)
    throw badRequest(`invalid timeout specified in the request URL - time: ${duration.fault}`)
}
