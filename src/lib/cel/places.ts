import { compileRegexp } from '../go-regexp/go-regexp.ts'
import type { NodeType } from './cost/worth.ts'
import { own } from '../value/own.ts'

/** A node of a parsed expression with its place in the text. */
export type PlacedNode = {
  readonly op: string
  readonly args: unknown
  readonly start: number
  readonly end: number
  readonly checkedType?: NodeType
}

/** The nodes right below another. */
export function nodesBelow({ args }: PlacedNode): PlacedNode[] {
  const found = (value: unknown): PlacedNode[] => {
    if (Array.isArray(value)) return value.flatMap(found)
    return typeof value === 'object' && value !== null && 'op' in value ? [value as PlacedNode] : []
  }
  return found(args)
}

/** All nodes from here down. */
export const nodesIn = (node: PlacedNode): PlacedNode[] => [node, ...nodesBelow(node).flatMap(nodesIn)]

/** Where cel-go says that a node is: at the point of a field, at the bracket of a call, at the operator. */
export function placeOf(node: PlacedNode, text: string): number {
  const [first] = nodesBelow(node)
  switch (node.op) {
    case 'call':
      return text.indexOf('(', node.start)
    case 'rcall':
      return text.indexOf('(', (first?.end ?? node.start) + 1)
    case '.':
    case '[]':
    case '?:':
      return text.indexOf(node.op.slice(0, 1), first?.end ?? node.start)
    default: {
      const isBinary = Array.isArray(node.args) && first !== undefined && !['list', 'map'].includes(node.op)
      return isBinary ? text.indexOf(node.op, first.end) : node.start
    }
  }
}

/** A fault at a place of the text. */
export type PlacedFault = { readonly at: number; readonly why: string }

/**
 * What Kubernetes does not take though it can be typed: lists and maps of several types, and literals that their function cannot read.
 *
 * @see github.com/google/cel-go/cel validator.go
 */
export function oddLiteral(root: PlacedNode, text: string): PlacedFault | undefined {
  for (const node of nodesIn(root)) {
    const fault = mixed(node, text) ?? unreadable(node)
    if (fault !== undefined) return fault
  }
  return undefined
}

function mixed(node: PlacedNode, text: string): PlacedFault | undefined {
  if (node.op !== 'list' && node.op !== 'map') return undefined
  const parts = nodesBelow(node)
  const columns = node.op === 'list' ? [parts] : [0, 1].map((side) => parts.filter((_, at) => at % 2 === side))
  for (const column of columns) {
    const typed = column.filter(({ checkedType }) => checkedType !== undefined && isPlain(checkedType))
    const odd = typed.find(({ checkedType }) => checkedType?.name !== typed[0]?.checkedType?.name)
    if (odd !== undefined)
      return {
        at: placeOf(odd, text),
        why: `expected type '${typed[0]?.checkedType?.name ?? ''}' but found '${odd.checkedType?.name ?? ''}'`,
      }
  }
  return undefined
}

const isPlain = ({ kind }: NodeType): boolean => kind === 'primitive'

const DURATION = /^[-+]?(?:0|(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)$/
const TIMESTAMP = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[-+]\d\d:\d\d)$/
const READABLE: Readonly<Record<string, (literal: string) => boolean>> = {
  duration: (literal) => DURATION.test(literal),
  timestamp: (literal) => TIMESTAMP.test(literal) && !Number.isNaN(Date.parse(literal)),
  matches: isRegexp,
}

function unreadable({ op, args }: PlacedNode): PlacedFault | undefined {
  if (op !== 'call' && op !== 'rcall') return undefined
  const name = String((args as readonly unknown[])[0])
  const given = (args as readonly unknown[]).at(-1) as readonly PlacedNode[]
  const literal = given.at(-1)
  const isReadable = own(READABLE, name)
  if (literal?.op !== 'value' || typeof literal.args !== 'string' || isReadable === undefined) return undefined
  return isReadable(literal.args) ? undefined : { at: literal.start, why: `invalid ${name} argument` }
}

function isRegexp(literal: string): boolean {
  try {
    compileRegexp(literal)
    return true
  } catch {
    return false
  }
}
