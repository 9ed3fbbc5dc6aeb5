import type { Environment } from '@marcbachmann/cel-js'
import { textOfSpan, textOfTime } from './times.ts'
import { entriesOf, isDuration, kindOf } from './values.ts'

/** Which release of cel-go writes a text: the API server's, or the newer one of Flux, whose `%e` is Go's own. */
export type FormatStyle = 'kubernetes' | 'flux'

/**
 * `%s`, `%d` and their like.
 *
 * @see github.com/google/cel-go/ext formatting_v2.go
 */
export function withFormat(environment: Environment, style: FormatStyle): Environment {
  const verbs = style === 'flux' ? { ...VERBS, e: plainScientific } : VERBS
  return environment.registerFunction('string.format(list<dyn>): string', (text: string, values: readonly unknown[]) =>
    formatText(text, values, verbs),
  )
}

const CLAUSE = /%(?:\.(\d+))?([^]?)/g

function formatText(text: string, values: readonly unknown[], verbs: Verbs): string {
  let next = 0
  return text.replace(CLAUSE, (_, digits: string | undefined, verb: string) => {
    if (verb === '%') return '%'
    if (verb === '') throw new Error('unexpected end of string')
    const format = verbs[verb]
    if (format === undefined)
      throw new Error(`could not parse formatting clause: unrecognized formatting clause ${JSON.stringify(verb)}`)
    if (next >= values.length) throw new Error(`index ${next} out of range`)
    return format(values[next++], digits === undefined ? 6 : Number(digits))
  })
}

type Verbs = Readonly<Record<string, (value: unknown, digits: number) => string>>

const VERBS: Verbs = {
  s: (value) => shown(value, false),
  d: (value) => wholeIn(value, 10, 'decimal clause can only be used on integers'),
  f: (value, digits) => fixed(doubleOf(value, 'fixed-point'), digits),
  // the original takes no number of digits here
  e: (value) => scientific(doubleOf(value, 'scientific')),
  x: (value) => hexOf(value),
  X: (value) => hexOf(value).toUpperCase(),
  o: (value) => wholeIn(value, 8, 'octal clause can only be used on integers'),
  b: (value) =>
    typeof value === 'boolean'
      ? String(Number(value))
      : wholeIn(value, 2, 'only integers and bools can be formatted as binary'),
}

const misfit = (why: string, value: unknown): Error =>
  new Error(`error during formatting: ${why}, was given ${kindOf(value)}`)

/** A whole number may come as a double from outside. */
function wholeIn(value: unknown, base: number, why: string): string {
  const kind = kindOf(value)
  if (kind !== 'int' && kind !== 'uint' && !Number.isInteger(value)) throw misfit(why, value)
  return BigInt(String(value)).toString(base)
}

function doubleOf(value: unknown, clause: string): number {
  const kind = kindOf(value)
  if (kind !== 'double' && kind !== 'int') throw misfit(`${clause} clause can only be used on doubles`, value)
  return Number(value)
}

/** What lies in the middle goes to the even digit, as in Go. */
function fixed(value: number, digits: number): string {
  const scaled = value * 10 ** digits
  const isMiddle = Math.abs(scaled % 1) === 0.5 && scaled / 10 ** digits === value
  return isMiddle ? ((2 * Math.round(scaled / 2)) / 10 ** digits).toFixed(digits) : value.toFixed(digits)
}

const RAISED = '⁰¹²³⁴⁵⁶⁷⁸⁹'

/** `1.5×10⁰³`, with two digits at least. */
function scientific(value: number): string {
  const [mantissa = '', exponent = ''] = value.toExponential(6).split('e')
  const raised = [...exponent.slice(1).padStart(2, '0')].map((digit) => RAISED[Number(digit)]).join('')
  return `${mantissa}×10${exponent.startsWith('-') ? '⁻' : ''}${raised}`
}

/** `1.500000e+03` */
function plainScientific(value: unknown, digits: number): string {
  const number = kindOf(value) === 'uint' ? Number(value) : doubleOf(value, 'scientific')
  if (!Number.isFinite(number)) return textOfDouble(number)
  return number.toExponential(digits).replace(/[+-](?=\d$)/, '$&0')
}

function hexOf(value: unknown): string {
  if (typeof value === 'string') return Buffer.from(value).toString('hex')
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  return wholeIn(value, 16, 'only integers, byte buffers, and strings can be formatted as hex')
}

/** A value as text; inside of others it is written as in an expression. */
function shown(value: unknown, isInside: boolean): string {
  if (typeof value === 'string') return isInside ? JSON.stringify(value) : value
  if (typeof value === 'number') return isInside && !Number.isInteger(value) ? value.toFixed(6) : textOfDouble(value)
  if (value instanceof Uint8Array)
    return isInside ? `b${shown(Buffer.from(value).toString(), true)}` : Buffer.from(value).toString()
  if (value instanceof Date) return isInside ? `timestamp(${shown(textOfTime(value), true)})` : textOfTime(value)
  if (isDuration(value)) return isInside ? `duration(${shown(textOfSpan(value), true)})` : textOfSpan(value)
  if (Array.isArray(value)) return `[${value.map((each) => shown(each, true)).join(', ')}]`
  switch (kindOf(value)) {
    case 'null_type':
      return 'null'
    case 'map':
      return `{${entriesOf(value)
        .map(([key, item]) => `${shown(key, true)}:${shown(item, true)}`)
        .sort()
        .join(', ')}}`
    case 'other':
      return shownType(value)
    default:
      return String(value)
  }
}

function shownType(value: unknown): string {
  const name = typeof value === 'object' && value !== null && 'name' in value ? value.name : undefined
  if (typeof name === 'string') return name
  throw misfit(
    'string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps',
    value,
  )
}

/** A double as Go prints it in its shortest form. */
function textOfDouble(value: number): string {
  const isPlain = value === 0 || (Math.abs(value) >= 1e-4 && Math.abs(value) < 1e6)
  if (isPlain || !Number.isFinite(value)) return String(value).replace('Infinity', 'Inf').replace(/^Inf/, '+Inf')
  return value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2')
}
