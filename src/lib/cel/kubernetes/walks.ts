import type { Environment } from '@marcbachmann/cel-js'
import { sortedBy } from './lists.ts'
import {
  type Call,
  type Checker,
  type Context,
  type Evaluator,
  type Macro,
  macroOfOne,
  nameOf,
  type Node,
} from './macros.ts'
import { entriesOf, isSameValue } from './values.ts'

type Entry = readonly [key: unknown, value: unknown]

/** What a walk answers: `step` says by index, value and what the expressions below gave. */
type Walk = {
  readonly type: 'bool' | 'list<dyn>' | 'map<dyn, dyn>'
  readonly collect: (
    entries: readonly Entry[],
    ask: (entry: Entry) => unknown,
    keep: (entry: Entry) => boolean,
  ) => unknown
}

const ONE: Walk = {
  type: 'bool',
  collect: (entries, ask) => entries.filter((entry) => ask(entry) === true).length === 1,
}

const WALKS: Readonly<Record<string, Walk>> = {
  all: { type: 'bool', collect: (entries, ask) => decided(entries, ask, false) },
  exists: { type: 'bool', collect: (entries, ask) => decided(entries, ask, true) },
  existsOne: ONE,
  exists_one: ONE,
  transformList: { type: 'list<dyn>', collect: (entries, ask, keep) => entries.filter(keep).map(ask) },
  transformMap: {
    type: 'map<dyn, dyn>',
    collect: (entries, ask, keep) => new Map(entries.filter(keep).map((entry) => [entry[0], ask(entry)])),
  },
  transformMapEntry: {
    type: 'map<dyn, dyn>',
    collect: (entries, ask, keep) => joined(entries.filter(keep).flatMap((entry) => entriesOf(ask(entry)))),
  },
}

/**
 * The walks over lists and maps that name the index or key, too: `l.all(i, v, …)`, `m.transformList(k, v, …)`.
 *
 * @see https://pkg.go.dev/github.com/google/cel-go/ext#TwoVarComprehensions
 */
export function withWalks(environment: Environment): Environment {
  let next = environment.registerFunction('list.sortBy(ast, ast): list<dyn>', sortBy)
  for (const [name, walk] of Object.entries(WALKS)) {
    next = next.registerFunction(`list.${name}(ast, ast, ast): dyn`, macroOf(walk))
    if (name.startsWith('transform'))
      next = next.registerFunction(`list.${name}(ast, ast, ast, ast): dyn`, macroOf(walk))
  }
  return next
}

function joined(entries: readonly Entry[]): Map<unknown, unknown> {
  const map = new Map<unknown, unknown>()
  for (const [key, value] of entries) {
    if ([...map.keys()].some((other) => isSameValue(key, other)))
      throw new Error(`insert failed: key ${String(key)} already exists`)
    map.set(key, value)
  }
  return map
}

/** Sorts a list by what an expression says of each item. */
const sortBy = macroOfOne('list<dyn>', (list, ask) => {
  if (!Array.isArray(list)) throw new Error('no such overload: sortBy(list)')
  return sortedBy(list, list.map(ask))
})

function macroOf({ type, collect }: Walk): (call: Call) => Macro {
  return ({ args, receiver }) => {
    const [first, second] = args.map(nameOf)
    const body = args.at(-1)
    const filter = args.length > 3 ? args[2] : undefined
    let outer: Context
    let inner: Context
    return {
      typeCheck(checker: Checker, _macro: object, context: Context) {
        checker.check(receiver, context)
        const dyn = checker.getType('dyn')
        outer = context.forkWithVariable(first ?? '', dyn)
        inner = outer.forkWithVariable(second ?? '', dyn)
        if (filter !== undefined) checker.check(filter, inner)
        if (body !== undefined) checker.check(body, inner)
        return checker.getType(type)
      },
      evaluate(evaluator: Evaluator, _macro: object, context: Context) {
        const ask =
          (node: Node | undefined) =>
          (entry: Entry): unknown => {
            const here = inner.reuse(outer.reuse(context).setIterValue(entry[0], evaluator))
            return node === undefined ? undefined : evaluator.run(node, here.setIterValue(entry[1], evaluator))
          }
        const keep = ask(filter)
        return collect(entriesOf(evaluator.run(receiver, context)), ask(body), (entry) =>
          filter === undefined ? true : keep(entry) === true,
        )
      },
    }
  }
}

/** The first answer that decides, whatever fails before it; else the first failure. */
function decided(entries: readonly Entry[], ask: (entry: Entry) => unknown, by: boolean): boolean {
  let failure: unknown
  for (const entry of entries) {
    try {
      if (ask(entry) === by) return by
    } catch (error) {
      failure ??= error
    }
  }
  if (failure !== undefined) throw failure
  return !by
}
