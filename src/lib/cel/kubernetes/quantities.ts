import type { Environment } from '@marcbachmann/cel-js'
import { addQuantities, isQuantityError, parseQuantity, type Quantity } from '../../kube/quantity.ts'

/** A quantity while an expression works with it. */
class QuantityValue {
  readonly quantity: Quantity
  /** Whether Go keeps it as a whole number: by how it was written, not by what it is. */
  readonly isWhole: boolean
  constructor(quantity: Quantity, isWhole: boolean) {
    this.quantity = quantity
    this.isWhole = isWhole
  }
}

const NANO = 1_000_000_000n
const LARGEST_INT = 2n ** 63n - 1n

/** @see k8s.io/apiserver/pkg/cel/library quantity.go */
export function withQuantities(environment: Environment): Environment {
  const q = 'kubernetes.Quantity'
  const compare = (a: QuantityValue, b: QuantityValue): bigint =>
    a.quantity.nano < b.quantity.nano ? -1n : a.quantity.nano > b.quantity.nano ? 1n : 0n
  const added = (sign: 1 | -1) => (a: QuantityValue, b: QuantityValue | bigint) => {
    const other = typeof b === 'bigint' ? ofInt(b) : b
    return new QuantityValue(addQuantities(a.quantity, other.quantity, sign), a.isWhole && other.isWhole)
  }
  return environment
    .registerType(q, QuantityValue)
    .registerFunction('isQuantity(string): bool', (text: string) => !isQuantityError(parseQuantity(text)))
    .registerFunction(`quantity(string): ${q}`, readQuantity)
    .registerFunction(`${q}.compareTo(${q}): int`, compare)
    .registerFunction(`${q}.isGreaterThan(${q}): bool`, (a: QuantityValue, b: QuantityValue) => compare(a, b) > 0n)
    .registerFunction(`${q}.isLessThan(${q}): bool`, (a: QuantityValue, b: QuantityValue) => compare(a, b) < 0n)
    .registerFunction(`${q}.sign(): int`, ({ quantity: { nano } }: QuantityValue) =>
      nano < 0n ? -1n : nano > 0n ? 1n : 0n,
    )
    .registerFunction(`${q}.add(${q}): ${q}`, added(1))
    .registerFunction(`${q}.add(int): ${q}`, added(1))
    .registerFunction(`${q}.sub(${q}): ${q}`, added(-1))
    .registerFunction(`${q}.sub(int): ${q}`, added(-1))
    .registerFunction(`${q}.isInteger(): bool`, (a: QuantityValue) => integerOf(a) !== undefined)
    .registerFunction(`${q}.asInteger(): int`, (a: QuantityValue) => {
      const whole = integerOf(a)
      if (whole === undefined) throw new Error('cannot convert value to integer')
      return whole
    })
    .registerOperator(`${q} == ${q}`, (a: QuantityValue, b: QuantityValue) => compare(a, b) === 0n)
    .registerFunction(`${q}.asApproximateFloat(): double`, (a: QuantityValue) => Number(a.quantity.nano) / 1e9)
}

function readQuantity(text: string): QuantityValue {
  const quantity = parseQuantity(text)
  if (isQuantityError(quantity)) throw new Error(quantity.error)
  return new QuantityValue(quantity, isWritten(text))
}

/** Digits that fit an int64 for sure. */
const MOST_DIGITS = 18
/** The same with a binary suffix, before what that takes. */
const MOST_BINARY_DIGITS = 14
const BINARY = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei']
const DECIMAL: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, '': 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 }

/** Whether a quantity is written so that Go reads it as a whole number. @see k8s.io/apimachinery/pkg/api/resource ParseQuantity */
function isWritten(text: string): boolean {
  const [, digits = '', fraction = '', suffix = ''] = /^[+-]?0*(\d*)(?:\.(\d*))?(.*)$/s.exec(text) ?? []
  const power = BINARY.indexOf(suffix)
  if (power > 0) return fraction === '' && digits.length + power * 3 <= MOST_BINARY_DIGITS
  const scale = (DECIMAL[suffix] ?? Number(suffix.slice(1))) - fraction.length
  return scale >= 0 && digits.length + fraction.length <= MOST_DIGITS
}

const ofInt = (value: bigint): QuantityValue =>
  new QuantityValue({ nano: value * NANO, format: 'decimal', text: String(value) }, true)

function integerOf({ quantity: { nano }, isWhole }: QuantityValue): bigint | undefined {
  const whole = nano / NANO
  return isWhole && whole <= LARGEST_INT && whole >= -LARGEST_INT - 1n ? whole : undefined
}
