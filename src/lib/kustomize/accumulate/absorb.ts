import { mapNode, stringNode, putField } from '../../yaml/make-nodes.ts'
import { type YamlNode } from '../../yaml/nodes.ts'
import { objectText } from '../objects/build-notes.ts'
import type { Rules } from '../compat.ts'
import { wrapBase64 } from '../generate/generate.ts'
import type { Accumulator } from './accumulator.ts'
import { buildError } from '../failure.ts'
import { formatId, goId, idKey } from '../objects/ids.ts'
import { isNull } from '../objects/null.ts'
import {
  currentId,
  currentKey,
  fieldMap,
  fieldText,
  metadataOf,
  setText,
  setTextMap,
  textMap,
  type Resource,
} from '../objects/resource.ts'
import { anyIdIndex } from '../patches/transform-patches.ts'
import { inherit, placeLike } from '../objects/provenance.ts'

/** Adds a generated object, or merges it into or replaces the one that is there. */
export function absorb(into: Accumulator, resource: Resource, rules: Rules): void {
  const id = currentId(resource)
  const matches = anyIdIndex(into.resources).get(idKey(id)) ?? []
  const [old, second] = matches
  if (second) {
    const listed = matches.map(objectText).join(' ')
    throw buildError(`found multiple objects [${listed}] that could accept merge of ${formatId(id)}`, resource.node)
  }
  if (!old) {
    if (resource.behavior === 'merge' || resource.behavior === 'replace')
      throw buildError(
        `id ${goId(id)} does not exist; cannot merge or replace`,
        resource.node,
        'use behavior create, or fix the name',
      )
    into.keys?.add(currentKey(resource))
    into.resources.push(resource)
    return
  }
  if (resource.behavior !== 'merge' && resource.behavior !== 'replace') {
    const behavior = resource.behavior ?? 'unspecified'
    throw buildError(
      `id ${goId(id)} exists; can not use behavior: '${behavior}', behavior must be merge or replace`,
      resource.node,
      'set behavior: merge or replace',
    )
  }
  takeOver(resource, old)
  if (resource.behavior === 'merge') {
    resource.origin = old.origin ?? resource.origin
    if (rules.keepsStringData && fieldText(resource.node, 'kind') === 'Secret') encodeStringData(old)
    mergeTexts(resource, old, 'data')
    mergeTexts(resource, old, 'binaryData')
  }
  resource.behavior = old.behavior
  into.resources[into.resources.indexOf(old)] = resource
}

/** Labels, annotations, name, namespace and history of the old object; the new one's labels and annotations win. */
function takeOver(resource: Resource, old: Resource): void {
  for (const field of ['labels', 'annotations'] as const) {
    const own = fieldMap(resource.node.fields.get('metadata'), field)
    const known = fieldMap(old.node.fields.get('metadata'), field)
    setTextMap(resource, field, new Map([...textMap(old, field), ...textMap(resource, field)]))
    for (const [key, text] of fieldMap(resource.node.fields.get('metadata'), field)?.fields ?? [])
      takePlace(text, own?.fields.get(key), known?.fields.get(key))
  }
  const { name, namespace } = currentId(old)
  const metadata = metadataOf(resource)
  for (const [key, field] of metadataOf(old).fields) {
    const own = metadata.fields.get(key)
    if (own?.kind === 'scalar') takePlace(own, undefined, field)
  }
  setText(metadata, 'name', name, '')
  if (namespace === '') metadata.fields.delete('namespace')
  else setText(metadata, 'namespace', namespace, '!!str')
  resource.needsHash = resource.needsHash && old.needsHash
  resource.previousIds = [...old.previousIds]
  resource.hasOddIds = old.hasOddIds
  resource.prefixes = [...old.prefixes]
  resource.suffixes = [...old.suffixes]
  resource.varNames = [...old.varNames]
  resource.transformations = [...old.transformations]
}

/** The place is that of the value; what came before it is that of the one that it takes the place of. */
function takePlace(fresh: YamlNode, own: YamlNode | undefined, known: YamlNode | undefined): YamlNode {
  const place = own ?? known
  if (place) placeLike(fresh, place)
  return inherit(fresh, known ?? own)
}

/** Puts `stringData` into `data`, as the API server does. */
function encodeStringData({ node }: Resource): void {
  const plain = fieldMap(node, 'stringData')
  if (!plain) return
  const data = fieldMap(node, 'data') ?? mapNode()
  for (const [key, text] of plain.fields)
    if (text.kind === 'scalar') putField(data, key, takePlace(stringNode(wrapBase64(text.value)), text, undefined))
  node.fields.set('data', data)
  node.fields.delete('stringData')
}

function mergeTexts(resource: Resource, old: Resource, field: 'data' | 'binaryData'): void {
  const merged = mapNode()
  for (const source of [fieldMap(old.node, field), fieldMap(resource.node, field)])
    for (const [key, value] of source?.fields ?? [])
      putField(
        merged,
        key,
        takePlace(
          stringNode(isNull(value) || value.kind !== 'scalar' ? '' : value.value),
          value,
          merged.fields.get(key),
        ),
      )
  resource.node.fields.delete(field)
  if (merged.fields.size > 0) resource.node.fields.set(field, merged)
}
