import { parseDocuments } from '../../yaml/parse-documents.ts'
import {
  keepFirst,
  removeField,
  type Within,
  type YamlDocument,
  type YamlMap,
  type YamlNode,
  type YamlScalar,
} from '../../yaml/nodes.ts'
import { SluiceError } from '../../error/sluice-error.ts'
import { syntaxFaultOf } from '../../yaml/syntax/go-syntax-error.ts'
import { readNotes } from './build-notes.ts'
import { resolveScalar, tagOf } from '../../yaml/resolve.ts'
import { repeatedFault } from '../../yaml/write/reread-fault.ts'
import { writeNode } from '../../yaml/write/write-nodes.ts'
import { buildError, rewritten } from '../failure.ts'
import { linesNotRead, type Finding } from '../findings.ts'
import { isNull } from './null.ts'
import { spellAsJson, toJson } from './json-nodes.ts'
import { fieldMap, fieldText, filledText, newResource, type Resource } from './resource.ts'

/**
 * Reads the objects of a text; lists are replaced by their items, empty documents are skipped.
 *
 * @param find takes what is probably a mistake in the text
 * @throws SluiceError with the place, when the text is no YAML or an object has no kind or name
 */
export function readResources(
  text: string,
  file: string,
  within?: Within,
  find?: (finding: Finding) => void,
): Resource[] {
  const lines = text.includes('\r') ? text.replaceAll('\r\n', '\n') : text
  const documents = firstOfEachPart(lines, parse(lines, file, within))
  const roots = documents.flatMap(({ root }) => (root ? [root] : []))
  for (const document of find ? documents : []) {
    const notRead = linesNotRead(document)
    if (notRead) find?.(notRead)
  }
  const pending = unwrapSingle(roots).filter(isFilled).map(checkRoot)
  const resources: Resource[] = []
  for (let node = pending.shift(); node; node = pending.shift()) {
    const items = node.fields.get('items')
    const isList = fieldText(node, 'kind').endsWith('List')
    if (isList) checkListKeys(node)
    if (!isList || items === undefined) resources.push(readResource(node))
    else pending.push(...convertedItems(node, items))
  }
  return resources
}

function checkRoot(root: YamlNode): YamlMap {
  if (root.kind !== 'map')
    throw buildError('missing Resource metadata', root, 'write an object: apiVersion, kind and metadata.name')
  checkObject(root)
  return root
}

function readResource(node: YamlMap): Resource {
  const resource = newResource(node)
  const metadata = fieldMap(node, 'metadata')
  if (metadata?.overwritten) joinAnnotations(metadata)
  if (metadata?.fields.has('annotations')) readNotes(resource)
  return resource
}

/** Kustomize sets annotations anew from the first place where they stand, and so ends up with those of all places. */
function joinAnnotations(metadata: YamlMap): void {
  for (;;) {
    const first = metadata.fields.get('annotations')
    const next = metadata.overwritten?.find(({ key }) => key === 'annotations')?.value
    if (first?.kind !== 'map' || next?.kind !== 'map') return
    for (const [key, text] of first.fields) next.fields.set(key, text)
    removeField(metadata, 'annotations')
  }
}

function parse(text: string, file: string, within: Within | undefined): YamlDocument[] {
  try {
    const documents = parseDocuments(text, file, within, 'v3', 'skipped')
    for (const { root, duplicates } of documents) if (root && duplicates.length > 0) keepFirst(root)
    return documents
  } catch (error) {
    if (!(error instanceof SluiceError) || error.code !== 'YAML_SYNTAX') throw error
    if (OF_MERGE.test(error.message))
      throw new SluiceError('KUSTOMIZE_BUILD', error.message, { ...(error.where ? { where: error.where } : {}) })
    throw rewritten(error, () => faultOfParts(text) ?? `yaml: ${error.message}`)
  }
}

/** Kustomize merges by itself, when it has read the text. */
const OF_MERGE = /^(map merge requires|invalid map merge|duplicate merge key)/

const SEPARATOR = /\n---(.*)\n/g

/** Kustomize cuts a text at lines that start with `---`, and reads one document of each part. */
function firstOfEachPart(text: string, documents: readonly YamlDocument[]): readonly YamlDocument[] {
  const starts = separatorsOf(text, documents[0]?.root).map(({ index }) => index)
  const fault = CUT_OFF.test(text) ? faultOfParts(text) : undefined
  if (fault) throw new SluiceError('YAML_SYNTAX', fault, { hint: 'leave the lines out that begin with % or with ...' })
  if (starts.length === 0 && documents.length < 2) return documents
  const seen = new Set<number>()
  return documents.filter(({ root }) => {
    const part = root ? starts.filter((start) => start < root.start).length : -1
    if (part < 0 || seen.has(part)) return false
    seen.add(part)
    return true
  })
}

/** Lines that do no harm but where they are cut off from the document that they belong to. */
const CUT_OFF = /^(?:%|\.\.\.(?:\s|$))/m

/** The lines that kustomize cuts a text at. */
function separatorsOf(text: string, place?: YamlNode): readonly { readonly index: number; readonly line: string }[] {
  if (!text.includes('\n---')) return []
  return [...text.matchAll(SEPARATOR)].map(({ index, 0: line, 1: rest = '' }) => {
    if (/^\s*[^#\s]/.test(rest))
      throw buildError(`invalid document separator: ${line.trim()}`, place, 'let the line be `---` alone')
    return { index, line }
  })
}

/** What the YAML library says of the first part that it cannot read; every part has its own lines. */
function faultOfParts(text: string): string | undefined {
  let from = 0
  for (const { index, line } of [...separatorsOf(text), { index: text.length, line: '' }]) {
    const isLast = index === text.length
    const fault = syntaxFaultOf(text.slice(from, isLast ? index : index + 1), 'v3')
    if (fault) return fault
    from = index + line.length
  }
  return undefined
}

/** A List that is all there is gives its items as they are written; any other list sends them through JSON. */
function unwrapSingle(roots: readonly YamlNode[]): readonly YamlNode[] {
  const [list, second] = roots.filter(isFilled)
  if (list?.kind !== 'map' || second || !['List', 'ResourceList'].includes(fieldText(list, 'kind'))) return roots
  const items = list.fields.get('items')
  if (items === undefined && !list.fields.has('functionConfig')) return roots
  return items?.kind === 'seq' ? itemsOf(list, items) : []
}

/** Kustomize decodes what may be a list before it looks for items. */
function checkListKeys(list: YamlMap): void {
  const before = list.source?.text.slice(0, list.start) ?? ''
  const separator = before.lastIndexOf('\n---')
  const fault = repeatedFault(list, separator < 0 ? 0 : before.indexOf('\n', separator + 1) + 1)
  if (fault !== undefined)
    throw buildError(
      `trouble expanding list of ${fieldText(list, 'kind')}; received error ${fault} for the following resource:\n${writeNode(list)}`,
      list,
    )
}

function convertedItems(list: YamlMap, items: YamlNode): YamlMap[] {
  toJson(list)
  return itemsOf(list, items).map((item) => {
    spellAsJson(item)
    checkObject(item)
    return item
  })
}

/** Reads the objects of a text that a scalar of another file holds. */
export function readInside(text: string, scalar: YamlNode | undefined): Resource[] {
  return readResources(text, ...insideOf(text, scalar))
}

/** The file of a text that a scalar holds, perhaps without the blanks around it. */
export function insideOf(text: string, scalar: YamlNode | undefined): [file: string, within: Within | undefined] {
  const file = scalar?.source?.file ?? 'kustomization.yaml'
  if (scalar?.kind !== 'scalar' || !scalar.source?.text) return [file, undefined]
  return [file, { scalar, offset: Math.max(scalar.value.indexOf(text), 0) }]
}

function itemsOf(list: YamlMap, items: YamlNode): YamlMap[] {
  if (isNull(items)) return []
  if (items.kind !== 'seq')
    throw buildError(`expected array in ${fieldText(list, 'kind')}/items, but found ${goTypeOf(items)}`, items)
  return items.items.map((item) => {
    if (item.kind === 'map') return item
    throw buildError('an item of a list is no object', item)
  })
}

/** As Go calls the type of a decoded value. */
function goTypeOf(node: YamlMap | YamlScalar): string {
  if (node.kind === 'map') return 'map[string]interface {}'
  const value = resolveScalar(node)
  if (typeof value === 'boolean') return 'bool'
  if (typeof value !== 'number') return typeof value === 'bigint' ? 'int' : 'string'
  return tagOf(node) === '!!float' ? 'float64' : 'int'
}

/** Refuses what does not say what it is. @throws SluiceError with kustomize's text */
export function checkObject(node: YamlMap): void {
  if (!hasMetadata(node)) throw buildError('missing Resource metadata', node, 'add apiVersion, kind and metadata.name')
  if (kindOf(node) === '')
    throw buildError(`missing kind in object ${goMetadata(node)}`, node, 'add apiVersion and kind')
  if (!isNamed(node)) throw buildError(`missing metadata.name in object ${goMetadata(node)}`, node, 'add metadata.name')
}

/** Whether an object has a kind and a name, or is a list and needs none. */
export function isNamed(node: YamlMap): boolean {
  const kind = kindOf(node)
  return kind !== '' && (kind.endsWith('List') || filledText(fieldMap(node, 'metadata'), 'name') !== '')
}

/** Whether anything tells what the object is. */
function hasMetadata({ fields }: YamlMap): boolean {
  if (['apiVersion', 'kind'].some((name) => isFilled(fields.get(name)))) return true
  const metadata = fields.get('metadata')
  return (
    metadata?.kind === 'map' &&
    ['name', 'namespace', 'labels', 'annotations'].some((name) => isFilled(metadata.fields.get(name)))
  )
}

function kindOf(node: YamlMap): string {
  return isFilled(node.fields.get('kind')) ? fieldText(node, 'kind') : ''
}

function isFilled(node: YamlNode | undefined): boolean {
  if (node === undefined || isNull(node)) return false
  return node.kind === 'scalar' || (node.kind === 'map' ? node.fields.size > 0 : node.items.length > 0)
}

/** As Go prints a struct of type and metadata. */
function goMetadata(node: YamlMap): string {
  const metadata = fieldMap(node, 'metadata')
  const map = (name: string): string => {
    const fields = [...(fieldMap(metadata, name)?.fields ?? [])].sort(([a], [b]) => (a < b ? -1 : 1))
    return `map[${fields.map(([key, value]) => `${key}:${value.kind === 'scalar' ? value.value : ''}`).join(' ')}]`
  }
  return `{{${filledText(node, 'apiVersion')} ${kindOf(node)}} {{${filledText(metadata, 'name')} ${filledText(metadata, 'namespace')}} ${map('labels')} ${map('annotations')}}}`
}

/** Whether an error says that a text is no YAML at all. */
export function isMalformed(error: unknown): boolean {
  return error instanceof SluiceError && (error.code === 'YAML_SYNTAX' || error.code === 'YAML_LIMIT')
}
