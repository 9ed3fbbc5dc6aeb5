import { SluiceError } from '../error/sluice-error.ts'
import { LAST, type Ranges, tidy } from './classes.ts'
import { foldCase } from './fold.ts'
import { parseClass, readClassEscape, readEscapedChar } from './parse-class.ts'
import type { Assertion, Node } from './program.ts'
import { fault, type Flags, look, type Reader, take, takeChar, takes } from './reader.ts'

/** A pattern read: its tree, its groups (0 is the whole match) and their names; a name may be that of several. */
export type Parsed = {
  readonly node: Node
  readonly groups: number
  readonly names: ReadonlyMap<string, readonly number[]>
}

/** What has been read of a group that is still open, or of the whole pattern. */
type Open = {
  /** Undefined: it captures nothing. */
  readonly index: number | undefined
  /** They are back at its end. */
  readonly flags: Flags
  readonly branches: Node[]
  items: Node[]
}

type State = { readonly reader: Reader; readonly open: Open[]; groups: number; readonly names: Map<string, number[]> }

const LONGEST = 10_000
/** Go's bound for the tree; as many groups may be open. */
const HIGHEST = 1000

/**
 * Reads a regular expression of Go (RE2): no backreferences, no look-around.
 *
 * @throws SluiceError REGEXP_SYNTAX with Go's own sentence; REGEXP_LIMIT above 10,000 characters
 * @see https://github.com/google/re2/wiki/Syntax
 */
export function parsePattern(pattern: string): Parsed {
  if (pattern.length > LONGEST) throw new SluiceError('REGEXP_LIMIT', 'error parsing regexp: expression too large')
  const reader: Reader = { pattern, at: 0, flags: { i: false, m: false, s: false, U: false } }
  const state: State = { reader, open: [], groups: 1, names: new Map() }
  openGroup(state, undefined, reader.flags)
  let repeatAt: number | undefined
  while (reader.at < pattern.length) {
    const start = reader.at
    const count = readCount(reader)
    if (count) repeat(state, count, start, repeatAt)
    else readPiece(state)
    repeatAt = count && start
  }
  if (state.open.length > 1) throw fault('missing closing )', pattern)
  const node = closed(top(state))
  if (isHigherThan(HIGHEST, node)) throw fault('expression nests too deeply', pattern)
  return { node, groups: state.groups, names: state.names }
}

function top({ open }: State): Open {
  return open.at(-1) ?? { index: undefined, flags: { i: false, m: false, s: false, U: false }, branches: [], items: [] }
}

function openGroup({ open, reader }: State, index: number | undefined, inner: Flags): void {
  if (open.length > HIGHEST) throw fault('expression nests too deeply', reader.pattern)
  open.push({ index, flags: reader.flags, branches: [], items: [] })
  reader.flags = inner
}

/** What is between two groups' ends as one node. */
function closed({ branches, items }: Open): Node {
  const last = joined(items)
  return branches.length === 0 ? last : { kind: 'either', items: [...branches, last] }
}

function joined(items: readonly Node[]): Node {
  const flat = items.flatMap((item) => (item.kind === 'list' ? item.items : [item]))
  const [only] = flat
  return only && flat.length === 1 ? only : { kind: 'list', items: flat }
}

function isHigherThan(most: number, node: Node): boolean {
  if (most === 0) return true
  const parts = node.kind === 'list' || node.kind === 'either' ? node.items : 'item' in node ? [node.item] : []
  return parts.some((part) => isHigherThan(most - 1, part))
}

type Count = { readonly min: number; readonly max: number; readonly isLazy: boolean }

const COUNT = /([*+?])|\{(0|[1-9]\d*)(,(0|[1-9]\d*)?)?\}/y
const QUOTED = /\\Q(.*?)(?:\\E|$)/sy
const NAMED = /\(\?(?:P<[^]|<[^])/y
const NAME = /\(\?P?<([^>]*)>/y
const FLAGGED = /\(\?([imsU]*)(?:-([imsU]+))?([:)])/y
/** As far as Go reads it. */
const WRONG_FLAGS = /\(\?[imsU]*(?:-(?:[imsU]+(?:[^imsU]|$)|[^]|$)|[^]|$)/uy
const ASSERTION = /\^|\$|\\[AzbB]/y

const SIMPLE: ReadonlyMap<string, readonly [number, number]> = new Map([
  ['*', [0, Infinity]],
  ['+', [1, Infinity]],
  ['?', [0, 1]],
])

/** `*`, `+?`, `{2,3}`: undefined (unread) when there is none here. */
function readCount(reader: Reader): Count | undefined {
  const found = '*+?{'.includes(reader.pattern[reader.at] ?? ' ') ? take(reader, COUNT) : undefined
  if (!found) return undefined
  const [written, sign = '', low = '', range, high] = found
  const least = Number(low)
  const most = range === undefined ? least : high === undefined ? Infinity : Number(high)
  const [min, max] = SIMPLE.get(sign) ?? [least, most]
  if (min > 1000 || (max > 1000 && max !== Infinity) || min > max) throw fault('invalid repeat count', written)
  const isLazy = takes(reader, '?') !== reader.flags.U
  return { min, max, isLazy }
}

function repeat(state: State, count: Count, start: number, repeatAt: number | undefined): void {
  const { pattern, at } = state.reader
  if (repeatAt !== undefined) throw fault('invalid nested repetition operator', pattern.slice(repeatAt, at))
  const item = top(state).items.pop()
  if (!item) throw fault('missing argument to repetition operator', pattern.slice(start, at))
  const node: Node = { kind: 'repeat', item, ...count }
  const isCounted = pattern[start] === '{' && (count.min >= 2 || (count.max >= 2 && count.max !== Infinity))
  if (isCounted && !isRepeatable(node, 1000)) throw fault('invalid repeat count', pattern.slice(start, at))
  top(state).items.push(node)
}

/** Whether a repetition and those in it make no more than so many copies of what is innermost. */
function isRepeatable(node: Node, most: number): boolean {
  if (node.kind === 'list' || node.kind === 'either') return node.items.every((item) => isRepeatable(item, most))
  if (node.kind === 'group') return isRepeatable(node.item, most)
  if (node.kind !== 'repeat' || node.max === 0) return true
  const times = node.max === Infinity ? node.min : node.max
  return times <= most && isRepeatable(node.item, times > 0 ? Math.floor(most / times) : most)
}

function readPiece(state: State): void {
  const { reader } = state
  const { items } = top(state)
  const char = reader.pattern[reader.at]
  if (char === '(') return readOpening(state)
  if (char === ')') return readClosing(state)
  if (char === '|') return readBar(state)
  const quoted = char === '\\' ? take(reader, QUOTED) : undefined
  if (quoted) {
    for (const one of quoted[1] ?? '') items.push(literal(one, reader.flags))
    return
  }
  items.push(readAssertion(reader) ?? readSet(reader))
}

function readOpening(state: State): void {
  const { reader } = state
  if (reader.pattern[reader.at + 1] !== '?') {
    reader.at++
    return openGroup(state, state.groups++, reader.flags)
  }
  if (look(reader, NAMED)) return readNamed(state)
  const found = take(reader, FLAGGED)
  if (!found) {
    const wrong = take(reader, WRONG_FLAGS)
    throw fault('invalid or unsupported Perl syntax', wrong?.[0] ?? '')
  }
  const flags = withFlags(reader.flags, found[1] ?? '', found[2] ?? '')
  if (found[3] === ':') openGroup(state, undefined, flags)
  else reader.flags = flags
}

function readNamed(state: State): void {
  const { reader, names } = state
  const [capture, name] = take(reader, NAME) ?? []
  if (capture === undefined) throw fault('invalid named capture', reader.pattern.slice(reader.at))
  if (name === undefined || !/^\w+$/.test(name)) throw fault('invalid named capture', capture)
  const index = state.groups++
  names.set(name, [...(names.get(name) ?? []), index])
  openGroup(state, index, reader.flags)
}

function withFlags(flags: Flags, on: string, off: string): Flags {
  const pick = (name: keyof Flags): boolean => (on.includes(name) || flags[name]) && !off.includes(name)
  return { i: pick('i'), m: pick('m'), s: pick('s'), U: pick('U') }
}

function readClosing(state: State): void {
  const { reader, open } = state
  if (open.length === 1) throw fault('unexpected )', reader.pattern)
  const group = top(state)
  open.pop()
  reader.at++
  reader.flags = group.flags
  const item = closed(group)
  top(state).items.push(group.index === undefined ? item : { kind: 'group', item, index: group.index })
}

function readBar(state: State): void {
  const group = top(state)
  state.reader.at++
  group.branches.push(joined(group.items))
  group.items = []
}

const ASSERTIONS: ReadonlyMap<string, Assertion> = new Map([
  ['\\A', 'text-start'],
  ['\\z', 'text-end'],
  ['\\b', 'word'],
  ['\\B', 'not-word'],
])

/** `^`, `$`, `\A`, `\z`, `\b`, `\B`: undefined (unread) when there is none here. */
function readAssertion(reader: Reader): Node | undefined {
  const { flags } = reader
  const found = '^$\\'.includes(reader.pattern[reader.at] ?? ' ') ? take(reader, ASSERTION)?.[0] : undefined
  if (found === undefined) return undefined
  if (found === '^') return { kind: 'assert', what: flags.m ? 'line-start' : 'text-start' }
  if (found === '$') return { kind: 'assert', what: flags.m ? 'line-end' : 'text-end' }
  return { kind: 'assert', what: ASSERTIONS.get(found) ?? 'text-start' }
}

const ANY: Ranges = [0, LAST]
const NO_NEWLINE: Ranges = [0, 9, 11, LAST]

function readSet(reader: Reader): Node {
  const { pattern, at, flags } = reader
  if (pattern[at] === '[') return { kind: 'set', ranges: parseClass(reader) }
  if (pattern[at] === '.') {
    reader.at++
    return { kind: 'set', ranges: flags.s ? ANY : NO_NEWLINE }
  }
  if (pattern[at] !== '\\') return literal(takeChar(reader), flags)
  const ranges = readClassEscape(reader)
  return ranges ? { kind: 'set', ranges } : literal(readEscapedChar(reader), flags)
}

function literal(char: string, flags: Flags): Node {
  const code = char.codePointAt(0) ?? 0
  return { kind: 'set', ranges: flags.i ? tidy(foldCase([code, code])) : [code, code] }
}
