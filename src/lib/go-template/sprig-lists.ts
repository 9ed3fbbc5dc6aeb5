import {
  boundedList,
  isTrue,
  type GoFunction,
  list,
  MOST_ITEMS,
  number,
  order,
  print,
  same,
  text,
  type Value,
} from './values.ts'

const without: GoFunction = (one, ...cut) => items(one).filter((each) => !cut.some((other) => same(each, other)))
const append: GoFunction = (one, more) => boundedList([...items(one), more])
const prepend: GoFunction = (one, more) => boundedList([more, ...items(one)])
const first: GoFunction = (one) => items(one)[0]
const last: GoFunction = (one) => items(one).at(-1)
const rest: GoFunction = (one) => items(one).slice(1)
const initial: GoFunction = (one) => items(one).slice(0, -1)
const reverse: GoFunction = (one) => [...items(one)].reverse()
const uniq: GoFunction = (one) => distinct(items(one))
const compact: GoFunction = (one) => items(one).filter(isTrue)
const has: GoFunction = (part, one) => list(one).some((each) => same(each, part))
/** Takes the place of Go's own, which knows texts. */
const slice: GoFunction = (one, from, to) => {
  if (typeof one === 'string') throw new Error('list should be type of slice or array but string')
  return items(one).slice(...bounds(items(one).length, from, to))
}
const chunk: GoFunction = (size, one) => chunked(items(one), Math.max(number(size), 1))
const make: GoFunction = (...given) => given

/** Sprig's functions of lists; those with `must` fail where the others end the template, which is the same here. */
export const listFunctions: Readonly<Record<string, GoFunction>> = {
  list: make,
  tuple: make,
  ...{ first, last, rest, initial, reverse, uniq, compact, has, without, append, prepend, slice, chunk, push: append },
  ...{ mustFirst: first, mustLast: last, mustRest: rest, mustInitial: initial, mustReverse: reverse, mustUniq: uniq },
  ...{ mustCompact: compact, mustHas: has, mustWithout: without, mustAppend: append, mustPush: append },
  ...{ mustPrepend: prepend, mustSlice: slice, mustChunk: chunk },
  concat: (...given) => boundedList(given.flatMap(items)),
  sortAlpha: (one) => (Array.isArray(one) ? list(one).map(text).sort(order) : [text(one)]),
  until: (count) => steps(0, number(count), number(count) < 0 ? -1 : 1),
  untilStep: (from, to, step) => steps(number(from), number(to), number(step)),
  seq: (...given) => sequence(given.map(number)),
  any: (...given) => given.some(isTrue),
  all: (...given) => given.every(isTrue),
}

function items(one: Value): readonly Value[] {
  if (!Array.isArray(one)) throw new Error(`cannot use type ${one === undefined ? '<nil>' : typeof one} as a list`)
  return list(one)
}

/** The first of those that are {@link same}. */
function distinct(all: readonly Value[]): readonly Value[] {
  const plain = new Set<Value>()
  const printed = new Set<string>()
  return all.filter((one) => {
    const isObject = typeof one === 'object'
    const before = plain.size + printed.size
    if (isObject) printed.add(print(one))
    else plain.add(one)
    return plain.size + printed.size > before
  })
}

function bounds(length: number, from: Value, to: Value): [number, number] {
  const [start, end] = [number(from), to === undefined ? length : number(to)]
  if (start < 0 || end > length || start > end) throw new Error(`slice bounds out of range [${start}:${end}]`)
  return [start, end]
}

function chunked(all: readonly Value[], size: number): readonly Value[] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, i) => all.slice(i * size, (i + 1) * size))
}

function steps(from: number, to: number, step: number): readonly number[] {
  const length = step === 0 ? 0 : Math.max(Math.ceil((to - from) / step), 0)
  return Array.from({ length: Math.min(length, MOST_ITEMS) }, (_, i) => from + i * step)
}

/** `seq 3`, `seq 2 5`, `seq 1 2 9`, as the command; texts. */
function sequence(given: readonly number[]): string {
  const [start, step, end] =
    given.length === 1 ? [1, undefined, given[0]] : given.length === 2 ? [given[0], undefined, given[1]] : given
  if (start === undefined || end === undefined || given.length > 3) return ''
  const direction = end < start ? -1 : 1
  if (given.length === 3 && direction < 0 && (step ?? 0) > 0) return ''
  return steps(start, end + direction, step ?? direction).join(' ')
}
