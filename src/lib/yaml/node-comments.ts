import { scalarsWithComments, type YamlDocument, type YamlNode, type YamlScalar } from './nodes.ts'

/** The comments of a text, by the nodes that they belong to. */
export type NodeComments = {
  /** The lines above what begins at an offset: a key, or the content of an item. */
  readonly above: (offset: number, isItem: boolean) => readonly string[]
  /** The comment behind a scalar. */
  readonly behind: (node: YamlScalar) => string | undefined
}

/**
 * Finds out which node each comment belongs to: lines above a field or item belong to it where they stand in its column, a comment
 * behind a scalar to that.
 *
 * @returns undefined where a comment stands elsewhere: Go's library has rules for that which are not known here
 */
export function attachComments(document: YamlDocument): NodeComments | undefined {
  const { text } = document.source
  const behind = new Map<YamlNode, string>()
  for (const { scalar, comment } of scalarsWithComments(document))
    if (scalar.style !== 'literal' && scalar.style !== 'folded')
      behind.set(scalar, text.slice(comment.start, comment.end))
  const above = new Map<number, string[]>()
  let found = behind.size
  let pending: string[] = []
  let column = -1
  for (const { start, end } of document.comments) {
    const lineStart = text.lastIndexOf('\n', start - 1) + 1
    if (text.slice(lineStart, start).trim() !== '') continue
    if (pending.length === 0) column = start - lineStart
    pending.push(text.slice(start, end))
    const next = firstOfNextLine(text, end)
    if (next === undefined || next.column !== column) return undefined
    if (text[next.offset] === '#') continue
    above.set(next.offset, pending)
    found += pending.length
    pending = []
  }
  if (found !== document.comments.length) return undefined
  return {
    behind: (node) => behind.get(node),
    above: (offset, isItem) => above.get(isItem ? dashOffset(text, offset) : offset) ?? [],
  }
}

function firstOfNextLine(text: string, end: number): { readonly offset: number; readonly column: number } | undefined {
  const lineStart = text.indexOf('\n', end) + 1
  if (lineStart === 0) return undefined
  const column = /^ */.exec(text.slice(lineStart, lineStart + 200))?.[0].length ?? 0
  const offset = lineStart + column
  return text[offset] === undefined || text[offset] === '\n' ? undefined : { offset, column }
}

/** Where the dash of an item is, when its line begins with it. */
function dashOffset(text: string, offset: number): number {
  const lineStart = text.lastIndexOf('\n', offset - 1) + 1
  const before = text.slice(lineStart, offset)
  return /^ *- *$/.test(before) ? lineStart + before.indexOf('-') : -1
}
