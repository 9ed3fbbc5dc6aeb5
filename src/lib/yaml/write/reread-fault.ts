import { SluiceError } from '../../error/sluice-error.ts'
import { goQuote } from '../../value/go-quote.ts'
import { goSyntaxError } from '../syntax/go-syntax-error.ts'
import { attachComments, type NodeComments } from './node-comments.ts'
import { parseDocuments } from '../parse-documents.ts'
import { keepFirst, scalarsWithComments, type YamlMap, type YamlNode } from '../nodes.ts'
import { positionOf } from '../position.ts'
import { entriesOf, writeNode } from './write-nodes.ts'

/** The original lists every pair: a key that stands 100,000 times would make five thousand million lines. */
const MOST_FAULTS = 1000

/**
 * What Go's library says when it reads a tree again that it has printed: keys that stand there twice, a text that it cannot read; its
 * lines are those of the print.
 */
export function rereadFault(root: YamlNode): string | undefined {
  const text = writeNode(root, commentsOf(root))
  try {
    const [document] = parseDocuments(text)
    if (document?.root) keepFirst(document.root)
    const faults = document?.root ? [...firstOf(repeatedKeys(document.root), MOST_FAULTS)] : []
    return faults.length > 0 ? `yaml: unmarshal errors:\n  ${faults.join('\n  ')}` : undefined
  } catch (error) {
    if (error instanceof SluiceError) return goSyntaxError(error, text, 'v3')
    throw error
  }
}

/** What Go's library says of keys that stand twice when it reads the tree itself, in the lines of the text from `from` on. */
export function repeatedFault(root: YamlNode, from: number): string | undefined {
  const first = root.source ? positionOf(root.source, from).line - 1 : 0
  const faults = [...firstOf(repeatedKeys(root, first), MOST_FAULTS)]
  return faults.length > 0 ? `yaml: unmarshal errors:\n  ${faults.join('\n  ')}` : undefined
}

/** A mapping that has a key twice is not read any further. */
function* repeatedKeys(node: YamlNode, before = 0): Generator<string> {
  if (node.kind === 'scalar') return
  if (node.kind === 'seq') for (const item of node.items) yield* repeatedKeys(item, before)
  else if (node.overwritten) yield* pairsOf(node, before)
  else for (const value of node.fields.values()) yield* repeatedKeys(value, before)
}

/** Each key with all that come after it. */
function* pairsOf(node: YamlMap, before: number): Generator<string> {
  const entries = [...entriesOf(node)]
  const places = new Map<string, YamlNode[]>()
  for (const [key, value] of entries) {
    const known = places.get(key) ?? []
    known.push(value)
    places.set(key, known)
  }
  const seen = new Map<string, number>()
  for (const [key, first] of entries) {
    const from = (seen.get(key) ?? 0) + 1
    seen.set(key, from)
    const all = places.get(key) ?? []
    for (let at = from; at < all.length; at++)
      yield `line ${lineOf(all[at] ?? first) - before}: mapping key ${goQuote(key)} already defined at line ${lineOf(first) - before}`
  }
}

function* firstOf<T>(items: Iterable<T>, most: number): Generator<T> {
  let count = 0
  for (const item of items) {
    if (count++ === most) return
    yield item
  }
}

function lineOf({ source, keyStart }: YamlNode): number {
  return source ? positionOf(source, keyStart).line : 0
}

/** The comments of the text that a tree was read from, where it is known how they are printed. */
function commentsOf(root: YamlNode): NodeComments | undefined {
  const { source } = root
  if (!source?.text.includes('#')) return undefined
  const document = parseDocuments(source.text, source.file).find((one) => one.root?.start === root.start)
  const comments = document && attachComments(document)
  if (!comments) return undefined
  const behind = new Map<number, string>()
  for (const { scalar, comment } of scalarsWithComments(document))
    behind.set(scalar.end, source.text.slice(comment.start, comment.end))
  return { ...comments, behind: (node) => (node.source === source ? behind.get(node.end) : undefined) }
}
