import type { JsonObject } from '../../../../lib/kube/json.ts'

/** Lines around a change that are shown with it. */
const CONTEXT = 3
/** In texts of so many lines, lines that are found more often than in one of a hundred are no landmarks. */
const LONG_TEXT = 200

type Block = { readonly a: number; readonly b: number; readonly size: number }
type Step = { readonly tag: '=' | '!'; readonly a: Span; readonly b: Span }
type Span = readonly [from: number, to: number]

/** A value as the differences are told of it. */
export const linesOf = (value: JsonObject): string[] => JSON.stringify(value, undefined, 1).split('\n')

/**
 * A unified diff without file names, as messages of the real server end with it: by the longest block that both have, then what
 * is before and after it.
 *
 * Time grows with the product of the lengths.
 * @see https://docs.python.org/3/library/difflib.html#difflib.SequenceMatcher
 */
export function unifiedDiff(before: readonly string[], after: readonly string[]): string {
  let out = ''
  for (const group of groups(steps(before, after))) {
    const [first, last] = [group[0], group.at(-1)]
    if (first === undefined || last === undefined) continue
    out += `@@ -${rangeText([first.a[0], last.a[1]])} +${rangeText([first.b[0], last.b[1]])} @@\n`
    for (const { tag, a, b } of group) {
      if (tag === '=') for (const line of before.slice(...a)) out += ` ${line}\n`
      else {
        for (const line of before.slice(...a)) out += `-${line}\n`
        for (const line of after.slice(...b)) out += `+${line}\n`
      }
    }
  }
  return out
}

function rangeText([from, to]: Span): string {
  const length = to - from
  if (length === 1) return String(from + 1)
  return `${length === 0 ? from : from + 1},${length}`
}

function steps(before: readonly string[], after: readonly string[]): Step[] {
  const out: Step[] = []
  let [a, b] = [0, 0]
  for (const block of [...blocks(before, after), { a: before.length, b: after.length, size: 0 }]) {
    if (a < block.a || b < block.b) out.push({ tag: '!', a: [a, block.a], b: [b, block.b] })
    ;[a, b] = [block.a + block.size, block.b + block.size]
    if (block.size > 0) out.push({ tag: '=', a: [block.a, a], b: [block.b, b] })
  }
  return out
}

/** Changes with the lines around them; changes that are close together share a group. */
function groups(all: readonly Step[]): Step[][] {
  const out: Step[][] = []
  let group: Step[] = []
  all.forEach(({ tag, a, b }, index) => {
    const length = a[1] - a[0]
    const isEdge = index === 0 || index === all.length - 1
    if (tag === '!') group.push({ tag, a, b })
    else if (index === 0) group.push({ tag, a: last(a), b: last(b) })
    else if (isEdge) group.push({ tag, a: first(a), b: first(b) })
    else if (length > 2 * CONTEXT) {
      group.push({ tag, a: first(a), b: first(b) })
      out.push(group)
      group = [{ tag, a: last(a), b: last(b) }]
    } else group.push({ tag, a, b })
  })
  if (group.some(({ tag }) => tag === '!')) out.push(group)
  return out
}

const first = ([from, to]: Span): Span => [from, Math.min(to, from + CONTEXT)]
const last = ([from, to]: Span): Span => [Math.max(from, to - CONTEXT), to]

function blocks(before: readonly string[], after: readonly string[]): Block[] {
  const places = placesOf(after)
  const found: Block[] = []
  const queue: (readonly [a: Span, b: Span])[] = [
    [
      [0, before.length],
      [0, after.length],
    ],
  ]
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    const [a, b] = next
    const block = longest(before, after, places, a, b)
    if (block.size === 0) continue
    found.push(block)
    queue.push([
      [a[0], block.a],
      [b[0], block.b],
    ])
    queue.push([
      [block.a + block.size, a[1]],
      [block.b + block.size, b[1]],
    ])
  }
  return joined(found.sort((left, right) => left.a - right.a || left.b - right.b))
}

function joined(found: readonly Block[]): Block[] {
  const out: Block[] = []
  for (const block of found) {
    const previous = out.at(-1)
    if (previous !== undefined && previous.a + previous.size === block.a && previous.b + previous.size === block.b)
      out[out.length - 1] = { ...previous, size: previous.size + block.size }
    else out.push(block)
  }
  return out
}

function placesOf(lines: readonly string[]): Map<string, number[]> {
  const places = new Map<string, number[]>()
  lines.forEach((line, index) => {
    const known = places.get(line)
    if (known === undefined) places.set(line, [index])
    else known.push(index)
  })
  if (lines.length < LONG_TEXT) return places
  const most = Math.floor(lines.length / 100) + 1
  for (const [line, found] of places) if (found.length > most) places.delete(line)
  return places
}

/** The longest block of lines in both spans, the first of several. */
function longest(
  before: readonly string[],
  after: readonly string[],
  places: ReadonlyMap<string, readonly number[]>,
  [fromA, toA]: Span,
  [fromB, toB]: Span,
): Block {
  let best: Block = { a: fromA, b: fromB, size: 0 }
  let lengths = new Map<number, number>()
  for (let a = fromA; a < toA; a++) {
    const next = new Map<number, number>()
    for (const b of places.get(before[a] ?? '') ?? []) {
      if (b < fromB || b >= toB) continue
      const size = (lengths.get(b - 1) ?? 0) + 1
      next.set(b, size)
      if (size > best.size) best = { a: a - size + 1, b: b - size + 1, size }
    }
    lengths = next
  }
  let { a, b, size } = best
  while (a > fromA && b > fromB && before[a - 1] === after[b - 1]) [a, b, size] = [a - 1, b - 1, size + 1]
  while (a + size < toA && b + size < toB && before[a + size] === after[b + size]) size++
  return { a, b, size }
}
