import { added, BOUNDLESS, costOf, exactly, known, multiplied, PER_LETTER, PER_REGEXP_LETTER, product } from './size.ts'
import { readingOf, type Size, sum } from './size.ts'
import { type CelShape, mayBe, type Node, sizeAt, type Worth } from './worth.ts'
import { own } from '../../value/own.ts'

/** What a call costs besides its arguments, and how large its answer is. */
export type CallWorth = { readonly cost: number; readonly size?: Size | undefined }

type Estimate = (args: readonly Worth[], target: Worth | undefined, shape: CelShape) => CallWorth | undefined

/** What it costs to make a list. */
export const LIST_COST = 10
/** Letters that a regular expression of a named format has at most. */
const FORMAT_LETTERS = 128

const reads =
  (times = 1): Estimate =>
  ([first]) => ({ cost: readingOf(first?.size, times * PER_LETTER) })

const readsTarget: Estimate = (_args, target) => ({ cost: readingOf(target?.size), size: known(target?.size) })

const compares: Estimate = (_args, target, shape) => {
  const size = known(target?.size)
  const type = target?.node.checkedType
  if (type?.kind !== 'list') return { cost: type?.kind === 'dyn' ? size.most : costOf(size.most, PER_LETTER) }
  const isText = type.valueType?.name === 'string' || type.valueType?.name === 'bytes'
  return {
    cost: product(
      size.most,
      isText ? sum(1, readingOf(target === undefined ? undefined : sizeOfItems(target, shape))) : 1,
    ),
  }
}

const matches =
  (regexp: (args: readonly Worth[]) => Worth | undefined): Estimate =>
  (args, target) => {
    const text = known((target ?? args[0])?.size)
    const letters = readingOf(regexp(args)?.size, PER_REGEXP_LETTER)
    return { cost: product(costOf(sum(text.most, 1), PER_LETTER), letters), size: { least: 0, most: text.most } }
  }

/** Calls of Kubernetes' own functions, whatever they are called on. @see k8s.io/apiserver/pkg/cel/library/cost.go */
const BY_NAME: Readonly<Record<string, Estimate>> = {
  ...Object.fromEntries(
    ['isSorted', 'sum', 'max', 'min', 'indexOf', 'lastIndexOf', 'includes'].map((name) => [name, compares]),
  ),
  ...Object.fromEntries(['lowerAscii', 'upperAscii', 'substring', 'trim'].map((name) => [name, readsTarget])),
  ...Object.fromEntries(
    ['cidr', 'isIP', 'isCIDR', 'quantity', 'isQuantity', 'semver', 'isSemver'].map((name) => [name, reads()]),
  ),
  url: ([text]) => ({ cost: readingOf(text?.size), size: known(text?.size) }),
  ip: (args, target) => (target === undefined ? reads()(args, target, { most: 0 }) : { cost: 1 }),
  'ip.isCanonical': reads(2),
  replace: (args, target) => ({ cost: readingOf(target?.size, 2 * PER_LETTER), size: replaced(args, target) }),
  split: (args, target) => {
    const limit = literalOf(args[1])
    const most = typeof limit === 'bigint' ? Number(limit) : known(target?.size).most
    return { cost: readingOf(target?.size, 2 * PER_LETTER), size: { least: 0, most } }
  },
  join: (args, target, shape) => {
    const size = joined(args[0], target, shape)
    return { cost: readingOf(size), size }
  },
  find: matches(([regexp]) => regexp),
  findAll: matches(([regexp]) => regexp),
  containsIP: ([other]) => ({ cost: sum(4, textOf(other)) }),
  containsCIDR: ([other]) => ({ cost: sum(4, 2, 1, textOf(other)) }),
  validate: ([text]) => ({ cost: costOf(readingOf(text?.size), FORMAT_LETTERS * PER_REGEXP_LETTER) }),
  // @see github.com/google/cel-go/ext lists.go, sets.go
  'lists.range': ([count]) => madeList(1, exactly(numberOf(count, BOUNDLESS))),
  slice: ([from, to], target) =>
    madeList(1, exactly(Math.max(0, numberOf(to, known(target?.size).most) - numberOf(from, 0)))),
  reverse: (_args, target) => (target?.node.checkedType?.kind === 'list' ? madeList(1, known(target.size)) : undefined),
  flatten: ([depth], target) => madeList(depth === undefined ? 1 : numberOf(depth, BOUNDLESS), known(target?.size)),
  distinct: (_args, target) => madeList(2, squared(target)),
  sort: (_args, target) =>
    madeList(mayBe(target?.node.checkedType?.valueType, 'string', 'bytes') ? 2 + PER_LETTER : 2, squared(target)),
  'sets.contains': compareSets(1),
  'sets.intersects': compareSets(1),
  'sets.equivalent': compareSets(2),
  // @see github.com/google/cel-go/checker cost.go
  format: (_args, target) => ({ cost: readingOf(target?.size) }),
  'strings.quote': ([text]) => {
    const { least, most } = known(text?.size)
    return { cost: readingOf(text?.size), size: { least: least + 2, most: sum(most, most, 2) } }
  },
  bytes: ([text]) => {
    const { least, most } = known(text?.size)
    return mayBe(text?.node.checkedType, 'string')
      ? { cost: readingOf(text?.size), size: { least, most: product(most, 4) } }
      : undefined
  },
  string: ([value]) => {
    const { least, most } = known(value?.size)
    return mayBe(value?.node.checkedType, 'bytes')
      ? { cost: Math.max(1, readingOf(value?.size)), size: { least: Math.floor(least / 4), most } }
      : undefined
  },
  startsWith: reads(),
  endsWith: reads(),
  matches: (args, target) => ({ cost: matches((each) => each.at(-1))(args, target, { most: 0 })?.cost ?? 1 }),
  contains: ([part], target) => ({ cost: product(readingOf(target?.size), readingOf(part?.size)) }),
}

/** What a call of a function costs besides its arguments. */
export function costOfCall(
  name: string,
  args: readonly Worth[],
  target: Worth | undefined,
  shape: CelShape,
): CallWorth {
  return own(BY_NAME, name)?.(args, target, shape) ?? { cost: 1 }
}

function replaced([from, to]: readonly Worth[], target: Worth | undefined): Size {
  const [size, old, fresh] = [known(target?.size), known(from?.size), known(to?.size)]
  let most = { times: 0, kept: size.most }
  if (old.least === 0) most = { times: sum(size.most, 1), kept: size.most }
  else if (fresh.most > old.least) most = { times: Math.ceil(size.most / old.least), kept: 0 }
  let least = { times: 0, kept: size.least }
  if (old.most === 0) least = { times: sum(size.least, 1), kept: size.least }
  else if (old.most > fresh.least) least = { times: Math.ceil(size.least / old.most), kept: 0 }
  return {
    least: sum(product(least.times, fresh.least), least.kept),
    most: sum(product(most.times, fresh.most), most.kept),
  }
}

function joined(separator: Worth | undefined, target: Worth | undefined, shape: CelShape): Size {
  const list = known(target?.size)
  const texts = multiplied(list, known(target === undefined ? undefined : sizeOfItems(target, shape)))
  if (separator === undefined) return texts
  const gaps = { least: Math.max(0, list.least - 1), most: Math.max(0, list.most - 1) }
  return added(texts, multiplied(known(separator.size), gaps))
}

/** Only what comes from `self` says how large its items are. */
const sizeOfItems = ({ path }: Worth, shape: CelShape): Size | undefined =>
  path.length === 0 ? undefined : sizeAt([...path, '@items'], shape)

const squared = (list: Worth | undefined): Size => multiplied(known(list?.size), known(list?.size))

const madeList = (perItem: number, size: Size): CallWorth => ({
  cost: sum(costOf(size.most, perItem), 1, LIST_COST),
  size,
})

function compareSets(factor: number): Estimate {
  return ([a, b]) => ({ cost: sum(costOf(product(known(a?.size).most, known(b?.size).most), factor), 1) })
}

/** A text must be parsed first. */
const textOf = (value: Worth | undefined): number =>
  value?.node.checkedType?.name === 'string' ? readingOf(value.size) : 0

const literalOf = (worth: Worth | undefined): unknown => (worth?.node.op === 'value' ? worth.node.args : undefined)

function numberOf(worth: Worth | undefined, otherwise: number): number {
  const value = literalOf(worth)
  return typeof value === 'bigint' && value >= 0n ? Number(value) : otherwise
}

/** What an operator between two values costs besides them. */
export function costOfOperator(op: string, left: Worth, right: Worth): CallWorth {
  const [a, b] = [left.node.checkedType, right.node.checkedType]
  const areTexts = areBoth('string', left.node, right.node) || areBoth('bytes', left.node, right.node)
  switch (op) {
    case '==':
    case '!=':
      return { cost: isPlain(a?.name) && a?.name === b?.name ? 1 : costOfEquality(left, right) }
    case '<':
    case '<=':
    case '>':
    case '>=':
      return { cost: areTexts ? Math.max(isSurely(a) ? 0 : 1, costOfEquality(left, right)) : 1 }
    case 'in':
      return { cost: mayBe(b, 'list') ? known(right.size).most : 1 }
    case '+': {
      const size = added(known(left.size), known(right.size))
      if (areTexts) return { cost: Math.max(isSurely(a) ? 0 : 1, readingOf(size)), size }
      return areBoth('list', left.node, right.node) ? { cost: 1, size } : { cost: 1 }
    }
    default:
      return { cost: 1 }
  }
}

/** Values that are compared at once, however they are written. */
const PLAIN = ['kubernetes.Quantity', 'net.IP', 'net.CIDR', 'kubernetes.Semver']
const isPlain = (name: string | undefined): boolean => name !== undefined && PLAIN.includes(name)

const areBoth = (name: string, left: Node, right: Node): boolean =>
  mayBe(left.checkedType, name) && mayBe(right.checkedType, name)

const isSurely = (type: Node['checkedType']): boolean => type?.name === 'string' || type?.name === 'bytes'

const costOfEquality = (left: Worth, right: Worth): number =>
  costOf(Math.min(known(left.size).most, known(right.size).most), PER_LETTER)
