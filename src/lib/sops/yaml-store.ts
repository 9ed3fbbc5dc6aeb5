import { SluiceError } from '../error/sluice-error.ts'
import { formatFloat } from '../yaml/write/go-numbers.ts'
import { duplicateKeyError, parseDocuments } from '../yaml/parse-documents.ts'
import { type YamlNode, type YamlScalar } from '../yaml/nodes.ts'
import { parseTimestamp, resolveScalar } from '../yaml/resolve.ts'
import { writeString } from '../yaml/write/write-scalar.ts'
import { leaf, parseFloatText, plainNumber, type SopsLeaf, type SopsMap, type SopsNode } from './tree.ts'

const INDENT = 4

/** Reads every document of a YAML text, fields in order; comments are left out. @throws SluiceError YAML_SYNTAX, SOPS_DECRYPT */
export function loadYaml(text: string): readonly SopsMap[] {
  return parseDocuments(text, '<sops>').map((document) => {
    const duplicate = duplicateKeyError(document)
    if (duplicate) throw duplicate
    const { root } = document
    if (root === undefined) return { kind: 'map', entries: [] }
    const node = fromYaml(root)
    if (node.kind !== 'map')
      throw new SluiceError('SOPS_DECRYPT', 'YAML documents that are no mappings are not supported')
    return node
  })
}

/** Writes documents as SOPS does: four spaces a level, sequences indented below their key. */
export function emitYaml(documents: readonly SopsMap[]): string {
  return documents
    .map((document) => (document.entries.length === 0 ? '{}\n' : `${writeMap(document, 0)}\n`))
    .join('---\n')
}

function fromYaml(node: YamlNode): SopsNode {
  if (node.kind === 'map')
    return { kind: 'map', entries: [...node.fields].map(([key, value]) => ({ key, value: fromYaml(value) })) }
  if (node.kind === 'seq') return { kind: 'list', items: node.items.map(fromYaml) }
  return scalarLeaf(node)
}

function scalarLeaf(node: YamlScalar): SopsLeaf {
  const time = node.style === 'plain' && node.tag === '' ? parseTimestamp(node.value) : undefined
  if (time !== undefined) return leaf('time', time)
  const value = resolveScalar(node)
  if (value === null) return leaf('null', '')
  if (typeof value === 'boolean') return leaf('bool', value ? 'True' : 'False')
  if (typeof value === 'string') return leaf('str', value)
  if (typeof value === 'bigint' || (Number.isInteger(value) && !/[.eE]/.test(node.value)))
    return leaf('int', String(value))
  return leaf('float', plainNumber(value))
}

function writeMap(map: SopsMap, column: number): string {
  const pad = ' '.repeat(column)
  const fields = map.entries.flatMap((entry) => {
    if (!('key' in entry)) return []
    const key = writeString(entry.key, 0, 0, true)
    return [`${key}:${writeBelow(entry.value, column)}`]
  })
  return fields.join(`\n${pad}`)
}

/** What follows a key: a value on its line, or a block below it. */
function writeBelow(node: SopsNode, column: number): string {
  const inner = column + INDENT
  const pad = ' '.repeat(inner)
  if (node.kind === 'map') return node.entries.length === 0 ? ' {}' : `\n${pad}${writeMap(node, inner)}`
  if (node.kind === 'list') return node.items.length === 0 ? ' []' : `\n${pad}${writeItems(node.items, inner)}`
  return node.kind === 'leaf' ? ` ${writeLeaf(node, inner)}` : ''
}

function writeItems(items: readonly SopsNode[], column: number): string {
  const written = items
    .filter(({ kind }) => kind !== 'comment')
    .map((item) => {
      if (item.kind === 'map') return `- ${item.entries.length === 0 ? '{}' : writeMap(item, column + 2)}`
      if (item.kind === 'list') return `- ${item.items.length === 0 ? '[]' : writeItems(item.items, column + 2)}`
      return item.kind === 'leaf' ? `- ${writeLeaf(item, column + 2)}` : ''
    })
  return written.join(`\n${' '.repeat(column)}`)
}

function writeLeaf({ type, bytes }: SopsLeaf, indent: number): string {
  const text = bytes.toString('utf8')
  if (type === 'str') return text === '' ? '""' : writeString(text, 0, indent, false)
  if (type === 'null') return 'null'
  if (type === 'float') return formatFloat(parseFloatText(text))
  return type === 'bool' ? text.toLowerCase() : text
}
