import { SluiceError } from '../../lib/error/sluice-error.ts'
import { attachComments, type NodeComments } from '../../lib/yaml/write/node-comments.ts'
import { parseDocuments } from '../../lib/yaml/parse-documents.ts'
import { type YamlDocument, type YamlMap, type YamlNode, type YamlSeq } from '../../lib/yaml/nodes.ts'
import { tagOf } from '../../lib/yaml/resolve.ts'
import { writeNode } from '../../lib/yaml/write/write-nodes.ts'

const LARGEST = 1024 * 1024

/**
 * Prints a YAML file anew, as Flux does with one whose markers it followed: two spaces, lists indented as the first one is, no blank
 * lines but around comments, nothing of documents that hold nothing.
 *
 * @returns undefined where it is not known how Flux prints it: comments in odd places, a list at the top; or above 1 MiB
 */
export function printAnew(text: string): string | undefined {
  if (text.length > LARGEST) return undefined
  const parts = partsOf(text)
  const printed: string[] = []
  for (const part of parts) {
    const one = printPart(part)
    if (one === undefined) return undefined
    if (one !== '') printed.push(one)
  }
  return printed.join('---\n')
}

/**
 * Prints each object of a List anew, as Flux does with a file that is one.
 *
 * @returns undefined where it is not known how Flux prints it
 */
export function printItems(text: string): readonly string[] | undefined {
  const [part = ''] = partsOf(text)
  const known = text.length > LARGEST ? undefined : readPart(part)
  const items = known && listedIn(known.root)
  if (!known || !items) return undefined
  const { comments } = known
  const printed: string[] = []
  for (const item of items.items) {
    const lines = comments.above(item.start, true)
    if (item.kind !== 'map' || lines.includes('') || comments.below(item.start, true).length > 0) return undefined
    dropAnnotations(item)
    const above: NodeComments['above'] = (offset, isItem) =>
      !isItem && offset === item.start ? [...lines, ...comments.above(offset, isItem)] : comments.above(offset, isItem)
    printed.push(writeNode(item, { ...comments, above, header: [], footer: [] }))
  }
  return printed
}

/** The objects of a file that Flux takes for a list: it reads them, and not what is around them. */
export function listedIn(root: YamlNode | undefined): YamlSeq | undefined {
  if (root?.kind !== 'map') return undefined
  const kind = root.fields.get('kind')
  if (kind?.kind !== 'scalar' || !/^(?:Resource)?List$/.test(kind.value)) return undefined
  const items = root.fields.get('items')
  if (!items && !root.fields.has('functionConfig')) return undefined
  return items?.kind === 'seq' ? items : EMPTY
}

const EMPTY: YamlSeq = { kind: 'seq', items: [], tag: '', source: undefined, start: 0, end: 0, keyStart: -1 }

/** The documents of a file as Flux parts them, before it reads any. */
export function partsOf(text: string): readonly string[] {
  const parts = text.replaceAll('\r\n', '\n').split(/\n---.*\n/)
  return parts.map((part, index) => (index === parts.length - 1 ? part : `${part}\n`))
}

function printPart(text: string): string | undefined {
  const known = readPart(text)
  if (!known) return undefined
  const { root, comments } = known
  if (!root || isNull(root)) return ''
  dropAnnotations(root)
  return writeNode(root, comments, seqIndentOf(text))
}

type Part = { readonly root: YamlMap | undefined; readonly comments: NodeComments }

/** Undefined where it is no mapping, or not known how it is printed. */
function readPart(text: string): Part | undefined {
  const documents = readDocuments(text)
  if (documents === undefined || documents.length > 1) return undefined
  const [document] = documents
  const root = document?.root
  if (!document || !root || isNull(root)) return { root: undefined, comments: NO_COMMENTS }
  if (root.kind !== 'map' || document.duplicates.length > 0 || isOdd(root)) return undefined
  const comments = attachComments(document)
  return comments && { root, comments }
}

const NO_COMMENTS: NodeComments = {
  above: () => [],
  below: () => [],
  behind: () => undefined,
  behindKey: () => undefined,
  header: [],
  footer: [],
}

/** Undefined where the text is no YAML. */
function readDocuments(text: string): readonly YamlDocument[] | undefined {
  try {
    return parseDocuments(text, undefined, undefined, 'v3', 'refused', 'kept')
  } catch (error) {
    if (error instanceof SluiceError) return undefined
    throw error
  }
}

/** Whether something in it has a key that is no text, as templates have: `{{ .name }}`; or one with a name or tag of its own. */
function isOdd(node: YamlNode): boolean {
  if (node.kind === 'scalar') return false
  if (node.kind === 'seq') return node.items.some(isOdd)
  if (node.collectionKeys) return true
  return [...node.fields].some(
    ([key, value]) => isOdd(value) || (key !== '<<' && /[&*!]/.test(node.source?.text[value.keyStart] ?? '')),
  )
}

/** Flux notes the file and more in the annotations, takes that away again, and with it annotations and metadata that then are empty. */
function dropAnnotations({ fields }: YamlMap): void {
  const metadata = fields.get('metadata')
  if (isNothing(metadata)) fields.delete('metadata')
  if (metadata?.kind !== 'map') return
  const annotations = metadata.fields.get('annotations')
  if (annotations?.kind === 'map') for (const name of NOTED) annotations.fields.delete(name)
  if (isNothing(annotations)) metadata.fields.delete('annotations')
  if (isNothing(metadata)) fields.delete('metadata')
}

/** The annotations that kyaml takes for its own. */
const NOTED = ['path', 'index']
  .flatMap((name) => [`config.kubernetes.io/${name}`, `internal.config.kubernetes.io/${name}`])
  .concat('internal.config.kubernetes.io/seqindent')

function isNothing(node: YamlNode | undefined): boolean {
  return node?.kind === 'map' ? node.fields.size === 0 : isNull(node)
}

function isNull(node: YamlNode | undefined): boolean {
  return node?.kind === 'scalar' && !node.isAlias && tagOf(node) === '!!null'
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
