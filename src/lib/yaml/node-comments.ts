import { scalarsWithComments, type YamlDocument, type YamlNode, type YamlScalar } from './nodes.ts'

/** The comments of a text, by the nodes that they belong to. */
export type NodeComments = {
  /** The lines above what begins at an offset: a key, or the content of an item. */
  readonly above: (offset: number, isItem: boolean) => readonly string[]
  /** The comment behind a scalar. */
  readonly behind: (node: YamlScalar) => string | undefined
  /** The comment behind a key whose value stands on the lines below. */
  readonly behindKey: (value: YamlNode) => string | undefined
  /** What stands above the document, and a blank line apart from it. */
  readonly header: readonly string[]
}

/**
 * Finds out which node each comment belongs to: lines above a field or item belong to it where they stand in its column, a comment
 * behind a scalar to that, one behind a key to the key, and lines with a blank one below at the top to the document.
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
  const keys = new Map<number, string>()
  const blocks = new Set(document.root ? blockLines(document.root, text) : [])
  const header = headerOf(document)
  let found = behind.size + header.length
  let pending: string[] = []
  let column = -1
  for (const { start, end } of document.comments.slice(header.length)) {
    const lineStart = text.lastIndexOf('\n', start - 1) + 1
    const before = text.slice(lineStart, start)
    if (before.trim() !== '') {
      if (blocks.has(lineStart) && KEY_ALONE.test(before)) keys.set(lineStart, text.slice(start, end))
      continue
    }
    if (pending.length === 0) column = start - lineStart
    pending.push(text.slice(start, end))
    const next = firstOfNextLine(text, end)
    if (next === undefined || next.column !== column) return undefined
    if (text[next.offset] === '#') continue
    above.set(next.offset, pending)
    found += pending.length
    pending = []
  }
  if (found + keys.size !== document.comments.length) return undefined
  return {
    header,
    behind: (node) => behind.get(node),
    behindKey: ({ keyStart }) => (keyStart < 0 ? undefined : keys.get(lineOf(text, keyStart))),
    above: (offset, isItem) => above.get(isItem ? dashOffset(text, offset) : offset) ?? [],
  }
}

/** A line with a plain key and nothing else, whose value stands below. */
const KEY_ALONE = /^ *[\w./-]+: *$/

/** Where the lines begin that hold the keys of mappings and lists that are no flow. */
function* blockLines(node: YamlNode, text: string): Generator<number> {
  if (node.kind === 'scalar' || node.isFlow) return
  if (node.keyStart >= 0) yield lineOf(text, node.keyStart)
  for (const child of node.kind === 'seq' ? node.items : node.fields.values()) yield* blockLines(child, text)
}

function lineOf(text: string, offset: number): number {
  return text.lastIndexOf('\n', offset - 1) + 1
}

/** The comment lines that begin a text, where a blank line follows them. */
function headerOf({ source, comments, root }: YamlDocument): string[] {
  if (source.text.slice(0, root?.start ?? 0).includes('---')) return []
  const [top = ''] = /^\n*(?:#.*\n)+(?=\n)/.exec(source.text) ?? []
  const lines = top.split('\n').filter((line) => line !== '')
  return comments.length >= lines.length ? lines : []
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
