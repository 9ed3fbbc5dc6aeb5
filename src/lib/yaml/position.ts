import type { Source, Within, YamlNode, YamlScalar } from './nodes.ts'

/** Line and column, both from 1. */
export type Position = { readonly line: number; readonly column: number }

/** Where a node stands; without a source it was made by a program. */
export type Place = Pick<YamlNode, 'source' | 'start' | 'keyStart'>

/** Where the lines of a text start. */
type Lines = { readonly text: string; readonly starts: readonly number[] }

/** Whoever asks for one position in a text asks for many. */
const known = new WeakMap<Source | YamlScalar, Lines>()

/** Line and column of an offset; inside a text that another file holds, those of that file. */
export function positionOf(source: Source, offset: number): Position {
  return source.within ? positionInside(source.within, offset) : positionIn(linesOf(source, source.text), offset)
}

/** `file:line:column` of a node, undefined when no text holds it. A field is where its key is; a source without text is a place itself. */
export function whereIs(node: Place | undefined): string | undefined {
  if (node?.source === undefined) return undefined
  if (node.source.text === '') return node.source.file
  const { line, column } = positionOf(node.source, node.keyStart >= 0 ? node.keyStart : node.start)
  return `${node.source.file}:${line}:${column}`
}

/** A literal block has a line of its own for each of its lines; text that is spelled as it reads is at an offset; else the scalar's start. */
function positionInside({ scalar, offset: from }: Within, offset: number): Position {
  const { source, start, end, value } = scalar
  if (source === undefined) return { line: 1, column: 1 }
  if (scalar.style !== 'literal') {
    const at = source.text.slice(start, end).indexOf(value)
    return positionOf(source, at < 0 ? start : start + at + from + offset)
  }
  const [inner, outer] = [linesOf(scalar, value), linesOf(source, source.text)]
  const { line, column } = positionIn(inner, from + offset)
  const header = positionIn(outer, start).line
  const indent = indentOf(outer, header + line) - indentOf(inner, line)
  return { line: positionOf(source, start).line + line, column: column + indent }
}

function linesOf(holder: Source | YamlScalar, text: string): Lines {
  const found = known.get(holder)
  if (found?.text === text) return found
  const starts = [0]
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
  const lines = { text, starts }
  known.set(holder, lines)
  return lines
}

function positionIn({ starts }: Lines, offset: number): Position {
  let [low, high] = [0, starts.length - 1]
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if ((starts[middle] ?? 0) <= offset) low = middle
    else high = middle - 1
  }
  return { line: low + 1, column: offset - (starts[low] ?? 0) + 1 }
}

function indentOf({ text, starts }: Lines, number: number): number {
  const line = text.slice(starts[number - 1] ?? text.length, starts[number])
  return line.search(/[^ ]|$/)
}
