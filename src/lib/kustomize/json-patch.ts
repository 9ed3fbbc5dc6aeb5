import {
  copyNode,
  parseDocuments,
  seqNode,
  type Within,
  type YamlMap,
  type YamlNode,
  type YamlSeq,
} from '../yaml/nodes.ts'
import { formatJsonNumber } from '../yaml/go-numbers.ts'
import { resolvePlain } from '../yaml/resolve.ts'
import { refold } from '../yaml/refold.ts'
import { toValue } from '../yaml/to-value.ts'
import { countNodes } from '../yaml/merge-keys.ts'
import { buildError, failure } from './failure.ts'
import { isNull } from './field-spec.ts'
import { fieldText } from './resource.ts'
import { inherit } from './provenance.ts'

/** One operation of RFC 6902. */
export type JsonPatchOperation = {
  readonly op: string
  readonly path: string
  readonly from: string
  readonly value: YamlNode | undefined
  readonly node: YamlNode
}

/** Reads a JSON patch, as JSON or as YAML. @throws when the text is none */
export function parseJsonPatch(text: string, file: string, within?: Within): JsonPatchOperation[] {
  if (text.startsWith('[')) checkJson(text)
  const [document] = parseDocuments(text, file, within)
  const root = document?.root
  if (root === undefined || isNull(root)) return []
  if (root.kind !== 'seq')
    throw buildError(
      `json: cannot unmarshal ${root.kind === 'map' ? 'object' : 'string'} into Go value of type jsonpatch.Patch`,
      root,
    )
  return root.items.map((item) => {
    if (item.kind !== 'map')
      throw buildError('json: cannot unmarshal value into Go value of type jsonpatch.Operation', item)
    return {
      op: fieldText(item, 'op'),
      path: fieldText(item, 'path'),
      from: fieldText(item, 'from'),
      value: text.startsWith('[') ? item.fields.get('value') : jsonValue(item.fields.get('value')),
      node: item,
    }
  })
}

/** What begins like JSON must be JSON. */
function checkJson(text: string): void {
  try {
    JSON.parse(text)
  } catch (error) {
    throw buildError(error instanceof Error ? error.message : String(error))
  }
}

/** A patch in YAML becomes JSON by the old rules, where `yes` is true and a date is a text. */
function jsonValue(node: YamlNode | undefined): YamlNode | undefined {
  if (node?.kind === 'map') for (const value of node.fields.values()) jsonValue(value)
  else if (node?.kind === 'seq') node.items.forEach(jsonValue)
  else if (node && node.tag === '' && node.style === 'plain') {
    const value = resolvePlain(node.value, 'v2')
    if (typeof value === 'boolean') node.value = String(value)
    else if (typeof value === 'string') node.tag = '!!str'
  }
  return node
}

/** Applies operations to an object in place, by the rules and with the texts of evanphx/json-patch. */
export function applyJsonPatch(object: YamlMap, operations: readonly JsonPatchOperation[]): void {
  asJson(object)
  for (const operation of operations) applyOne(object, operation)
}

/** Kustomize sends the object through JSON: nulls, numbers and times are spelled as JSON spells them from here on. */
function asJson(node: YamlNode): void {
  if (node.kind === 'map') for (const value of node.fields.values()) asJson(value)
  else if (node.kind === 'seq') node.items.forEach(asJson)
  else if (node.style === 'folded') {
    node.value = refold(node.value)
    node.style = 'literal'
  } else if (node.tag === '' && node.style === 'plain') {
    const value = resolvePlain(node.value)
    if (typeof value === 'string') node.tag = '!!str'
    node.value = typeof value === 'number' ? formatJsonNumber(value) : String(value)
    if (node.touch) node.touch = { ...node.touch, value: node.value }
  }
}

function applyOne(object: YamlMap, operation: JsonPatchOperation): void {
  switch (operation.op) {
    case 'add':
      return add(object, operation, operation.path, valueOf(operation))
    case 'remove':
      return remove(object, operation)
    case 'replace':
      return replace(object, operation)
    case 'move':
      return move(object, operation)
    case 'copy':
      return add(object, operation, operation.path, copyOnce(read(object, operation, operation.from, 'copy')))
    case 'test':
      return test(object, operation)
    default:
      throw fault(operation, `Unexpected kind: ${operation.op}`)
  }
}

function valueOf(operation: JsonPatchOperation): YamlNode {
  if (operation.value === undefined)
    return { ...seqNode(), kind: 'scalar', value: 'null', tag: '!!null', style: 'plain' }
  return copyNode(operation.value)
}

type Target = { readonly parent: YamlMap | YamlSeq; readonly key: string }

function find(object: YamlMap, pointer: string): Target | undefined {
  const keys = pointer.split('/').slice(1).map(unescape)
  const last = keys.pop()
  if (last === undefined) return undefined
  let node: YamlNode | undefined = object
  for (const key of keys) {
    node = node.kind === 'map' ? node.fields.get(key) : node.kind === 'seq' ? node.items[Number(key)] : undefined
    if (node === undefined) return undefined
  }
  return node.kind === 'scalar' ? undefined : { parent: node, key: last }
}

function unescape(key: string): string {
  return key.replaceAll('~1', '/').replaceAll('~0', '~')
}

function add(object: YamlMap, operation: JsonPatchOperation, path: string, value: YamlNode): void {
  const target = find(object, path)
  if (!target)
    throw fault(
      operation,
      `${operation.op} operation does not apply: doc is missing path: ${JSON.stringify(path)}: missing value`,
    )
  const { parent, key } = target
  if (parent.kind === 'map') {
    parent.fields.set(key, inherit(value, parent.fields.get(key)))
    return
  }
  if (key === '-') {
    parent.items.push(value)
    return
  }
  const index = indexOf(operation, key)
  const at = index < 0 ? index + parent.items.length + 1 : index
  if (at < 0 || at > parent.items.length)
    throw fault(
      operation,
      `${operation.op} operation does not apply: doc is missing path: ${JSON.stringify(path)}: Unable to access invalid index: ${index}: invalid index referenced`,
    )
  parent.items.splice(at, 0, value)
}

function indexOf(operation: JsonPatchOperation, key: string): number {
  const index = Number(key)
  if (!/^-?\d+$/.test(key) || !Number.isSafeInteger(index))
    throw fault(operation, `strconv.Atoi: parsing ${JSON.stringify(key)}: invalid syntax`)
  return index
}

function remove(object: YamlMap, operation: JsonPatchOperation): void {
  const target = find(object, operation.path)
  if (!target)
    throw fault(
      operation,
      `remove operation does not apply: doc is missing path: ${JSON.stringify(operation.path)}: missing value`,
    )
  take(operation, target, 'remove', operation.path)
}

function take(operation: JsonPatchOperation, { parent, key }: Target, name: string, path: string): YamlNode {
  const missing = (): Error => {
    const why =
      parent.kind === 'map'
        ? `Unable to remove nonexistent key: ${key}: missing value`
        : `Unable to access invalid index: ${key}: invalid index referenced`
    return fault(operation, `${name} operation does not apply: doc is missing path: ${JSON.stringify(path)}: ${why}`)
  }
  if (parent.kind === 'map') {
    const value = parent.fields.get(key)
    if (value === undefined) throw missing()
    parent.fields.delete(key)
    return value
  }
  const index = indexOf(operation, key)
  const [value] = parent.items.splice(index < 0 ? index + parent.items.length : index, 1)
  if (value === undefined) throw missing()
  return value
}

/** A missing key of a mapping is added, as evanphx/json-patch v4 does; a missing parent is an error. */
function replace(object: YamlMap, operation: JsonPatchOperation): void {
  const target = find(object, operation.path)
  if (!target)
    throw fault(operation, `replace operation does not apply: doc is missing path: ${operation.path}: missing value`)
  const { parent, key } = target
  const value = valueOf(operation)
  if (parent.kind === 'map') {
    parent.fields.set(key, inherit(value, parent.fields.get(key)))
    return
  }
  const index = indexOf(operation, key)
  const at = index < 0 ? index + parent.items.length : index
  if (parent.items[at] === undefined)
    throw fault(operation, `replace operation does not apply: doc is missing key: ${operation.path}: missing value`)
  parent.items[at] = inherit(value, parent.items[at])
}

function move(object: YamlMap, operation: JsonPatchOperation): void {
  const target = find(object, operation.from)
  if (!target)
    throw fault(operation, `move operation does not apply: doc is missing from path: ${operation.from}: missing value`)
  add(object, operation, operation.path, take(operation, target, 'move', operation.from))
}

function read(object: YamlMap, operation: JsonPatchOperation, pointer: string, name: string): YamlNode {
  const target = find(object, pointer)
  const { parent, key } = target ?? { parent: undefined, key: '' }
  const value = parent?.kind === 'map' ? parent.fields.get(key) : parent?.items[Number(key)]
  if (value) return value
  throw fault(operation, `${name} operation does not apply: doc is missing path: ${pointer}: missing value`)
}

function test(object: YamlMap, operation: JsonPatchOperation): void {
  const target = find(object, operation.path)
  const { parent, key } = target ?? { parent: undefined, key: '' }
  const found = parent?.kind === 'map' ? parent.fields.get(key) : parent?.items[Number(key)]
  const wanted = operation.value
  if (found === undefined && (wanted === undefined || isNull(wanted))) return
  if (found && wanted && isSame(toValue(found), toValue(wanted))) return
  throw fault(operation, `testing value ${operation.path} failed: test failed`)
}

function isSame(a: unknown, b: unknown): boolean {
  return canonical(a) === canonical(b)
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([x], [y]) => (x < y ? -1 : 1)))
      : part,
  )
}

function fault(operation: JsonPatchOperation, message: string): Error {
  return buildError(message, operation.node)
}

/** Largest part of an object that one operation copies: copies of copies double with every operation. */
const MAX_COPIED_NODES = 100_000

function copyOnce(node: YamlNode): YamlNode {
  if (countNodes(node, MAX_COPIED_NODES) > MAX_COPIED_NODES)
    throw failure('KUSTOMIZE_LIMIT', `a patch copies more than ${MAX_COPIED_NODES} values at once`, node)
  return copyNode(node)
}
