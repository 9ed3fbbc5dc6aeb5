import type { Environment } from '@marcbachmann/cel-js'
import { compareValues, isDuration, isSameValue, kindOf } from './values.ts'

/** What `lists.range` is asked of. */
class ListsNamespace {}
/** The most items that an expression may make of nothing. */
const MOST_ITEMS = 100_000n

type List = readonly unknown[]

/**
 * What is least, most or the sum is of the items' type, which nobody knows of a value from outside.
 *
 * @see k8s.io/apiserver/pkg/cel/library lists.go
 * @see github.com/google/cel-go/ext lists.go
 */
export function withLists(environment: Environment): Environment {
  const best = (name: string, sign: 1 | -1) => (list: List) => {
    if (list.length === 0) throw new Error(`${name} called on empty list`)
    checkOrder(list, name)
    return list.reduce((kept, each) => (sign * compareValues(each, kept) > 0 ? each : kept))
  }
  return environment
    .registerType('ListsNamespace', ListsNamespace)
    .registerConstant('lists', 'ListsNamespace', new ListsNamespace())
    .registerFunction('ListsNamespace.range(int): list<int>', (_lists: ListsNamespace, length: bigint) => {
      if (length < 0n) throw new Error(`lists.range: size must be non-negative, got ${length}`)
      if (length > MOST_ITEMS) throw new Error(`lists.range of more than ${MOST_ITEMS} items`)
      return Array.from({ length: Number(length) }, (_each, index) => BigInt(index))
    })
    .registerFunction('list<A>.reverse(): list<A>', (list: List) => [...list].reverse())
    .registerFunction('list.isSorted(): bool', (list: List) => {
      checkOrder(list, 'isSorted')
      return list.every((each, index) => index === 0 || compareValues(list[index - 1], each) <= 0)
    })
    .registerFunction('list.min(): dyn', best('min', -1))
    .registerFunction('list.max(): dyn', best('max', 1))
    .registerFunction('list.sum(): dyn', total)
    .registerFunction('list<A>.slice(int, int): list<A>', (list: List, from: bigint, to: bigint) => {
      if (from < 0n || to > BigInt(list.length) || from > to) throw new Error(`cannot slice(${from}, ${to})`)
      return list.slice(Number(from), Number(to))
    })
    .registerFunction('list<A>.sort(): list<A>', (list: List) => sortedBy(list, list))
    .registerFunction('list<A>.distinct(): list<A>', (list: List) =>
      list.filter((each, index) => list.findIndex((other) => isSameValue(each, other)) === index),
    )
    .registerFunction('list.flatten(): list<dyn>', (list: List) => list.flat(1))
    .registerFunction('list.flatten(int): list<dyn>', (list: List, depth: bigint) => {
      if (depth < 0n) throw new Error('level must be non-negative')
      return list.flat(Number(depth))
    })
    .registerFunction('list.indexOf(dyn): int', (list: List, wanted: unknown) =>
      BigInt(list.findIndex((each) => isSameValue(each, wanted))),
    )
    .registerFunction('list.lastIndexOf(dyn): int', (list: List, wanted: unknown) =>
      BigInt(list.findLastIndex((each) => isSameValue(each, wanted))),
    )
}

/** Kinds of values that stand in an order. */
const ORDERED = new Set(['bool', 'bytes', 'double', 'duration', 'int', 'string', 'timestamp', 'uint'])

function checkOrder(list: List, name: string): void {
  if (!list.every((each) => ORDERED.has(kindOf(each)))) throw new Error(`no such overload: ${name}(list)`)
}

/** The items in the order of their keys, the same index each. @throws Error for keys that have none, and of two kinds */
export function sortedBy(list: List, keys: List): unknown[] {
  if (!keys.every((each) => ORDERED.has(kindOf(each)))) throw new Error('list elements must be comparable')
  if (new Set(keys.map(kindOf)).size > 1) throw new Error('list elements must have the same type')
  const places = keys.map((_, index) => index).sort((a, b) => compareValues(keys[a], keys[b]) || a - b)
  return places.map((index) => list[index])
}

function total(list: List): unknown {
  const kinds = new Set(list.map(kindOf))
  if (kinds.size === 0) return 0n
  if (list.every(isDuration)) return list.reduce((sum, each) => sum.addDuration(each))
  if (![...kinds].every((kind) => kind === 'int' || kind === 'uint' || kind === 'double'))
    throw new Error('no such overload: sum(list)')
  const whole = (each: unknown): bigint => BigInt(String(each))
  if (!kinds.has('double')) return list.reduce((sum: bigint, each) => sum + whole(each), 0n)
  return list.reduce((sum: number, each) => sum + Number(each), 0)
}
