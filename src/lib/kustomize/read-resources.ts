import { duplicateKeyError, parseDocuments, type Within, type YamlMap, type YamlNode } from '../yaml/nodes.ts'
import { SluiceError } from '../error/sluice-error.ts'
import { buildError } from './failure.ts'
import { isNull } from './field-spec.ts'
import { fieldMap, fieldText, newResource, type Resource } from './resource.ts'

/**
 * Reads the objects of a text; lists are replaced by their items, empty documents are skipped.
 *
 * @throws SluiceError with the place, when the text is no YAML or an object has no kind or name
 */
export function readResources(text: string, file: string, within?: Within): Resource[] {
  const pending: YamlMap[] = []
  for (const document of parseDocuments(text.includes('\r') ? text.replaceAll('\r\n', '\n') : text, file, within)) {
    if (document.root === undefined || isNull(document.root)) continue
    if (document.root.kind !== 'map')
      throw buildError(
        'wrong node kind: expected MappingNode but got ' +
          (document.root.kind === 'seq' ? 'SequenceNode' : 'ScalarNode'),
        document.root,
      )
    if (document.root.fields.size === 0) continue
    const duplicate = duplicateKeyError(document)
    if (duplicate) throw duplicate
    pending.push(document.root)
  }
  const resources: Resource[] = []
  for (let node = pending.shift(); node; node = pending.shift()) {
    checkObject(node)
    const items = node.fields.get('items')
    if (!fieldText(node, 'kind').endsWith('List') || items === undefined) resources.push(newResource(node))
    else pending.push(...itemsOf(node, items))
  }
  return resources
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
    throw buildError(
      `expected array in ${fieldText(list, 'kind')}/items, but found ${items.kind === 'map' ? 'map[string]interface {}' : 'string'}`,
      items,
    )
  return items.items.map((item) => {
    if (item.kind === 'map') return item
    throw buildError('an item of a list is no object', item)
  })
}

function checkObject(node: YamlMap): void {
  const kind = fieldText(node, 'kind')
  if (kind === '') throw buildError(`missing kind in object ${goMetadata(node)}`, node, 'add apiVersion and kind')
  if (!kind.endsWith('List') && fieldText(fieldMap(node, 'metadata'), 'name') === '')
    throw buildError(`missing metadata.name in object ${goMetadata(node)}`, node, 'add metadata.name')
  const empty = emptyItem(node, '')
  if (empty !== undefined)
    throw buildError(`empty item at ${empty} in object ${kind}`, node, 'remove the empty list item')
}

/** As Go prints a struct of type and metadata. */
function goMetadata(node: YamlMap): string {
  const metadata = fieldMap(node, 'metadata')
  const map = (name: string): string => {
    const pairs = [...(fieldMap(metadata, name)?.fields ?? [])].map(
      ([key, value]) => `${key}:${value.kind === 'scalar' ? value.value : ''}`,
    )
    return `map[${pairs.sort().join(' ')}]`
  }
  return `{{${fieldText(node, 'apiVersion')} ${fieldText(node, 'kind')}} {{${fieldText(metadata, 'name')} ${fieldText(metadata, 'namespace')}} ${map('labels')} ${map('annotations')}}}`
}

/** Path of a null inside a list, if there is one. */
function emptyItem(node: YamlNode, path: string): string | undefined {
  if (node.kind === 'scalar') return undefined
  if (node.kind === 'map') {
    for (const [key, value] of node.fields) {
      if (value.kind === 'scalar') continue
      const found = emptyItem(value, `${path}/${key}`)
      if (found !== undefined) return found
    }
    return undefined
  }
  for (const [index, item] of node.items.entries()) {
    if (isNull(item)) return `${path}/${index}`
    const found = emptyItem(item, `${path}/${index}`)
    if (found !== undefined) return found
  }
  return undefined
}

/** Whether an error says that a text is no YAML at all. */
export function isMalformed(error: unknown): boolean {
  return error instanceof SluiceError && (error.code === 'YAML_SYNTAX' || error.code === 'YAML_LIMIT')
}
