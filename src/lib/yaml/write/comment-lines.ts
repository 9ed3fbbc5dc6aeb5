import type { YamlNode } from '../nodes.ts'

/** A mapping or list that is no flow: where its fields or items begin, and in which column. */
type Level = { readonly column: number; readonly isSeq: boolean; readonly entries: readonly Entry[] }
/** A field or an item; `start` is that of its key or dash. */
type Entry = { readonly start: number; readonly inner: Level | undefined; readonly isEmpty: boolean }

/** The block mappings and lists of a tree, as far as comments can stand in them. */
export type Levels = {
  readonly top: Level | undefined
  readonly starts: ReadonlySet<number>
  /** Whether an item has its dash on another line. */
  readonly isOdd: boolean
}

/** Whose the lines are, by the offset where a field or item begins. */
export type PlacedLines = {
  readonly above: ReadonlyMap<number, readonly string[]>
  readonly below: ReadonlyMap<number, readonly string[]>
  readonly footer: readonly string[]
}

/** Reads the levels of a tree. */
export function levelsOf(root: YamlNode | undefined, text: string): Levels {
  const starts = new Set<number>()
  let isOdd = false
  const levelOf = (node: YamlNode): Level | undefined => {
    if (node.kind === 'scalar' || node.isFlow) return undefined
    const children = node.kind === 'seq' ? node.items : [...node.fields.values()]
    const entries = children.map((child) => {
      const start = node.kind === 'seq' ? dashOffset(text, child.start) : child.keyStart
      if (start < 0) isOdd = true
      else starts.add(start)
      return { start, inner: levelOf(child), isEmpty: child.kind === 'scalar' && child.start === child.end }
    })
    const first = entries[0]?.start ?? -1
    return entries.length === 0
      ? undefined
      : { column: first - lineOf(text, first), isSeq: node.kind === 'seq', entries }
  }
  return { top: root && levelOf(root), starts, isOdd }
}

/** Where a line begins. */
export function lineOf(text: string, offset: number): number {
  return text.lastIndexOf('\n', offset - 1) + 1
}

/** Where the dash of an item is, when its line begins with dashes; the last of them. A tag or a name may stand between the two. */
export function dashOffset(text: string, offset: number): number {
  const before = text.slice(lineOf(text, offset), offset)
  const dashes = /^( *(?:- +)*)-(?: +|$)(?:[!&]\S* +)*$/.exec(before)?.[1]
  return dashes === undefined ? -1 : lineOf(text, offset) + dashes.length
}

type Placed = { above: Map<number, string[]>; below: Map<number, string[]>; footer: string[] }

/**
 * Says whose the comments are that have lines of their own; `commentLines` are where those lines begin.
 *
 * @returns undefined where one stands in a place that is not known
 */
export function placeLines(text: string, commentLines: readonly number[], levels: Levels): PlacedLines | undefined {
  if (levels.isOdd && commentLines.length > 0) return undefined
  const placed: Placed = { above: new Map(), below: new Map(), footer: [] }
  const waiting = new Set(commentLines)
  for (const first of commentLines)
    if (waiting.has(first) && !placeRun(readRun(text, first, waiting), chainAt(levels.top, first), levels, placed))
      return undefined
  return placed
}

/** Comment lines with nothing but blank ones between, which have no text. */
type Run = {
  readonly lines: readonly { readonly column: number; readonly text: string }[]
  /** Whether it begins on the line right below what is above it. */
  readonly touches: boolean
  /** The first character behind it, -1 at the end. */
  readonly next: number
  readonly nextColumn: number
  /** Whether the text ends with a line break: what ends without one is not seen to be less indented. */
  readonly hasBreak: boolean
}

function readRun(text: string, first: number, waiting: Set<number>): Run {
  const lines: { column: number; text: string }[] = []
  let at = first
  while (at < text.length) {
    const newline = text.indexOf('\n', at)
    const end = newline < 0 ? text.length : newline
    const line = text.slice(at, end)
    if (line.trim() !== '' && !waiting.delete(at)) break
    lines.push({ column: line.search(/\S/), text: line.trimStart() })
    at = end + 1
  }
  const isEnd = at >= text.length
  const nextColumn = isEnd ? -1 : text.slice(at).search(/\S/)
  const touches = first > 0 && text.slice(lineOf(text, first - 1), first).trim() !== ''
  return { lines, touches, next: isEnd ? -1 : at + nextColumn, nextColumn, hasBreak: text.endsWith('\n') }
}

/** What is open at a place, from the outermost in: of each level the field or item that began last. */
function chainAt(top: Level | undefined, at: number): { readonly level: Level; readonly entry: Entry }[] {
  const chain: { level: Level; entry: Entry }[] = []
  for (let level = top; level;) {
    const entry: Entry | undefined = level.entries[lastBefore(level.entries, at)]
    if (!entry) break
    chain.push({ level, entry })
    level = entry.inner
  }
  return chain
}

/** The index of the last one that begins before a place, -1 when none does. */
function lastBefore(entries: readonly Entry[], at: number): number {
  let [low, high] = [-1, entries.length - 1]
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if ((entries[middle]?.start ?? at) < at) low = middle
    else high = middle - 1
  }
  return low
}

type Chain = ReturnType<typeof chainAt>

/** The rule of Go's scanner: what is read as a foot of what is above, and what is left for what is below. */
function placeRun(run: Run, chain: Chain, levels: Levels, placed: Placed): boolean {
  const last = chain.at(-1)
  const isBehindKey = last !== undefined && !last.level.isSeq && (last.entry.isEmpty || last.entry.inner !== undefined)
  const indent = last?.level.column ?? 0
  let isTouching = last !== undefined && run.touches
  let wasBlank = false
  let head: string[] = []
  let column = 0
  let isFirst = true
  const foot = (isOfAbove: boolean): boolean => {
    const owner = isOfAbove && isFirst ? last : ownerOf(chain, column)
    isFirst = false
    const lines = withoutBlankEnd(head)
    head = []
    if (!owner || placed.below.has(owner.entry.start)) return false
    placed.below.set(owner.entry.start, lines)
    return true
  }
  for (const line of [...run.lines, ...(run.next < 0 ? [] : [{ column: run.nextColumn, text: '' }])]) {
    if (line.column < 0) {
      if (!wasBlank && head.length > 0) {
        if (isTouching && (column < indent || !isBehindKey)) {
          if (!foot(column >= indent)) return false
        } else head.push('')
      }
      isTouching = false
      wasBlank = true
      continue
    }
    if (head.length > 0 && line.column < indent && line.column !== column && !foot(true)) return false
    if (line.text === '') break
    if (head.length === 0) column = line.column
    head.push(line.text)
    wasBlank = false
  }
  if (head.length === 0) return true
  head = withoutBlankEnd(head)
  if (run.next < 0) {
    const isFoot = isTouching && (column < indent || !isBehindKey)
    const owner = column < indent && run.hasBreak ? ownerOf(chain, column) : last
    return placeAtEnd(head, column, isFoot ? owner : undefined, placed)
  }
  if (!levels.starts.has(run.next)) return false
  placed.above.set(run.next, head)
  return true
}

function withoutBlankEnd(lines: readonly string[]): string[] {
  return lines.slice(0, lines.findLastIndex((line) => line !== '') + 1)
}

/** What is less indented than the line above it belongs to the field of that column; a list there is the value of one. */
function ownerOf(chain: Chain, column: number): Chain[number] | undefined {
  const at = chain.findLastIndex(({ level }) => level.column === column)
  const [owner, around] = [chain[at], chain[at - 1]]
  if (!owner?.level.isSeq) return owner
  return around && !around.level.isSeq && around.level.column === column ? around : undefined
}

function placeAtEnd(lines: string[], column: number, last: Chain[number] | undefined, placed: Placed): boolean {
  if (!last) {
    placed.footer.push(...lines)
    return column === 0
  }
  placed.below.set(last.entry.start, lines)
  return true
}
