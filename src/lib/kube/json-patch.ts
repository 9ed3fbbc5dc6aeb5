import { own } from '../value/own.ts'
import { clone, equal, isObject, type Json, type JsonObject } from './json.ts'

/** A patch that does not fit, in the words of the Go library behind kube-apiserver. */
export class PatchError extends Error {}

/** What all copies of a patch may take as JSON, in bytes; kube-apiserver's own limit. */
const MOST_COPIED = 3 * 1024 * 1024

/** A patch under way. */
type Work = { document: Json; copiedBytes: number }

/** Where a path leads: a map or list, and a key of it. */
type Place = { readonly holder: JsonObject | Json[]; readonly key: string }

/**
 * JSON patch (RFC 6902) as kube-apiserver applies it: the document itself is only replaced and tested, keys of a map may be replaced
 * and copied where there are none, indexes below zero count from the end. The target is not changed.
 *
 * @throws PatchError when an operation does not apply
 * @see gopkg.in/evanphx/json-patch.v4
 */
export function jsonPatch(target: Json, patch: Json): Json {
  const work: Work = { document: clone(target), copiedBytes: 0 }
  for (const operation of operationsOf(patch)) {
    const kind = typeof operation.op === 'string' ? operation.op : 'unknown'
    const carryOut = own(OPERATIONS, kind)
    if (carryOut === undefined) throw new PatchError(`Unexpected kind: ${kind}`)
    carryOut(work, operation)
  }
  return work.document
}

function operationsOf(patch: Json): readonly JsonObject[] {
  if (patch === null) return []
  if (!Array.isArray(patch)) throw new PatchError('json: cannot unmarshal object into Go value of type jsonpatch.Patch')
  return patch.map((each) => {
    if (isObject(each)) return each
    throw new PatchError('json: cannot unmarshal a patch into Go value of type jsonpatch.Operation')
  })
}

const OPERATIONS: Readonly<Record<string, (work: Work, operation: JsonObject) => void>> = {
  add(work, { path, value = null }) {
    putAt(placeOf(work, textOf('add', 'path', path), 'add'), clone(value))
  },
  remove(work, { path }) {
    takeFrom(placeOf(work, textOf('remove', 'path', path), 'remove'))
  },
  replace(work, { path, value }) {
    if (path === '') {
      if (!isObject(value) && !Array.isArray(value))
        throw new PatchError('replace operation value must be object or array')
      work.document = clone(value)
      return
    }
    const place = placeOf(work, textOf('replace', 'path', path), 'replace')
    readAt(place)
    if (Array.isArray(place.holder)) place.holder[indexIn(place.holder, place.key)] = clone(value ?? null)
    else set(place.holder, place.key, clone(value ?? null))
  },
  move(work, { from, path }) {
    const place = placeOf(work, textOf('move', 'from', from), 'move')
    const value = readAt(place)
    takeFrom(place)
    putAt(placeOf(work, textOf('move', 'path', path), 'move'), value)
  },
  copy(work, { from, path }) {
    const value = readAt(placeOf(work, textOf('copy', 'from', from), 'copy'))
    work.copiedBytes += JSON.stringify(value).length
    if (work.copiedBytes > MOST_COPIED)
      throw new PatchError(
        `Unable to complete the copy, the accumulated size increase of copy is ${work.copiedBytes}, exceeding the limit ${MOST_COPIED}`,
      )
    putAt(placeOf(work, textOf('copy', 'path', path), 'copy'), clone(value))
  },
  test(work, { path, value }) {
    const found = path === '' ? work.document : readAt(placeOf(work, textOf('test', 'path', path), 'test'))
    const isMet = found === null ? (value ?? null) === null : value !== undefined && equal(found, value)
    if (!isMet) throw new PatchError(`testing value ${String(path)} failed: test failed`)
  },
}

function textOf(kind: string, field: 'path' | 'from', value: Json | undefined): string {
  if (typeof value === 'string') return value
  throw new PatchError(`${kind} operation failed to decode ${field}: operation, missing ${field} field: missing value`)
}

/** @throws PatchError when nothing on the way holds the last key; the document itself is in nothing */
function placeOf({ document }: Work, path: string, kind: string): Place {
  const tokens = path
    .split('/')
    .slice(1)
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'))
  const key = tokens.pop()
  let here: Json = document
  for (const token of tokens) here = isObject(here) || Array.isArray(here) ? readAt({ holder: here, key: token }) : null
  if (key !== undefined && (isObject(here) || Array.isArray(here))) return { holder: here, key }
  throw new PatchError(`${kind} operation does not apply: doc is missing path: ${JSON.stringify(path)}: missing value`)
}

/** What stands at a place; null for a key of a map that is not there. @throws PatchError for an index that is not there */
function readAt({ holder, key }: Place): Json {
  if (Array.isArray(holder)) return holder[indexIn(holder, key)] ?? null
  return (Object.hasOwn(holder, key) ? holder[key] : undefined) ?? null
}

function indexIn(list: readonly Json[], key: string, length = list.length): number {
  if (!/^[+-]?\d+$/.test(key)) throw new PatchError(`strconv.Atoi: parsing ${JSON.stringify(key)}: invalid syntax`)
  const index = Number(key) < 0 ? Number(key) + length : Number(key)
  if (index >= 0 && index < length) return index
  throw new PatchError(`Unable to access invalid index: ${key}: invalid index referenced`)
}

function putAt({ holder, key }: Place, value: Json): void {
  if (!Array.isArray(holder)) set(holder, key, value)
  else if (key === '-') holder.push(value)
  else holder.splice(indexIn(holder, key, holder.length + 1), 0, value)
}

/** @throws PatchError for the key that would be no field, but what JavaScript looks fields up in */
function set(holder: JsonObject, key: string, value: Json): void {
  if (key === '__proto__') throw new PatchError('kubed does not keep fields named "__proto__": rename it')
  holder[key] = value
}

function takeFrom({ holder, key }: Place): void {
  if (Array.isArray(holder)) holder.splice(indexIn(holder, key), 1)
  else if (Object.hasOwn(holder, key)) delete holder[key]
  else throw new PatchError(`Unable to remove nonexistent key: ${key}: missing value`)
}
