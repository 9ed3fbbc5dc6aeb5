import type { Source, Within, YamlNode } from './nodes.ts'

/** Line and column, both from 1. */
export type Position = { readonly line: number; readonly column: number }

/** Where a node stands; without a source it was made by a program. */
export type Place = Pick<YamlNode, 'source' | 'start' | 'keyStart'>

/** Where the lines of texts start; kept by a caller that asks for many positions. */
export type LineStarts = Map<Source, readonly number[]>

/** Line and column of an offset; inside a text that another file holds, those of that file. */
export function positionOf(source: Source, offset: number, known: LineStarts = new Map()): Position {
  if (source.within) return positionInside(source.within, offset, known)
  const starts = known.get(source) ?? lineStarts(source.text)
  known.set(source, starts)
  let [low, high] = [0, starts.length - 1]
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if ((starts[middle] ?? 0) <= offset) low = middle
    else high = middle - 1
  }
  return { line: low + 1, column: offset - (starts[low] ?? 0) + 1 }
}

/** `file:line:column` of a node, undefined when no text holds it. A field is where its key is; a source without text is a place itself. */
export function whereIs(node: Place | undefined, known?: LineStarts): string | undefined {
  if (node?.source === undefined) return undefined
  if (node.source.text === '') return node.source.file
  const { line, column } = positionOf(node.source, node.keyStart >= 0 ? node.keyStart : node.start, known)
  return `${node.source.file}:${line}:${column}`
}

function lineStarts(text: string): readonly number[] {
  const starts = [0]
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
  return starts
}

/** A literal block has a line of its own for each of its lines; text that is spelled as it reads is at an offset; else the scalar's start. */
function positionInside({ scalar, offset: from }: Within, offset: number, known: LineStarts): Position {
  const { source, start, end, value } = scalar
  if (source === undefined) return { line: 1, column: 1 }
  const written = source.text.slice(start, end)
  if (scalar.style !== 'literal') {
    const at = written.indexOf(value)
    return positionOf(source, at < 0 ? start : start + at + from + offset, known)
  }
  const before = value.slice(0, from + offset).split('\n')
  const inner = value.split('\n')[before.length - 1] ?? ''
  const outer = written.split('\n')[before.length] ?? ''
  const header = positionOf(source, start, known)
  return {
    line: header.line + before.length,
    column: (before.at(-1) ?? '').length + indentOf(outer) - indentOf(inner) + 1,
  }
}

function indentOf(line: string): number {
  return line.length - line.trimStart().length
}
