import { trimEndOf } from '../../../lib/value/trim-end.ts'
const LONGEST_EXACT_DIGITS = 18
const BINARY_EXPONENTS: Record<string, number> = { Ki: 10, Mi: 20, Gi: 30, Ti: 40, Pi: 50, Ei: 60 }
const DECIMAL_EXPONENTS: Record<string, number> = { n: -9, u: -6, m: -3, '': 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 }
const MAX_INT64 = 2n ** 63n - 1n
const NANO_SCALE = 9

type Parts = { readonly whole: string; readonly fraction: string; readonly suffix: string }
type Reading = { readonly format: string; readonly exponent: number }

/** A quantity that nobody gave. */
export const NO_QUANTITY = dump(0n, 0, undefined, '', '')

/** A resource quantity as Go's `resource.Quantity` prints field by field; `undefined` when the text is no quantity. */
export function dumpQuantity(text: string): string | undefined {
  if (text === '0') return dump(0n, 0, undefined, '0', 'DecimalSI')
  const parts = /^([+-]?)(\d*)(?:\.(\d*))?((?!\d)[A-Za-z]*(?:[+-]?\d+)?)$/.exec(text)
  if (!parts) return undefined
  const [, sign = '', rawWhole = '', rawFraction = '', suffix = ''] = parts
  const reading = readSuffix(suffix)
  if (!reading || rawWhole + rawFraction === '') return undefined
  // Go drops leading zeros of the whole part and trailing ones of the fraction before it counts digits.
  const whole = rawWhole.replace(/^0+/, '') || '0'
  const fraction = trimEndOf(rawFraction, '0')
  const factor = sign === '-' ? -1n : 1n
  return (
    exact(text, { whole, fraction, suffix }, reading, factor) ?? dumpLarge({ whole, fraction, suffix }, reading, factor)
  )
}

function readSuffix(suffix: string): Reading | undefined {
  const binary = BINARY_EXPONENTS[suffix]
  if (binary !== undefined) return { format: 'BinarySI', exponent: binary }
  const decimal = DECIMAL_EXPONENTS[suffix]
  if (decimal !== undefined) return { format: 'DecimalSI', exponent: decimal }
  const power = /^[eE]([+-]?\d+)$/.exec(suffix)?.[1]
  return power === undefined ? undefined : { format: 'DecimalExponent', exponent: Number(power) }
}

/** The form in a 64-bit number with a scale, where there is one. */
function exact(text: string, { whole, fraction }: Parts, reading: Reading, factor: bigint): string | undefined {
  const { format, exponent } = reading
  const isBinary = format === 'BinarySI'
  const digits = whole.length + fraction.length
  const spare = isBinary
    ? fraction === ''
      ? 15 - whole.length - Math.trunc((exponent * 3) / 10) - 1
      : -1
    : LONGEST_EXACT_DIGITS - digits
  const scale = (isBinary ? 0 : exponent) - fraction.length
  if (spare < 0 || scale < -NANO_SCALE) return undefined
  const shifted = whole + fraction
  const value = BigInt(shifted)
  const result = value * (isBinary ? 2n ** BigInt(exponent) : 1n) * factor
  if (result > MAX_INT64 || result < -MAX_INT64) return undefined
  const isCanonical = isBinary
    ? exponent % 10 === 0 && (value & 7n) !== 0n
    : scale % 3 === 0 && !shifted.endsWith('000') && !shifted.startsWith('0')
  return dump(result, scale, undefined, isCanonical ? text : '', format)
}

/** The form in a decimal of any size, in billionths; powers of two end at the largest number of 64 bits. */
function dumpLarge({ whole, fraction }: Parts, { format, exponent }: Reading, factor: bigint): string {
  const power = format === 'BinarySI' ? 0 : exponent
  const multiplier = format === 'BinarySI' ? 2n ** BigInt(exponent) : 1n
  const scale = NANO_SCALE + power - fraction.length
  let unscaled = BigInt(whole + fraction) * multiplier
  if (scale >= 0) unscaled *= 10n ** BigInt(scale)
  else unscaled = (unscaled + 10n ** BigInt(-scale) - 1n) / 10n ** BigInt(-scale)
  if (format === 'BinarySI' && unscaled > MAX_INT64 * 10n ** BigInt(NANO_SCALE))
    return dump(0n, 0, { unscaled: MAX_INT64, scale: 0, isNegative: factor < 0n }, '', format)
  const isTiny = format === 'BinarySI' && unscaled > 0n && unscaled < 10n ** BigInt(NANO_SCALE)
  return dump(0n, 0, { unscaled, scale: NANO_SCALE, isNegative: factor < 0n }, '', isTiny ? 'DecimalSI' : format)
}

function dump(
  value: bigint,
  scale: number,
  large: { readonly unscaled: bigint; readonly scale: number; readonly isNegative: boolean } | undefined,
  text: string,
  format: string,
): string {
  const decimal = large
    ? `{unscaled:(big.Int){neg:(bool)${large.isNegative} abs:(big.nat)[${words(large.unscaled)}]} scale:(inf.Scale)${large.scale}}`
    : '<nil>'
  return (
    `{i:(resource.int64Amount){value:(int64)${value} scale:(resource.Scale)${scale}} ` +
    `d:(resource.infDecAmount){Dec:(*inf.Dec)${decimal}} s:(string)${text} Format:(resource.Format)${format}}`
  )
}

function words(value: bigint): string {
  const found: bigint[] = []
  for (let rest = value; rest > 0n; rest >>= 64n) found.push(rest & (2n ** 64n - 1n))
  return found.join(' ')
}
