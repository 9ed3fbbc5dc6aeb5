import type { YamlScalar } from './nodes.ts'

/**
 * Which Go library's rules a plain scalar follows.
 *
 * 'v3': `yes`, `no`, `on`, `off`, `y`, `n` are strings and dates are times (kyaml, resources). 'v2': they are booleans, and dates strings
 * (sigs.k8s.io/yaml: kustomization.yaml, kubectl).
 */
export type YamlRules = 'v2' | 'v3'

/** A resolved scalar: a bigint where a number would lose digits, a timestamp as the RFC 3339 text that Go's JSON has. */
export type ScalarValue = string | number | bigint | boolean | null

const KEYWORDS = new Map<string, ScalarValue>([
  ['', null],
  ['~', null],
  ['null', null],
  ['Null', null],
  ['NULL', null],
  ['true', true],
  ['True', true],
  ['TRUE', true],
  ['false', false],
  ['False', false],
  ['FALSE', false],
])

const OLD_BOOLEANS = new Map<string, boolean>(
  ['y', 'Y', 'yes', 'Yes', 'YES', 'on', 'On', 'ON']
    .map((word): [string, boolean] => [word, true])
    .concat(['n', 'N', 'no', 'No', 'NO', 'off', 'Off', 'OFF'].map((word) => [word, false])),
)

const BASE_60 = /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/

/** Whether YAML 1.1 reads a text as a number to the base of 60. */
export function isBase60(text: string): boolean {
  return BASE_60.test(text)
}

/** Whether YAML 1.1 reads a text such as `yes` as a boolean. */
export function isOldBoolean(text: string): boolean {
  return OLD_BOOLEANS.has(text)
}

const SPECIAL_FLOATS = new Map<string, number>([
  ['.nan', NaN],
  ['.NaN', NaN],
  ['.NAN', NaN],
  ['.inf', Infinity],
  ['.Inf', Infinity],
  ['.INF', Infinity],
  ['+.inf', Infinity],
  ['+.Inf', Infinity],
  ['+.INF', Infinity],
  ['-.inf', -Infinity],
  ['-.Inf', -Infinity],
  ['-.INF', -Infinity],
])

const FLOAT = /^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/
const MAX_UINT64 = 18446744073709551615n
const MIN_INT64 = -9223372036854775808n

/** What a plain text means to Go's YAML library. @see https://github.com/go-yaml/yaml/blob/v3/resolve.go */
export function resolvePlain(text: string, rules: YamlRules = 'v3'): ScalarValue {
  const code = text.charCodeAt(0)
  if (code >= 48 && code <= 57) return (rules === 'v3' ? parseTimestamp(text) : undefined) ?? resolveNumber(text)
  if (code === 43 || code === 45 || code === 46) return resolveSigned(text)
  if (text.length > 5) return text
  const keyword = KEYWORDS.get(text)
  if (keyword !== undefined) return keyword
  if (rules === 'v2') return OLD_BOOLEANS.get(text) ?? text
  return text
}

function resolveSigned(text: string): ScalarValue {
  const special = SPECIAL_FLOATS.get(text)
  if (special !== undefined) return special
  if (text.charCodeAt(0) !== 46) return resolveNumber(text)
  const value = FLOAT.test(text) ? Number(text) : NaN
  return Number.isFinite(value) ? value : text
}

function resolveNumber(text: string): ScalarValue {
  const plain = text.includes('_') ? text.replaceAll('_', '') : text
  const int = parseInteger(plain)
  if (int !== undefined) return int
  if (!FLOAT.test(plain)) return text
  const value = Number(plain)
  return Number.isFinite(value) ? value : text
}

const DECIMAL = /^[-+]?(0|[1-9][0-9]*)$/
const PREFIXED = /^([-+]?)(0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+))$/
const SIGN_INSIDE = /^(-?)0b([-+]?)([01]+)$/

function parseInteger(plain: string): number | bigint | undefined {
  if (DECIMAL.test(plain)) {
    if (plain.length < 16) return Number(plain) + 0 === 0 ? 0 : Number(plain)
    return narrow(BigInt(plain.startsWith('+') ? plain.slice(1) : plain), plain)
  }
  const match = PREFIXED.exec(plain)
  if (!match) return parseSignInside(plain)
  const digits = match[3] ? `0x${match[3]}` : match[4] ? `0b${match[4]}` : `0o${match[5]}`
  const magnitude = BigInt(digits)
  return narrow(match[1] === '-' ? -magnitude : magnitude, plain)
}

/** Go's parser falls back to cutting `0b` off, and lets a sign stand behind it. */
function parseSignInside(plain: string): number | bigint | undefined {
  const match = SIGN_INSIDE.exec(plain)
  if (!match || (match[1] === '-' && match[2] !== '')) return undefined
  const magnitude = BigInt(`0b${match[3]}`)
  return narrow(match[2] === '-' ? -magnitude : magnitude, plain)
}

/** Beyond 64 bits Go has no integer; a sign rules out the unsigned range. */
function narrow(value: bigint, plain: string): number | bigint | undefined {
  if (value > MAX_UINT64 || value < MIN_INT64) return undefined
  if (plain.startsWith('+') && value > 9223372036854775807n) return undefined
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}

const TIMESTAMP =
  /^(\d{4})-(\d{1,2})-(\d{1,2})(?:(?:[Tt](\d{1,2}):(\d{1,2}):(\d{1,2})(?:[.,](\d+))?(Z|[-+]\d\d:\d\d))|(?: +(\d{1,2}):(\d{1,2}):(\d{1,2})(?:[.,](\d+))?))?$/

/** A timestamp as Go's JSON prints it; undefined when the text is none. */
export function parseTimestamp(text: string): string | undefined {
  if (text.charCodeAt(4) !== 45) return undefined
  const match = TIMESTAMP.exec(text)
  if (!match) return undefined
  const [year = 0, month = 0, day = 0] = match.slice(1, 4).map(Number)
  const [hour = 0, minute = 0, second = 0] = (match[4] === undefined ? match.slice(9, 12) : match.slice(4, 7)).map(
    (part) => Number(part ?? 0),
  )
  if (month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return undefined
  if (hour > 23 || minute > 59 || second > 59) return undefined
  const fraction = (match[7] ?? match[12] ?? '').slice(0, 9).replace(/0+$/, '')
  const two = (value: number): string => String(value).padStart(2, '0')
  const zone = match[8] === undefined || match[8] === '+00:00' || match[8] === '-00:00' ? 'Z' : match[8]
  const date = `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}`
  return `${date}T${two(hour)}:${two(minute)}:${two(second)}${fraction === '' ? '' : `.${fraction}`}${zone}`
}

function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
  return [4, 6, 9, 11].includes(month) ? 30 : 31
}

/** What a scalar means: its tag decides, then quotes, then the rules for plain text. */
export function resolveScalar(node: YamlScalar, rules: YamlRules = 'v3'): ScalarValue {
  if (node.tag === '') return node.style === 'plain' ? resolvePlain(node.value, rules) : node.value
  return resolveTagged(node, rules)
}

function resolveTagged(node: YamlScalar, rules: YamlRules): ScalarValue {
  const { tag, value } = node
  if (tag === '!!null') return null
  if (tag === '!!binary') return Buffer.from(value.replace(/\s+/g, ''), 'base64').toString('utf8')
  if (tag === '!!float') {
    const resolved = resolvePlain(value, rules)
    return typeof resolved === 'bigint' ? Number(resolved) : resolved
  }
  if (tag === '!!int' || tag === '!!timestamp') return resolvePlain(value, rules)
  if (tag === '!!bool') {
    const resolved = resolvePlain(value, 'v2')
    return typeof resolved === 'boolean' ? resolved : value
  }
  return value
}

/** The YAML tag that a scalar resolves to, for example `!!int`. */
export function tagOf(node: YamlScalar): string {
  if (node.tag !== '') return node.tag
  if (node.style !== 'plain') return '!!str'
  const value = resolvePlain(node.value)
  if (value === null) return '!!null'
  if (typeof value === 'boolean') return '!!bool'
  if (typeof value === 'bigint') return '!!int'
  if (typeof value === 'number') return parseInteger(node.value.replaceAll('_', '')) === undefined ? '!!float' : '!!int'
  return value === node.value && parseTimestamp(value) === undefined ? '!!str' : '!!timestamp'
}
