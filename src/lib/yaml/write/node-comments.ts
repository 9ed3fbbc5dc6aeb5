import { dashOffset, levelsOf, lineOf, placeLines } from './comment-lines.ts'
import { scalarsWithComments, type YamlDocument, type YamlNode } from '../nodes.ts'

/** The comments of a text, by the nodes that they belong to; a blank line among the lines of one is ''. */
export type NodeComments = {
  /** The lines above what begins at an offset: a key, or the content of an item. */
  readonly above: (offset: number, isItem: boolean) => readonly string[]
  /** The lines below the field or item that begins there. */
  readonly below: (offset: number, isItem: boolean) => readonly string[]
  /** The comment behind a scalar, or what is in brackets. */
  readonly behind: (node: YamlNode) => string | undefined
  /** The comment behind a key whose value stands on the lines below. */
  readonly behindKey: (value: YamlNode) => string | undefined
  /** What stands above the document, and a blank line apart from it. */
  readonly header: readonly string[]
  /** What stands below it, a blank line apart. */
  readonly footer: readonly string[]
}

/**
 * Finds out which node each comment belongs to, as Go's yaml.v3 does: lines right below a field, with a blank one or less indentation
 * behind them, belong to that; other lines to what they stand above; at the ends to the document.
 *
 * @returns undefined where a comment stands elsewhere: Go's library has rules for that which are not known here
 */
export function attachComments(document: YamlDocument): NodeComments | undefined {
  const { text } = document.source
  const behind = new Map<YamlNode, string>()
  const flows = new Map<YamlNode, YamlNode>()
  if (document.root) findFlows(document.root, undefined, flows)
  for (const { scalar, comment } of scalarsWithComments(document)) {
    const isInside = /^[\s,]*$/.test(text.slice(scalar.end, comment.start))
    const node = isInside ? scalar : (flows.get(scalar) ?? scalar)
    const isHead = scalar.style === 'literal' || scalar.style === 'folded'
    if (node.end > comment.start && !isHead) continue
    behind.set(node, text.slice(comment.start, comment.end))
  }
  const byLine = new Map(document.comments.map((comment) => [lineOf(text, comment.start), comment]))
  for (const [leaf, node] of flows) {
    const comment = leaf.kind === 'scalar' ? undefined : byLine.get(lineOf(text, leaf.end))
    if (comment && comment.start >= node.end && /^[\s,\]}]*$/.test(text.slice(leaf.end, comment.start)))
      behind.set(node, text.slice(comment.start, comment.end))
  }
  // Behind brackets that close on a line of their own.
  for (const node of new Set(flows.values())) {
    const comment = byLine.get(lineOf(text, node.end))
    if (comment && comment.start >= node.end && text.slice(node.end, comment.start).trim() === '')
      behind.set(node, text.slice(comment.start, comment.end))
  }
  const keys = new Map<number, string>()
  const levels = levelsOf(document.root, text)
  const keyLines = new Set([...levels.starts].map((start) => lineOf(text, start)))
  const header = headerOf(document)
  let found = behind.size + header.length
  const lines: number[] = []
  for (const { start, end } of document.comments.slice(header.length)) {
    const lineStart = lineOf(text, start)
    const before = text.slice(lineStart, start)
    if (before.trim() === '') lines.push(lineStart)
    else if (keyLines.has(lineStart) && KEY_ALONE.test(before)) keys.set(lineStart, text.slice(start, end))
  }
  found += keys.size + lines.length
  if (found !== document.comments.length) return undefined
  const blocks = placeLines(text, lines, levels)
  return (
    blocks && {
      header,
      footer: blocks.footer,
      behind: (node) => behind.get(node),
      behindKey: ({ keyStart }) => (keyStart < 0 ? undefined : keys.get(lineOf(text, keyStart))),
      above: (offset, isItem) => blocks.above.get(isItem ? dashOffset(text, offset) : offset) ?? [],
      below: (offset, isItem) => blocks.below.get(isItem ? dashOffset(text, offset) : offset) ?? [],
    }
  )
}

/** A line with a key and nothing else, whose value stands below. */
const KEY_ALONE = /^ *(?:- +)*(?:[\w./-]+|"[^"\\]*"|'[^']*'):[ \t]*$/

/** Notes for each scalar in brackets the outermost ones around it, and for brackets with nothing in them. */
function findFlows(node: YamlNode, around: YamlNode | undefined, found: Map<YamlNode, YamlNode>): void {
  const outermost = around ?? (node.kind !== 'scalar' && node.isFlow ? node : undefined)
  const children = node.kind === 'scalar' ? [] : node.kind === 'seq' ? node.items : [...node.fields.values()]
  if (children.length === 0 && outermost) found.set(node, outermost)
  for (const child of children) findFlows(child, outermost, found)
}

/** The comment lines that begin a text, up to the last blank line among them. */
function headerOf({ source, comments, root }: YamlDocument): string[] {
  if (source.text.slice(0, root?.start ?? 0).includes('---')) return []
  const [top = ''] = /^\n*(?:(?:#.*\n)+\n+)+/.exec(source.text) ?? []
  const lines = top
    .trim()
    .replace(/\n{2,}/g, '\n\n')
    .split('\n')
  const count = lines.filter((line) => line !== '').length
  return count > 0 && comments.length >= count ? lines : []
}
