import { costOfCall, costOfOperator, LIST_COST, type CallWorth } from './calls.ts'
import { either, exactly, known, product, type Size, sum } from './size.ts'
import { type CelShape, type Entries, type Node, sizeAt, sizeOfType, type Worth } from './worth.ts'
import { own } from '../../value/own.ts'

/** What is known of a name that the expression itself gave. */
type Local = {
  readonly path: readonly string[]
  readonly size?: Size | undefined
  readonly entries?: Entries | undefined
}
type Scope = { readonly shape: CelShape; readonly locals: ReadonlyMap<string, Local> }

const MAP_COST = 30
/** Names that functions are called on, which are no values. */
const LIBRARIES = ['sets', 'lists', 'strings', 'format', 'optional', 'ip', 'math']

/**
 * The most that an expression costs in the units of cel-go, which are about 50 ns each; BOUNDLESS when nothing bounds it.
 *
 * @param node a checked expression
 * @param shape what `self` may be like
 * @see github.com/google/cel-go/checker cost.go
 */
export function estimateCost(node: Node, shape: CelShape): number {
  return worthOf(node, { shape, locals: new Map() }).cost
}

function worthOf(node: Node, scope: Scope): Worth {
  const { args } = node
  switch (node.op) {
    case 'value':
      return { node, cost: 0, path: [], size: sizeOfLiteral(args) }
    case 'id':
      return worthOfName(node, String(args), scope)
    case '.':
      return worthOfField(node, args as [Node, string], scope)
    case '[]':
      return worthOfItem(node, args as [Node, Node], scope)
    case '.?':
    case '[?]':
      return worthOfOptional(node, args as [Node, Node | string], scope)
    case 'call':
      return worthOfCall(node, undefined, ...(args as [string, Node[]]), scope)
    case 'rcall': {
      const [name, receiver, given] = args as [string, Node, Node[]]
      return worthOfMethod(node, name, receiver, given, scope)
    }
    case 'list':
      return worthOfList(node, args as Node[], scope)
    case 'map':
      return worthOfMap(node, args as [Node, Node][], scope)
    case '?:':
      return worthOfChoice(node, args as [Node, Node, Node], scope)
    default:
      return worthOfOperation(node, scope)
  }
}

function sizeOfLiteral(value: unknown): Size {
  if (typeof value === 'string') return exactly([...value].length)
  return exactly(value instanceof Uint8Array ? value.length : 1)
}

/** A value with its size: by the place that it is from, by its type, or as the name says. */
function sized(worth: Omit<Worth, 'size'>, { shape }: Scope, size?: Size): Worth {
  return { ...worth, size: sizeAt(worth.path, shape) ?? sizeOfType(worth.node.checkedType) ?? size }
}

function worthOfName(node: Node, name: string, scope: Scope): Worth {
  const local = scope.locals.get(name)
  return sized({ node, cost: 1, path: local?.path ?? [name], entries: local?.entries }, scope, local?.size)
}

function worthOfField(node: Node, [of, field]: readonly [Node, string], scope: Scope): Worth {
  const operand = worthOf(of, scope)
  const kind = of.checkedType?.kind ?? 'message'
  const cost = sum(operand.cost, ['map', 'message', 'param'].includes(kind) ? 1 : 0)
  return sized({ node, cost, path: [...operand.path, field] }, scope)
}

function worthOfItem(node: Node, [of, index]: readonly [Node, Node], scope: Scope): Worth {
  const [list, at] = [worthOf(of, scope), worthOf(index, scope)]
  const kind = list.entries?.kind ?? of.checkedType?.kind
  const path = [...list.path, kind === 'list' ? '@items' : '@values']
  const worth = sized({ node, cost: sum(list.cost, at.cost, 1), path }, scope)
  return { ...worth, size: list.entries?.value ?? worth.size }
}

function worthOfOptional(node: Node, [of, step]: readonly [Node, Node | string], scope: Scope): Worth {
  const at = typeof step === 'string' ? 0 : worthOf(step, scope).cost
  return sized({ node, cost: sum(worthOf(of, scope).cost, at, 1), path: [] }, scope)
}

function worthOfCall(node: Node, target: Worth | undefined, name: string, args: readonly Node[], scope: Scope): Worth {
  if (name === 'has') return worthOfTest(node, args[0], scope)
  const given = args.map((each) => worthOf(each, scope))
  const [first] = given
  if (name === 'dyn' && first !== undefined) return { ...first, node, cost: sum(first.cost, 1), path: [] }
  const call = costOfCall(name, given, target, scope.shape)
  return called(node, call, [...given, ...(target === undefined ? [] : [target])], scope)
}

function called(node: Node, { cost, size }: CallWorth, parts: readonly Worth[], scope: Scope): Worth {
  const worth = sized({ node, cost: sum(cost, ...parts.map((part) => part.cost)), path: [] }, scope)
  return { ...worth, size: size ?? worth.size }
}

/** Whether a field is there costs what it takes to come to it. */
function worthOfTest(node: Node, tested: Node | undefined, scope: Scope): Worth {
  const of = tested === undefined ? undefined : (tested.args as [Node, string])[0]
  return sized({ node, cost: of === undefined ? 0 : worthOf(of, scope).cost, path: [] }, scope)
}

function worthOfMethod(node: Node, name: string, receiver: Node, args: readonly Node[], scope: Scope): Worth {
  const library = receiver.op === 'id' && typeof receiver.args === 'string' ? receiver.args : ''
  if (name === 'bind' && library === 'cel') return worthOfBinding(node, args, scope)
  if (LIBRARIES.includes(library) && !scope.locals.has(library))
    return worthOfCall(node, undefined, `${library}.${name}`, args, scope)
  const target = worthOf(receiver, scope)
  const walk = own(WALKS, name)
  const isWalk = walk !== undefined && args.length > 1 && args[0]?.op === 'id'
  return isWalk ? worthOfWalk(node, name, target, args, scope) : worthOfCall(node, target, name, args, scope)
}

/** The value is computed at most once, by a walk over nothing. */
function worthOfBinding(node: Node, [name, value, body]: readonly Node[], scope: Scope): Worth {
  if (name === undefined || value === undefined || body === undefined) return { node, cost: 0, path: [] }
  const bound = worthOf(value, scope)
  const result = worthOf(body, withLocals(scope, [[String(name.args), bound]]))
  return { ...result, node, path: [], cost: sum(LIST_COST, bound.cost, result.cost) }
}

const withLocals = (scope: Scope, locals: readonly (readonly [string, Local])[]): Scope => ({
  ...scope,
  locals: new Map([...scope.locals, ...locals]),
})

/** A walk over a list or map: what it costs beside the body, once and each time, and whether it makes a list or map. */
type Walk = { readonly once: number; readonly each: number; readonly makes?: 'list' | 'map' }

/** As the macros of cel-go are written out: the test whether to go on, the step with its accumulator, the result. */
const WALKS: Readonly<Record<string, Walk>> = {
  all: { once: 1, each: 3 },
  exists: { once: 1, each: 4 },
  exists_one: { once: 2, each: 2 },
  existsOne: { once: 2, each: 2 },
  map: { once: LIST_COST + 1, each: 2 + LIST_COST, makes: 'list' },
  filter: { once: LIST_COST + 1, each: 3 + LIST_COST, makes: 'list' },
  transformList: { once: LIST_COST + 1, each: 2 + LIST_COST, makes: 'list' },
  transformMap: { once: MAP_COST + 1, each: 3, makes: 'map' },
  transformMapEntry: { once: MAP_COST + 1, each: 2, makes: 'map' },
}

function worthOfWalk(node: Node, name: string, range: Worth, args: readonly Node[], scope: Scope): Worth {
  const walk = own(WALKS, name) ?? { once: 0, each: 0 }
  const isNamedTwice = args.length > 2 && name !== 'map'
  const names = args.slice(0, isNamedTwice ? 2 : 1).map((each) => String(each.args))
  const inner = withLocals(scope, isNamedTwice ? bothOf(names, range) : [[names[0] ?? '', walkedOf(range)]])
  const bodies = args.slice(names.length).map((each) => worthOf(each, inner))
  const each = sum(walk.each, ...bodies.map(({ cost }) => cost))
  const size = known(range.size)
  const cost = sum(range.cost, walk.once, product(size.most, each))
  if (walk.makes === undefined) return { node, cost, path: [], size: exactly(1) }
  const item = name === 'filter' ? worthOfName(node, names[0] ?? '', inner) : bodies.at(-1)
  const value = either(exactly(0), known(item?.size))
  const entries = walk.makes === 'list' ? { kind: walk.makes, key: exactly(1), value } : undefined
  return { node, cost, path: [], size, entries }
}

const kindOf = ({ entries, node }: Worth): string | undefined => entries?.kind ?? node.checkedType?.kind

/** The name of a walk with one name stands for the items of a list and for the keys of a map. */
function walkedOf(range: Worth): Local {
  return kindOf(range) === 'list'
    ? { path: [...range.path, '@items'], size: range.entries?.value }
    : { path: [...range.path, '@keys'], size: range.entries?.key }
}

function bothOf([key = '', value = '']: readonly string[], range: Worth): readonly (readonly [string, Local])[] {
  const isList = kindOf(range) === 'list'
  return [
    [key, { path: [...range.path, isList ? '@indices' : '@keys'], size: range.entries?.key }],
    [value, { path: [...range.path, isList ? '@items' : '@values'], size: range.entries?.value }],
  ]
}

function worthOfList(node: Node, items: readonly Node[], scope: Scope): Worth {
  const given = items.map((each) => worthOf(each, scope))
  const value = given.map(({ size }) => known(size)).reduce(either, given.length === 0 ? exactly(0) : NOTHING)
  const cost = sum(LIST_COST, ...given.map((each) => each.cost))
  return { node, cost, path: [], size: exactly(items.length), entries: { kind: 'list', key: exactly(1), value } }
}

const NOTHING: Size = { least: Infinity, most: 0 }

function worthOfMap(node: Node, items: readonly (readonly [Node, Node])[], scope: Scope): Worth {
  const given = items.map((pair) => pair.map((each) => worthOf(each, scope)))
  const over = (index: number): Size =>
    given.map((pair) => known(pair[index]?.size)).reduce(either, given.length === 0 ? exactly(0) : NOTHING)
  const cost = sum(MAP_COST, ...given.flat().map((each) => each.cost))
  return { node, cost, path: [], size: exactly(items.length), entries: { kind: 'map', key: over(0), value: over(1) } }
}

function worthOfChoice(node: Node, parts: readonly [Node, Node, Node], scope: Scope): Worth {
  const [condition, yes, no] = parts.map((each) => worthOf(each, scope)) as [Worth, Worth, Worth]
  const cost = sum(condition.cost, Math.max(yes.cost, no.cost))
  return {
    node,
    cost,
    path: [],
    size: either(known(yes.size), known(no.size)),
    entries: union(yes.entries, no.entries),
  }
}

function union(a: Entries | undefined, b: Entries | undefined): Entries | undefined {
  if (a === undefined || b === undefined) return undefined
  return { kind: a.kind, key: either(a.key, b.key), value: either(a.value, b.value) }
}

function worthOfOperation(node: Node, scope: Scope): Worth {
  if (!Array.isArray(node.args)) return worthOfSign(node, node.args as Node, scope)
  const [left, right] = (node.args as Node[]).map((each) => worthOf(each, scope)) as [Worth, Worth]
  if (node.op === '&&' || node.op === '||') return called(node, { cost: 0 }, [left, right], scope)
  const worth = called(node, costOfOperator(node.op, left, right), [left, right], scope)
  return node.op === '+' ? { ...worth, entries: union(left.entries, right.entries) } : worth
}

/** A number with a sign is a literal. */
function worthOfSign(node: Node, operand: Node, scope: Scope): Worth {
  if (node.op === '-_' && operand.op === 'value') return { node, cost: 0, path: [], size: exactly(1) }
  return called(node, { cost: 1 }, [worthOf(operand, scope)], scope)
}
