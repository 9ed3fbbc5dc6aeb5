import { mapNode, plainNode } from '../../yaml/make-nodes.ts'
import { copyNode, type YamlMap, type YamlNode, type YamlSeq } from '../../yaml/nodes.ts'
import { countNodes } from '../../yaml/parse/merge-keys.ts'
import { buildError, failure } from '../failure.ts'
import { isNull } from '../objects/null.ts'
import { fromJson, rawJson, toJson } from '../objects/json-nodes.ts'
import type { JsonPatchOperation } from './json-patch.ts'
import { inherit } from '../objects/provenance.ts'

/**
 * Applies operations to an object in place, by the rules and with the texts of evanphx/json-patch.
 *
 * Kustomize sends the object through JSON and back, so that nothing but its value stays.
 * @see https://github.com/evanphx/json-patch/blob/v4.13.0/patch.go
 */
export function applyJsonPatch(object: YamlMap, operations: readonly JsonPatchOperation[]): void {
  toJson(object)
  const document: Document = { root: object }
  for (const operation of operations) applyOne(document, operation)
  const { root } = document
  if (root.kind !== 'map')
    throw buildError('json: cannot unmarshal array into Go value of type map[string]interface {}', root)
  if (root !== object) object.fields = root.fields
  fromJson(object)
}

/** The object, or what an operation put in its place. */
type Document = { root: YamlMap | YamlSeq }

function applyOne(document: Document, operation: JsonPatchOperation): void {
  switch (operation.op) {
    case 'add':
      return add(document, operation)
    case 'remove':
      return remove(document, operation)
    case 'replace':
      return replace(document, operation)
    case 'move':
      return move(document, operation)
    case 'copy':
      return copy(document, operation)
    case 'test':
      return test(document, operation)
    default:
      throw fault(operation, `Unexpected kind: ${operation.op}`)
  }
}

function valueOf(operation: JsonPatchOperation): YamlNode {
  if (operation.value === undefined) return nothing()
  return copyNode(operation.value)
}

function nothing(): YamlNode {
  return { ...plainNode('null'), tag: '!!null' }
}

type Target = { readonly parent: YamlMap | YamlSeq; readonly key: string }

function find({ root }: Document, pointer: string): Target | undefined {
  const keys = pointer.split('/').slice(1).map(unescape)
  const last = keys.pop()
  if (last === undefined) return undefined
  let node: YamlNode | undefined = root
  for (const key of keys) {
    node = node.kind === 'map' ? node.fields.get(key) : node.kind === 'seq' ? node.items[asIndex(key, node)] : undefined
    if (node === undefined) return undefined
  }
  return node.kind === 'scalar' ? undefined : { parent: node, key: last }
}

/** Where an operation works; some of them tell one fault for all. */
function pathOf(operation: JsonPatchOperation, said?: string): string {
  const { text, fault: wrong } = operation.path
  if (wrong === undefined) return text
  throw fault(operation, `${operation.op} operation failed to decode path: ${said ?? wrong}`)
}

function fromOf(operation: JsonPatchOperation): string {
  const { text, fault: wrong } = operation.from
  if (wrong === undefined) return text
  throw fault(operation, `${operation.op} operation failed to decode from: ${wrong}`)
}

function unescape(key: string): string {
  return key.replace(/~[01]/g, (found) => (found === '~1' ? '/' : '~'))
}

/** A position as Go's Atoi reads it; negative ones count from the end. NaN when it is none. */
function asIndex(key: string, list: YamlSeq): number {
  const index = /^[-+]?\d+$/.test(key) ? Number(key) : NaN
  return index < 0 ? index + list.items.length : index
}

function add(document: Document, operation: JsonPatchOperation): void {
  const path = pathOf(operation, 'missing value')
  const target = find(document, path)
  if (!target) throw fault(operation, `add operation does not apply: doc is missing path: "${path}": missing value`)
  addTo(operation, target, valueOf(operation), `error in add for path: '${path}'`)
}

function addTo(operation: JsonPatchOperation, { parent, key }: Target, value: YamlNode, prefix: string): void {
  if (parent.kind === 'map') {
    parent.fields.set(key, inherit(value, parent.fields.get(key)))
    return
  }
  if (key === '-') {
    parent.items.push(value)
    return
  }
  const index = asIndex(key, { ...parent, items: [...parent.items, value] })
  if (Number.isNaN(index))
    throw fault(operation, `${prefix}: value was not a proper array index: '${key}': ${notANumber(key)}`)
  if (index < 0 || index > parent.items.length) throw fault(operation, `${prefix}: ${outside(key)}`)
  parent.items.splice(index, 0, value)
}

function notANumber(key: string): string {
  return `strconv.Atoi: parsing ${JSON.stringify(key)}: invalid syntax`
}

function outside(key: string): string {
  return `Unable to access invalid index: ${Number(key)}: invalid index referenced`
}

function remove(document: Document, operation: JsonPatchOperation): void {
  const path = pathOf(operation, 'missing value')
  const target = find(document, path)
  if (!target) throw fault(operation, `remove operation does not apply: doc is missing path: "${path}": missing value`)
  removeFrom(operation, target, `error in remove for path: '${path}'`)
}

function removeFrom(operation: JsonPatchOperation, { parent, key }: Target, prefix: string): void {
  if (parent.kind === 'map') {
    if (!parent.fields.delete(key))
      throw fault(operation, `${prefix}: Unable to remove nonexistent key: ${key}: missing value`)
    return
  }
  parent.items.splice(positionOf(operation, parent, key, prefix), 1)
}

function positionOf(operation: JsonPatchOperation, list: YamlSeq, key: string, prefix: string): number {
  const index = asIndex(key, list)
  if (Number.isNaN(index)) throw fault(operation, `${prefix}: ${notANumber(key)}`)
  if (index < 0 || index >= list.items.length) throw fault(operation, `${prefix}: ${outside(key)}`)
  return index
}

/** A missing key of a mapping is added, as evanphx/json-patch v4 does; a missing parent is an error. */
function replace(document: Document, operation: JsonPatchOperation): void {
  const path = pathOf(operation)
  const value = valueOf(operation)
  if (path === '') {
    if (value.kind === 'scalar' && !isNull(value))
      throw fault(operation, 'replace operation value must be object or array: %!w(<nil>)')
    document.root = value.kind === 'scalar' ? mapNode() : value
    return
  }
  const target = find(document, path)
  if (!target) throw fault(operation, `replace operation does not apply: doc is missing path: ${path}: missing value`)
  const { parent, key } = target
  if (parent.kind === 'map') {
    parent.fields.set(key, inherit(value, parent.fields.get(key)))
    return
  }
  const index = asIndex(key, parent)
  const old = parent.items[index]
  if (old === undefined)
    throw fault(operation, `replace operation does not apply: doc is missing key: ${path}: missing value`)
  parent.items[index] = inherit(value, old)
}

function move(document: Document, operation: JsonPatchOperation): void {
  const from = fromOf(operation)
  const source = find(document, from)
  if (!source) throw fault(operation, `move operation does not apply: doc is missing from path: ${from}: missing value`)
  const prefix = `error in move for path: '${source.key}'`
  const value = read(operation, source, prefix)
  removeFrom(operation, source, prefix)
  const path = pathOf(operation)
  const target = find(document, path)
  if (!target)
    throw fault(operation, `move operation does not apply: doc is missing destination path: ${path}: missing value`)
  addTo(operation, target, value ?? nothing(), `error in move for path: '${path}'`)
}

function copy(document: Document, operation: JsonPatchOperation): void {
  const from = fromOf(operation)
  const source = find(document, from)
  if (!source) throw fault(operation, `copy operation does not apply: doc is missing from path: ${from}: missing value`)
  const value = read(operation, source, `error in copy for from: '${from}'`)
  const path = pathOf(operation, 'missing value')
  const target = find(document, path)
  if (!target)
    throw fault(operation, `copy operation does not apply: doc is missing destination path: ${path}: missing value`)
  addTo(operation, target, value ? copyOnce(value) : nothing(), 'error while adding value during copy')
}

/** A missing key of a mapping is nothing, and no error. */
function read(operation: JsonPatchOperation, { parent, key }: Target, prefix: string): YamlNode | undefined {
  if (parent.kind === 'map') return parent.fields.get(key)
  return parent.items[positionOf(operation, parent, key, prefix)]
}

function test(document: Document, operation: JsonPatchOperation): void {
  const { value, isJson } = operation
  const path = pathOf(operation)
  const target = find(document, path)
  if (path !== '' && !target)
    throw fault(operation, `test operation does not apply: is missing path: ${path}: missing value`)
  const found = target ? read(operation, target, `error in test for path: '${path}'`) : document.root
  const isNothing = found === undefined || isNull(found)
  if (isNothing && (value === undefined || isNull(value))) return
  if (!isNothing && value && rawJson(found, false) === rawJson(value, isJson)) return
  throw fault(operation, `testing value ${path} failed: test failed`)
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
