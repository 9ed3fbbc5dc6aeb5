import { own } from '../value/own.ts'
import { trimEndOf } from '../value/trim-end.ts'

/** A resource quantity: an exact amount in billionths, the family of its suffix, and its canonical text. */
export type Quantity = {
  readonly nano: bigint
  readonly format: 'decimal' | 'exponent' | 'binary'
  readonly text: string
}

/** Why a text is no quantity, in kube-apiserver's words. */
export type QuantityError = { readonly error: string }

/** The suffix begins where the digits end, so that only one way leads through a text. */
const FORM = /^([+-]?)(\d*)(\.(\d*))?((?!\d)[eEinumkKMGTP]*[-+]?\d*)$/
const WRONG_FORM = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
const WRONG_SUFFIX = "unable to parse quantity's suffix"
const WRONG_NUMBER = 'unable to parse numeric part of quantity'
/** From this power of two on a missing number is no zero: the original's quick way ends there. */
const SLOW_EXPONENT = 50
const BINARY = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei']
const DECIMAL: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, '': 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 }
const DECIMAL_BY_EXPONENT = new Map(Object.entries(DECIMAL).map(([suffix, exponent]) => [exponent, suffix]))
/** Larger powers of ten and longer numbers are refused, to bound time: an object may hold very many. */
const MAX_EXPONENT = 1_000
const MAX_DIGITS = 10_000
const NANO = 1_000_000_000n
const MAX_BINARY = (2n ** 63n - 1n) * NANO

/**
 * Reads a quantity as kube-apiserver does: `0.5` becomes `500m`, `1.5Gi` `1536Mi`, while texts that are in canonical form by
 * its own quick test (`1e3`, `+5`, `01`) stay as written.
 */
export function parseQuantity(value: string | number): Quantity | QuantityError {
  const text = String(value).trim()
  if (text === '0') return { nano: 0n, format: 'decimal', text }
  const match = FORM.exec(text)
  const [, sign = '', whole = '', , denominator = '', suffix = ''] = match ?? []
  if (match === null || text === '' || (whole === '' && denominator === '' && !text.includes('.'))) {
    // Go reads a missing number as zero, but not a missing text.
    if (match === null || text === '' || suffix === '') return { error: WRONG_FORM }
  }
  const scale = scaleOf(suffix)
  if (scale === undefined) return { error: WRONG_SUFFIX }
  if (whole + denominator === '' && scale.base === 2 && scale.exponent >= SLOW_EXPONENT) return { error: WRONG_NUMBER }
  if (whole.length + denominator.length > MAX_DIGITS) return { error: WRONG_NUMBER }
  const amount = amountOf(whole, denominator, scale)
  const nano = sign === '-' ? -amount : amount
  if (keepsText(whole, denominator, scale)) return { nano, format: scale.format, text }
  return { nano, format: scale.format, text: canonical(nano, scale.format) }
}

/** The quantity rounded to thousandths, away from zero, as pods' resources are. */
export function roundUpToMilli(quantity: Quantity): Quantity {
  const milli = NANO / 1000n
  const rest = quantity.nano % milli
  if (rest === 0n) return quantity
  const nano = quantity.nano - rest + (quantity.nano > 0n ? milli : -milli)
  return { nano, format: quantity.format, text: canonical(nano, quantity.format) }
}

/** True when the text is not a quantity. */
export function isQuantityError(value: Quantity | QuantityError): value is QuantityError {
  return 'error' in value
}

/** The sum (or difference, with `sign` -1), in the family of the first that is not zero, as Go adds. */
export function addQuantities(a: Quantity, b: Quantity, sign: 1 | -1 = 1): Quantity {
  const nano = a.nano + BigInt(sign) * b.nano
  const format = a.nano === 0n ? b.format : a.format
  return { nano, format, text: canonical(nano, format) }
}

type Scale = { readonly format: Quantity['format']; readonly base: 2 | 10; readonly exponent: number }

function scaleOf(suffix: string): Scale | undefined {
  const decimal = own(DECIMAL, suffix)
  if (decimal !== undefined) return { format: 'decimal', base: 10, exponent: decimal }
  const binary = BINARY.indexOf(suffix)
  if (binary > 0) return { format: 'binary', base: 2, exponent: binary * 10 }
  const match = /^[eE]([+-]?\d+)$/.exec(suffix)
  if (match === null) return undefined
  const exponent = Number(match[1])
  return Math.abs(exponent) > MAX_EXPONENT ? undefined : { format: 'exponent', base: 10, exponent }
}

function amountOf(whole: string, denominator: string, scale: Scale): bigint {
  const digits = BigInt(`${whole}${denominator}` || '0')
  if (digits === 0n) return 0n
  const tens = 9 - denominator.length + (scale.base === 10 ? scale.exponent : 0)
  const scaled = scale.base === 2 ? digits * 2n ** BigInt(scale.exponent) : digits
  const amount = tens >= 0 ? scaled * 10n ** BigInt(tens) : divideUp(scaled, 10n ** BigInt(-tens))
  return scale.format === 'binary' && amount > MAX_BINARY ? MAX_BINARY : amount
}

const divideUp = (a: bigint, b: bigint): bigint => (a % b === 0n ? a / b : a / b + 1n)

/** The quick test of the original: few digits, a scale that is a multiple of three, no thousands to shorten. */
function keepsText(whole: string, denominator: string, scale: Scale): boolean {
  const number = whole.replace(/^0+/, '') || '0'
  const digits = number + denominator
  if (scale.format === 'binary')
    return (
      denominator === '' &&
      15 - number.length - Math.floor(scale.exponent * 0.3) - 1 >= 0 &&
      (BigInt(digits) & 7n) !== 0n
    )
  const shift = scale.exponent - denominator.length
  return digits.length <= 18 && shift >= -9 && shift % 3 === 0 && !digits.endsWith('000') && !digits.startsWith('0')
}

function canonical(nano: bigint, wanted: Quantity['format']): string {
  if (nano === 0n) return '0'
  const size = nano < 0n ? -nano : nano
  const isSmall = size < 1024n * NANO || nano % NANO !== 0n
  const sign = nano < 0n ? '-' : ''
  if (wanted === 'binary' && !isSmall) {
    let amount = size / NANO
    let power = 0
    while (amount % 1024n === 0n && power < BINARY.length - 1) {
      amount /= 1024n
      power++
    }
    return `${sign}${amount}${BINARY[power]}`
  }
  const digits = String(size)
  const thousands = Math.floor((digits.length - trimEndOf(digits, '0').length) / 3)
  const amount = digits.slice(0, digits.length - 3 * thousands)
  const exponent = 3 * thousands - 9
  const suffix = wanted === 'exponent' ? undefined : DECIMAL_BY_EXPONENT.get(exponent)
  if (wanted === 'exponent') return exponent === 0 ? `${sign}${amount}` : `${sign}${amount}e${exponent}`
  return suffix === undefined ? `${sign}${amount}e${exponent}` : `${sign}${amount}${suffix}`
}
