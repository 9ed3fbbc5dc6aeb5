import { copyNode, parseDocuments, type Within, type YamlMap, type YamlNode } from '../yaml/nodes.ts'
import { resolvePlain } from '../yaml/resolve.ts'
import { GoJsonError, scanGoJson } from '../kube/go-json.ts'
import { jsonKey } from './old-keys.ts'
import { jsonType } from './decode.ts'
import { buildError } from './failure.ts'
import { isNull } from './null.ts'
import { fieldText } from './resource.ts'

/** One operation of RFC 6902. */
export type JsonPatchOperation = {
  readonly op: string
  readonly path: string
  readonly from: string
  readonly value: YamlNode | undefined
  /** Whether the patch is written as JSON, whose scalars `test` compares as they are spelled. */
  readonly isJson: boolean
  readonly node: YamlNode
}

/** Reads a JSON patch, as JSON or as YAML. @throws when the text is none */
export function parseJsonPatch(text: string, file: string, within?: Within): JsonPatchOperation[] {
  const isJson = text.startsWith('[')
  if (isJson) checkJson(text)
  const [document] = parseDocuments(text, file, within, 'v2')
  const root = document?.root
  if (root === undefined || isNull(root)) return []
  if (root.kind !== 'seq')
    throw buildError(`json: cannot unmarshal ${jsonType(root)} into Go value of type jsonpatch.Patch`, root)
  return root.items.map((item) => readOperation(item, isJson))
}

function readOperation(item: YamlNode, isJson: boolean): JsonPatchOperation {
  if (item.kind !== 'map')
    throw buildError(`json: cannot unmarshal ${jsonType(item)} into Go value of type jsonpatch.Operation`, item)
  const value = item.fields.get('value')
  return {
    op: item.fields.has('op') ? fieldText(item, 'op') : 'unknown',
    path: fieldText(item, 'path'),
    from: fieldText(item, 'from'),
    value: isJson || value === undefined ? value : jsonValue(value),
    isJson,
    node: item,
  }
}

/** What begins like JSON must be JSON. */
function checkJson(text: string): void {
  try {
    scanGoJson(text)
  } catch (error) {
    if (error instanceof GoJsonError) throw buildError(error.message)
    throw error
  }
}

/** What YAML becomes as JSON by the old rules, where `yes` is true, also as a key, and a date is a text. */
export function jsonValue(node: YamlNode): YamlNode {
  if (node.kind === 'map') return jsonMap(node)
  if (node.kind === 'seq') return { ...node, items: node.items.map(jsonValue) }
  const copy = copyNode(node)
  if (copy.kind !== 'scalar' || copy.tag !== '') return copy
  if (copy.style === 'folded') copy.style = 'literal'
  if (copy.style !== 'plain') return copy
  const value = resolvePlain(copy.value, 'v2')
  if (typeof value === 'boolean') copy.value = String(value)
  else if (typeof value === 'string') copy.tag = '!!str'
  else if (copy.value === '-0') copy.value = '0'
  return copy
}

function jsonMap(map: YamlMap): YamlMap {
  const { otherKey: _, typedKey: __, oldKeys: ___, ...rest } = map
  const fields = new Map<string, YamlNode>()
  for (const [key, value] of map.fields) fields.set(jsonKey(map, key, value), jsonValue(value))
  return { ...rest, fields }
}
