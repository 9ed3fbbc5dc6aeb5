import { SluiceError } from '../../lib/error/sluice-error.ts'
import { attachComments } from '../../lib/yaml/write/node-comments.ts'
import { parseDocuments } from '../../lib/yaml/parse-documents.ts'
import { type YamlDocument, type YamlMap, type YamlNode } from '../../lib/yaml/nodes.ts'
import { tagOf } from '../../lib/yaml/resolve.ts'
import { writeNode } from '../../lib/yaml/write/write-nodes.ts'

const LARGEST = 1024 * 1024

/**
 * Prints a YAML file anew, as Flux does with one whose markers it followed: two spaces, lists indented as the first one is, no blank
 * lines but around comments, nothing of documents that hold nothing.
 *
 * @returns undefined where it is not known how Flux prints it: comments in odd places, anchors, a list at the top; or above 1 MiB
 */
export function printAnew(text: string): string | undefined {
  if (text.length > LARGEST) return undefined
  const parts = text.replaceAll('\r\n', '\n').split(/\n---.*\n/)
  const printed: string[] = []
  for (const [index, part] of parts.entries()) {
    const one = printDocument(index === parts.length - 1 ? part : `${part}\n`)
    if (one === undefined) return undefined
    if (one !== '') printed.push(one)
  }
  return printed.join('---\n')
}

function printDocument(text: string): string | undefined {
  const documents = readDocuments(text)
  if (documents === undefined || documents.length > 1) return undefined
  const [document] = documents
  const root = document?.root
  if (!document || !root || (root.kind === 'scalar' && tagOf(root) === '!!null')) return ''
  if (root.kind !== 'map' || document.hasAnchors || document.duplicates.length > 0 || isList(root) || isOdd(root))
    return undefined
  const comments = attachComments(document)
  if (!comments) return undefined
  dropEmptyAnnotations(root)
  return writeNode(root, comments, seqIndentOf(text))
}

/** Undefined where the text is no YAML. */
function readDocuments(text: string): readonly YamlDocument[] | undefined {
  try {
    return parseDocuments(text)
  } catch (error) {
    if (error instanceof SluiceError) return undefined
    throw error
  }
}

/** Whether something in it has a key that is no text, as templates have: `{{ .name }}`. */
function isOdd(node: YamlNode): boolean {
  if (node.kind === 'scalar') return false
  if (node.kind === 'map' && node.collectionKeys) return true
  return [...(node.kind === 'seq' ? node.items : node.fields.values())].some(isOdd)
}

/** A list of objects is read as those objects, and then has no file to be written to. */
function isList({ fields }: YamlMap): boolean {
  const kind = fields.get('kind')
  return fields.has('items') && kind?.kind === 'scalar' && /^(?:Resource)?List$/.test(kind.value)
}

/** Flux notes the file in the annotations, and takes them away when nothing else is left in them. */
function dropEmptyAnnotations({ fields }: YamlMap): void {
  const metadata = fields.get('metadata')
  if (metadata?.kind !== 'map') return
  if (isNothing(metadata.fields.get('annotations'))) metadata.fields.delete('annotations')
  if (isNothing(metadata)) fields.delete('metadata')
}

function isNothing(node: YamlNode | undefined): boolean {
  if (node?.kind === 'map') return node.fields.size === 0
  return node?.kind === 'scalar' && tagOf(node) === '!!null'
}

/** Lists stand two columns deeper than their keys where the first one of the text does. */
function seqIndentOf(text: string): 0 | 2 {
  const lines = text.split('\n')
  for (const [index, line] of lines.entries()) {
    const column = /^( *)- /.exec(line)?.[1]?.length
    if (column === undefined) continue
    const key = keyLineAbove(lines, index)
    if (!/^[^:]*: *$/.test(key) || key.trim() === '') continue
    const deeper = column - (key.length - key.trimStart().length)
    if (deeper === 0 || deeper === 2) return deeper
  }
  return 0
}

function keyLineAbove(lines: readonly string[], from: number): string {
  for (let index = from - 1; index >= 0; index--) {
    const line = lines[index] ?? ''
    if (!line.trim().startsWith('#')) return line.split('#')[0] ?? ''
  }
  return ''
}
