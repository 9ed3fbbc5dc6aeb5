import type { YamlComment, YamlDocument, YamlNode, YamlScalar } from '../../lib/yaml/nodes.ts'
import { scalarsWithComments } from '../../lib/yaml/nodes.ts'
import { positionOf } from '../../lib/yaml/position.ts'
import { lineOf } from '../../lib/yaml/write/comment-lines.ts'
import { attachComments } from '../../lib/yaml/write/node-comments.ts'
import { MARKER_KEY } from './marker.ts'

/** A comment with a marker, and the scalar that it is about, if there is one. */
export type Site = {
  /** From 1. */
  readonly line: number
  /** Without its `#`. */
  readonly comment: string
  /** The document of the file it stands in, from 0. */
  readonly document: number
  readonly scalar: YamlScalar | undefined
}

/**
 * Finds the markers of a file, in the order of the text.
 *
 * A marker is about the scalar before it on its line, a comma between the two or none; behind a bracket that closes it is about what is
 * in brackets, which is no scalar. Alone on the line above an item of a list it is about that item.
 */
export function findSites(documents: readonly YamlDocument[]): readonly Site[] {
  return documents.flatMap((document, index) => {
    const { text } = document.source
    const marked = document.comments.filter(({ start, end }) => text.slice(start, end).includes(MARKER_KEY))
    if (marked.length === 0) return []
    const owners = ownersOf(document)
    return marked.map(({ start, end }) => ({
      line: positionOf(document.source, start).line,
      comment: text.slice(start, end).replace(/^#+/, ''),
      document: index,
      scalar: owners.get(start),
    }))
  })
}

/** The scalars that have a comment, by where that begins. */
function ownersOf(document: YamlDocument): ReadonlyMap<number, YamlScalar> {
  const { text } = document.source
  const owners = new Map<number, YamlScalar>()
  for (const { scalar, comment } of scalarsWithComments(document))
    if (isOwn(scalar, text) && /^[\s,]*$/.test(text.slice(scalar.end, comment.start))) owners.set(comment.start, scalar)
  const commented = new Set(owners.values())
  for (const item of itemsBelow(document, commented)) owners.set(item.comment.start, item.scalar)
  return owners
}

/** Whether it stands there itself: not as an alias of another, and not as what a key without value has. */
function isOwn({ start, end }: YamlNode, text: string): boolean {
  return end > start && text[start] !== '*'
}

/** The items of lists that have a single line of comment above them, and none behind. */
function itemsBelow(document: YamlDocument, commented: ReadonlySet<YamlScalar>) {
  const { text } = document.source
  const comments = attachComments(document)
  const found: { readonly comment: YamlComment; readonly scalar: YamlScalar }[] = []
  const visit = (node: YamlNode): void => {
    if (node.kind === 'scalar') return
    const children = node.kind === 'seq' ? node.items : [...node.fields.values()]
    children.forEach(visit)
    if (node.kind === 'map') return
    for (const item of node.items) {
      if (item.kind !== 'scalar' || commented.has(item) || !isOwn(item, text)) continue
      const lines =
        comments && !node.isFlow
          ? comments.above(item.start, true).filter((line) => line !== '')
          : lineAbove(text, item.start, node.isFlow === true)
      const comment = document.comments.findLast(({ start }) => start < item.start)
      if (lines.length === 1 && comment && text.slice(comment.start, comment.end) === lines[0])
        found.push({ comment, scalar: item })
    }
  }
  if (document.root) visit(document.root)
  return found
}

/**
 * The comment on the line right above an item that begins its line, when there is no other above that: in brackets, and where comments
 * stand in places that are not known; outside of brackets it has the column of the dash.
 */
function lineAbove(text: string, start: number, isFlow: boolean): readonly string[] {
  const line = lineOf(text, start)
  const before = text.slice(line, start)
  if (!(isFlow ? /^\s*$/ : /^ *- +$/).test(before)) return []
  const [above = '', next = ''] = text
    .slice(0, Math.max(line - 1, 0))
    .split('\n')
    .slice(-2)
    .reverse()
  const isAlone = isFlow ? above.trim().startsWith('#') : above.startsWith(`${before.slice(0, before.indexOf('-'))}#`)
  return isAlone && !next.trim().startsWith('#') ? [above.trim()] : []
}
