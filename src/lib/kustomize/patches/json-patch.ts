import { SluiceError } from '../../error/sluice-error.ts'
import { goSyntaxError } from '../../yaml/syntax/go-syntax-error.ts'
import { parseDocuments } from '../../yaml/parse-documents.ts'
import { copyNode, type Within, type YamlDocument, type YamlMap, type YamlNode } from '../../yaml/nodes.ts'
import { resolvePlain } from '../../yaml/resolve.ts'
import { GoJsonError, scanGoJson } from '../../kube/go-json.ts'
import { jsonKey } from '../kustomization/old-keys.ts'
import { jsonType } from '../kustomization/decode.ts'
import { buildError, rewritten } from '../failure.ts'
import { isNull } from '../objects/null.ts'

/** A path in an object; what is wrong with it is told when the operation is run. */
export type Pointer = { readonly text: string; readonly fault?: string }

/** One operation of RFC 6902. */
export type JsonPatchOperation = {
  readonly op: string
  readonly path: Pointer
  readonly from: Pointer
  readonly value: YamlNode | undefined
  /** Whether the patch is written as JSON, whose scalars `test` compares as they are spelled. */
  readonly isJson: boolean
  readonly node: YamlNode
}

/** Runs the step that makes operations of a tree, and may add to its error. */
type Wrap = <T>(root: YamlNode, step: () => T) => T

/** Reads a JSON patch, as JSON or as YAML. @throws when the text is none */
export function parseJsonPatch(
  text: string,
  file: string,
  within?: Within,
  wrap: Wrap = (_, step) => step(),
): JsonPatchOperation[] {
  const isJson = text.startsWith('[')
  if (isJson) checkJson(text)
  const document = parseYaml(text, file, within)
  const root = document?.root
  if (root === undefined || isNull(root)) return []
  return wrap(root, () => {
    if (root.kind !== 'seq')
      throw buildError(`json: cannot unmarshal ${jsonType(root)} into Go value of type jsonpatch.Patch`, root)
    return root.items.map((item) => readOperation(item, isJson))
  })
}

function parseYaml(text: string, file: string, within: Within | undefined): YamlDocument | undefined {
  try {
    return parseDocuments(text, file, within, 'v2', 'skipped')[0]
  } catch (error) {
    if (!(error instanceof SluiceError) || error.code !== 'YAML_SYNTAX') throw error
    throw rewritten(error, () => goSyntaxError(error, text, 'v2'))
  }
}

function readOperation(item: YamlNode, isJson: boolean): JsonPatchOperation {
  if (item.kind !== 'map')
    throw buildError(`json: cannot unmarshal ${jsonType(item)} into Go value of type jsonpatch.Operation`, item)
  const value = item.fields.get('value')
  return {
    op: opOf(item.fields.get('op')),
    path: pointerOf(item.fields.get('path'), 'operation missing path field: missing value'),
    from: pointerOf(item.fields.get('from'), 'operation, missing from field: missing value'),
    value: isJson || value === undefined ? value : jsonValue(value),
    isJson,
    node: item,
  }
}

function opOf(node: YamlNode | undefined): string {
  return node?.kind === 'scalar' && !isNull(node) && jsonType(node) === 'string' ? node.value : 'unknown'
}

function pointerOf(node: YamlNode | undefined, missing: string): Pointer {
  if (node === undefined || isNull(node)) return { text: '', fault: missing }
  const type = jsonType(node)
  if (node.kind === 'scalar' && type === 'string') return { text: node.value }
  return { text: '', fault: `json: cannot unmarshal ${type} into Go value of type string` }
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
