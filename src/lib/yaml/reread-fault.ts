import { SluiceError } from '../error/sluice-error.ts'
import { goQuote } from './go-quote.ts'
import { goSyntaxError } from './go-syntax-error.ts'
import { attachComments, type NodeComments } from './node-comments.ts'
import { parseDocuments, scalarsWithComments, type YamlNode } from './nodes.ts'
import { positionOf } from './position.ts'
import { entriesOf, writeNode } from './write-nodes.ts'

/**
 * What Go's library says when it reads a tree again that it has printed: keys that stand there twice, a text that it cannot read; its
 * lines are those of the print.
 */
export function rereadFault(root: YamlNode): string | undefined {
  const text = writeNode(root, commentsOf(root))
  try {
    const [document] = parseDocuments(text)
    const faults = document?.root ? repeatedKeys(document.root) : []
    return faults.length > 0 ? `yaml: unmarshal errors:\n  ${faults.join('\n  ')}` : undefined
  } catch (error) {
    if (error instanceof SluiceError) return goSyntaxError(error, text, 'v3')
    throw error
  }
}

/** A mapping that has a key twice is not read any further. */
function repeatedKeys(node: YamlNode): string[] {
  if (node.kind === 'scalar') return []
  if (node.kind === 'seq') return node.items.flatMap(repeatedKeys)
  if (!node.overwritten) return [...node.fields.values()].flatMap(repeatedKeys)
  const entries = [...entriesOf(node)]
  return entries.flatMap(([key, first], index) =>
    entries
      .slice(index + 1)
      .filter(([other]) => other === key)
      .map(
        ([, second]) => `line ${lineOf(second)}: mapping key ${goQuote(key)} already defined at line ${lineOf(first)}`,
      ),
  )
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
  return { above: comments.above, behind: (node) => (node.source === source ? behind.get(node.end) : undefined) }
}
