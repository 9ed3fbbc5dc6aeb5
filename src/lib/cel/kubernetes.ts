import type { Environment } from '@marcbachmann/cel-js'
import { addQuantities, isQuantityError, parseQuantity, type Quantity } from '../kube/quantity.ts'
import { withNetwork } from './kubernetes-net.ts'
import { withTexts } from './kubernetes-text.ts'
import { withTwoVariables } from './two-variables.ts'
import { compileRegexp } from '../go-regexp/go-regexp.ts'

/** A quantity while an expression works with it. */
class QuantityValue {
  readonly quantity: Quantity
  constructor(quantity: Quantity) {
    this.quantity = quantity
  }
}

const NANO = 1_000_000_000n
const LARGEST_INT = 2n ** 63n - 1n

/**
 * The functions that Kubernetes adds to CEL: quantities, lists, texts, sets, versions, addresses, URLs.
 *
 * @see https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-cel-libraries
 */
export function withKubernetes(environment: Environment): Environment {
  return withTwoVariables(withNetwork(withTexts(withLists(withRegexps(withQuantities(environment))))))
}

function withQuantities(environment: Environment): Environment {
  const q = 'kubernetes.Quantity'
  const compare = (a: QuantityValue, b: QuantityValue): bigint =>
    a.quantity.nano < b.quantity.nano ? -1n : a.quantity.nano > b.quantity.nano ? 1n : 0n
  const added = (sign: 1 | -1) => (a: QuantityValue, b: QuantityValue | bigint) =>
    new QuantityValue(addQuantities(a.quantity, typeof b === 'bigint' ? ofInt(b) : b.quantity, sign))
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
    .registerFunction(`${q}.asApproximateFloat(): double`, (a: QuantityValue) => Number(a.quantity.nano) / 1e9)
}

function readQuantity(text: string): QuantityValue {
  const quantity = parseQuantity(text)
  if (isQuantityError(quantity)) throw new Error(quantity.error)
  return new QuantityValue(quantity)
}

const ofInt = (value: bigint): Quantity => ({ nano: value * NANO, format: 'decimal', text: String(value) })

function integerOf({ quantity: { nano } }: QuantityValue): bigint | undefined {
  const whole = nano / NANO
  return nano % NANO === 0n && whole <= LARGEST_INT && whole >= -LARGEST_INT - 1n ? whole : undefined
}

/** Leftmost match by Go's rules, '' where there is none. */
function withRegexps(environment: Environment): Environment {
  return environment.registerFunction('string.find(string): string', (text: string, pattern: string) => {
    const [from = -1, to = -1] = compileRegexp(pattern).find(text)?.slots ?? []
    return from < 0 ? '' : text.slice(from, to)
  })
}

/** What `lists.range` is asked of. */
class ListsNamespace {}
/** The most items that an expression may make of nothing. */
const MOST_ITEMS = 100_000n

type Ordered = bigint | number | string

function withLists(environment: Environment): Environment {
  const best = (name: string, isBetter: (a: Ordered, b: Ordered) => boolean) => (list: readonly Ordered[]) => {
    const [first, ...others] = list
    if (first === undefined) throw new Error(`${name} called on empty list`)
    return others.reduce((kept, each) => (isBetter(each, kept) ? each : kept), first)
  }
  // What is least, most or the sum is of the items' type, which nobody knows of a value from outside.
  return environment
    .registerType('ListsNamespace', ListsNamespace)
    .registerConstant('lists', 'ListsNamespace', new ListsNamespace())
    .registerFunction('ListsNamespace.range(int): list<int>', (_lists: ListsNamespace, length: bigint) => {
      if (length > MOST_ITEMS) throw new Error(`lists.range of more than ${MOST_ITEMS} items`)
      return Array.from({ length: Math.max(0, Number(length)) }, (_each, index) => BigInt(index))
    })
    .registerFunction('list<A>.reverse(): list<A>', (list: readonly Ordered[]) => [...list].reverse())
    .registerFunction('list<A>.isSorted(): bool', (list: readonly Ordered[]) =>
      list.every((each, index) => index === 0 || (list[index - 1] ?? each) <= each),
    )
    .registerFunction(
      'list.min(): dyn',
      best('min', (a, b) => a < b),
    )
    .registerFunction(
      'list.max(): dyn',
      best('max', (a, b) => a > b),
    )
    .registerFunction('list.sum(): dyn', (list: readonly (bigint | number)[]) =>
      list.every((each) => typeof each === 'bigint')
        ? list.reduce((sum, each) => sum + each, 0n)
        : list.reduce((sum: number, each) => sum + Number(each), 0),
    )
    .registerFunction('list<A>.slice(int, int): list<A>', (list: readonly Ordered[], from: bigint, to: bigint) => {
      if (from < 0n || to > BigInt(list.length) || from > to) throw new Error(`cannot slice(${from}, ${to})`)
      return list.slice(Number(from), Number(to))
    })
    .registerFunction('list<A>.sort(): list<A>', (list: readonly Ordered[]) =>
      [...list].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0)),
    )
    .registerFunction('list<A>.distinct(): list<A>', (list: readonly Ordered[]) =>
      list.filter((each, index) => list.findIndex((other) => isSame(each, other)) === index),
    )
    .registerFunction('list<A>.indexOf(A): int', (list: readonly Ordered[], wanted: Ordered) =>
      BigInt(list.findIndex((each) => isSame(each, wanted))),
    )
    .registerFunction('list<A>.lastIndexOf(A): int', (list: readonly Ordered[], wanted: Ordered) =>
      BigInt(list.findLastIndex((each) => isSame(each, wanted))),
    )
}

/** A whole number may be an int or a double, by where it came from. */
const isSame = (a: Ordered, b: Ordered): boolean =>
  a === b || (typeof a !== 'string' && typeof b !== 'string' && Number(a) === Number(b))
