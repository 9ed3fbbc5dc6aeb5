import { byBytes, isObject, type JsonObject } from '../../../lib/kube/json.ts'
import type { Call } from '../call.ts'
import type { Environment } from '../environment.ts'
import { badRequest, Fault, invalid } from '../fault.ts'
import { namespaceOf, type Obj } from '../object.ts'
import { toVersion } from '../resources/convert.ts'
import { matchOf } from './select.ts'

/** A page of objects with the metadata of its list. */
export type Page = { readonly items: readonly Obj[]; readonly metadata: JsonObject }

/** GET of many objects. */
export async function list(env: Environment, call: Call): Promise<Page> {
  checkVersion(env, call)
  await env.store.settled()
  const { query, resource } = call
  const match = matchOf(call)
  const all = env.store.list(resource.storageKey, call.namespace === '' ? undefined : call.namespace)
  const version = String(env.store.version())
  const token = query.get('continue') ?? ''
  const limit = limitOf(query.get('limit') ?? '')
  if (token === '' && !(limit > 0) && match === undefined)
    return { items: all.map((object) => toVersion(resource, object)), metadata: { resourceVersion: version } }
  const from = token === '' ? undefined : readToken(token)
  const selected = (match === undefined ? all : all.filter(match)).filter(
    (object) => from === undefined || byBytes(placeOf(object), from.after) > 0,
  )
  const items = limit > 0 ? selected.slice(0, limit) : selected
  const metadata: JsonObject = { resourceVersion: from?.version ?? version }
  const last = items.at(-1)
  if (items.length < selected.length && last !== undefined) {
    metadata.continue = writeToken(from?.version ?? version, placeOf(last))
    if (match === undefined) metadata.remainingItemCount = selected.length - items.length
  }
  return { items: items.map((object) => toVersion(resource, object)), metadata }
}

function limitOf(text: string): number {
  if (/^-?\d*$/.test(text)) return Number(text)
  throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`)
}

const placeOf = (object: Obj): string => `${namespaceOf(object)}\u0000${object.metadata.name}`

function writeToken(version: string, after: string): string {
  return Buffer.from(JSON.stringify({ v: version, after })).toString('base64url')
}

function readToken(token: string): { version: string; after: string } {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(token, 'base64url').toString('utf8'))
    if (isObject(parsed) && typeof parsed.v === 'string' && typeof parsed.after === 'string')
      return { version: parsed.v, after: parsed.after }
  } catch {
    // falls through: not a token of ours
  }
  throw badRequest('invalid continue token: continue key is not valid: it is no token of this server')
}

function checkVersion(env: Environment, { query }: Call): void {
  const version = query.get('resourceVersion') ?? ''
  const match = query.get('resourceVersionMatch') ?? ''
  const bad = (message: string): Fault =>
    invalid({ group: 'meta.k8s.io', kind: 'ListOptions' }, '', [
      { field: 'resourceVersionMatch', type: 'Forbidden', message: `Forbidden: ${message}` },
    ])
  if (match !== '' && version === '') throw bad('resourceVersionMatch is forbidden unless resourceVersion is provided')
  if (match !== '' && match !== 'Exact' && match !== 'NotOlderThan')
    throw invalid({ group: 'meta.k8s.io', kind: 'ListOptions' }, '', [
      {
        field: 'resourceVersionMatch',
        type: 'NotSupported',
        message: `Unsupported value: ${JSON.stringify(match)}: supported values: "Exact", "NotOlderThan", ""`,
      },
    ])
  if (match === 'Exact' && version === '0')
    throw bad('resourceVersionMatch "exact" is forbidden for resourceVersion "0"')
  if (version === '') return
  if (!/^\d+$/.test(version))
    throw badRequest(
      `invalid resource version: resourceVersion: Invalid value: ${JSON.stringify(version)}: strconv.ParseUint: parsing ${JSON.stringify(version)}: invalid syntax`,
    )
  if ((query.get('continue') ?? '') !== '' && version !== '0')
    throw badRequest('specifying resource version is not allowed when using continue')
  checkFuture(env, Number(version))
}

/** Refuses versions that have not come yet. */
export function checkFuture(env: Environment, version: number): void {
  const current = env.store.version()
  if (version <= current) return
  throw new Fault(504, 'Timeout', `Timeout: Too large resource version: ${version}, current: ${current}`, {
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    retryAfterSeconds: 1,
  })
}
