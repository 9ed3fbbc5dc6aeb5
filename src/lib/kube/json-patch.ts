import { clone, equal, isObject, type Json, objectsOf, stringOf } from './json.ts'

/** A patch that does not fit, in the words of the Go library behind kube-apiserver. */
export class PatchError extends Error {}

type Holder = { readonly read: (key: string) => Json | undefined; readonly node: Json }

/**
 * JSON patch (RFC 6902). The target is not changed.
 *
 * @throws PatchError when an operation does not apply
 */
export function jsonPatch(target: Json, patch: Json): Json {
  if (!Array.isArray(patch)) throw new PatchError('json: cannot unmarshal object into Go value of type jsonpatch.Patch')
  let document: Json = clone(target)
  for (const operation of objectsOf(patch)) document = applyOperation(document, operation)
  return document
}

function applyOperation(document: Json, operation: { [key: string]: Json | undefined }): Json {
  const kind = stringOf(operation.op)
  if (typeof operation.path !== 'string') throw new PatchError(`${kind} operation: missing path`)
  const path = operation.path
  if (path !== '' && !path.includes('/'))
    throw new PatchError(
      `${kind} operation does not apply: doc is missing path: ${JSON.stringify(path)}: missing value`,
    )
  const value = operation.value ?? null
  if (kind === 'add') return put(document, path, clone(value), 'add')
  if (kind === 'replace') return put(document, path, clone(value), 'replace')
  if (kind === 'remove') return remove(document, path, 'remove').document
  if (kind === 'test') return test(document, path, value)
  const from = stringOf(operation.from)
  if (kind === 'move') {
    const moved = remove(document, from, 'move')
    return put(moved.document, path, moved.value, 'add')
  }
  if (kind === 'copy') {
    const found = find(document, from)
    if (found === undefined)
      throw new PatchError(`copy operation does not apply: doc is missing from path: ${from}: missing value`)
    return put(document, path, clone(found), 'add')
  }
  throw new PatchError(`Unexpected kind: ${kind}`)
}

function test(document: Json, path: string, value: Json): Json {
  const found = find(document, path)
  if (!equal(found ?? null, value)) throw new PatchError(`testing path ${path} does not match: test failed`)
  return document
}

function tokensOf(path: string): string[] {
  return path === ''
    ? []
    : path
        .slice(path.indexOf('/') + 1)
        .split('/')
        .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'))
}

function find(document: Json, path: string): Json | undefined {
  let here: Json | undefined = document
  for (const token of tokensOf(path)) {
    if (here === undefined) return undefined
    here = holderOf(here).read(token)
  }
  return here
}

function holderOf(node: Json): Holder {
  if (Array.isArray(node)) return { node, read: (key) => node[Number(key)] }
  if (isObject(node)) return { node, read: (key) => (Object.hasOwn(node, key) ? node[key] : undefined) }
  return { node, read: () => undefined }
}

function parentOf(document: Json, tokens: readonly string[], path: string, kind: string): Json {
  let here: Json | undefined = document
  for (const token of tokens.slice(0, -1)) here = here === undefined ? undefined : holderOf(here).read(token)
  if (here === undefined || here === null || typeof here !== 'object')
    throw new PatchError(`${kind} operation does not apply: doc is missing path: ${path}: missing value`)
  return here
}

function put(document: Json, path: string, value: Json, kind: 'add' | 'replace'): Json {
  const tokens = tokensOf(path)
  const key = tokens.at(-1)
  if (key === undefined) return value
  const parent = parentOf(document, tokens, path, kind)
  if (Array.isArray(parent)) {
    const index = key === '-' ? parent.length : Number(key)
    const last = kind === 'replace' ? parent.length - 1 : parent.length
    if (!Number.isInteger(index) || index < 0 || index > last)
      throw new PatchError(
        `${kind} operation does not apply: doc is missing ${kind === 'add' ? 'path' : 'key'}: ${path}: ${kind === 'add' ? `Unable to access invalid index: ${key}: invalid index referenced` : 'missing value'}`,
      )
    parent.splice(index, kind === 'replace' ? 1 : 0, value)
  } else if (isObject(parent)) {
    // The library behind kube-apiserver replaces a key of a map that is not there, too.
    parent[key] = value
  }
  return document
}

function remove(document: Json, path: string, kind: 'remove' | 'move'): { document: Json; value: Json } {
  const tokens = tokensOf(path)
  const key = tokens.at(-1)
  if (key === undefined) return { document: null, value: document }
  const parent = parentOf(document, tokens, path, kind)
  const value = holderOf(parent).read(key)
  if (value === undefined)
    throw new PatchError(
      `error in ${kind} for path: '${path}': Unable to remove nonexistent key: ${key}: missing value`,
    )
  if (Array.isArray(parent)) parent.splice(Number(key), 1)
  else if (isObject(parent)) delete parent[key]
  return { document, value }
}
