import type { JsonObject } from '../../../lib/kube/json.ts'
import type { Call } from '../request/call.ts'
import { checkVersionText, numberIn } from '../request/query.ts'
import type { Environment } from '../environment.ts'
import { badRequest, Fault } from '../fault.ts'
import type { Resource } from '../resources/resource.ts'
import { untilShowable } from '../storage/durable.ts'
import type { Selected } from '../storage/store.ts'
import type { Stored } from '../storage/stored.ts'
import { readToken, type Token, writeToken } from './continue-token.ts'
import { type Match, selectionOf } from '../request/select.ts'

/** A page of objects with the metadata of its list. */
export type Page = { readonly items: readonly Stored[]; readonly metadata: JsonObject }

/** GET of many objects; further pages show them as they were at the first. */
export async function list(env: Environment, call: Call): Promise<Page> {
  const page = pageOf(env, call)
  await untilShowable(env.store)
  return page
}

/** The objects that a list shows. @throws Fault 400, 410, 422, 504 */
export function pageOf(env: Environment, call: Call): Page {
  const { query, resource, namespace } = call
  const { match, labels, name } = selectionOf(call)
  checkVersion(env, call)
  const token = query.get('continue') ?? ''
  const asked = numberIn(query, 'limit') ?? 0
  // What the real server answers from its cache, whatever the version, has no pages.
  const isAny = token === '' && query.get('resourceVersion') === '0' && isCached(resource)
  const limit = asked > 0 && !isAny ? asked : Infinity
  const from = token === '' ? undefined : tokenOf(query)
  // Pages of a version are of that version, as they were before one could say so.
  const isPaged = limit < Infinity && Number(query.get('resourceVersion') ?? '') > 0
  const isExact = query.get('resourceVersionMatch') === 'Exact' || (isPaged && !query.get('resourceVersionMatch'))
  const asOf = from?.version ?? (isExact ? Number(query.get('resourceVersion')) : -1)
  const version = asOf < 0 ? env.store.version() : asOf
  const selected = env.store.select(resource.storageKey, {
    namespace: resource.isNamespaced && namespace === '' ? undefined : namespace,
    name,
    labels,
    version,
    isPage: match === undefined && limit < Infinity,
    ...(from === undefined ? {} : { after: from.after }),
  })
  if (selected === undefined) throw from === undefined ? forgotten() : expired(env, from.after)
  const { items, last, rest } = take(selected, match, limit, (place) => isLastOf(env, call, { name, version }, place))
  env.store.read(items)
  // Lists of custom resources always have the token.
  const metadata: JsonObject = {
    resourceVersion: String(version),
    ...(resource.custom === undefined ? {} : { continue: '' }),
  }
  if (last !== '') {
    metadata.continue = writeToken({ version, after: last })
    if (match === undefined) metadata.remainingItemCount = rest
  }
  return { items, metadata }
}

/** The token, which says the version by itself. @throws Fault 400 */
function tokenOf(query: URLSearchParams): Token {
  const token = readToken(query.get('continue') ?? '')
  if (/^0?$/.test(query.get('resourceVersion') ?? '')) return token
  throw badRequest('specifying resource version is not allowed when using continue')
}

/** Whether a list could come to no place behind this one, whatever it selects. */
function isLastOf(
  env: Environment,
  { resource, namespace }: Call,
  { name, version }: { readonly name: string; readonly version: number },
  after: string,
): boolean {
  const isOfAll = resource.isNamespaced && namespace === ''
  if (name !== '' && !isOfAll) return true
  const behind = { namespace: isOfAll ? undefined : namespace, version, after, isPage: true }
  return (env.store.select(resource.storageKey, behind)?.places.length ?? 0) === 0
}

/**
 * The first objects, the place of the last of them when more may follow, and how many more places there are.
 *
 * A page of selected objects ends with the last that it has room for, before anybody knows whether another is selected.
 */
function take(
  { places, at }: Selected,
  match: Match | undefined,
  limit: number,
  isLast: (place: string) => boolean,
): { readonly items: readonly Stored[]; readonly last: string; readonly rest: number } {
  const items: Stored[] = []
  let last = ''
  for (const [index, place] of places.entries()) {
    const stored = at(place)
    if (stored === undefined || (match !== undefined && !match(stored.object))) continue
    if (items.length >= limit) return { items, last, rest: places.length - index }
    items.push(stored)
    last = place
    if (match !== undefined && items.length >= limit) return { items, last: isLast(last) ? '' : last, rest: 0 }
  }
  return { items, last: '', rest: 0 }
}

/** 410 for a page of a list that is forgotten; the client may go on with what is there now. */
function expired(env: Environment, after: string): Fault {
  const message =
    'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.'
  return new Fault(410, 'Expired', message, undefined, {
    continue: writeToken({ version: env.store.version(), after }),
  })
}

const forgotten = (): Fault => new Fault(410, 'Expired', 'The resourceVersion for the provided list is too old.')

function checkVersion(env: Environment, { query, resource }: Call): void {
  const version = query.get('resourceVersion') ?? ''
  if (version === '' || (query.get('continue') ?? '') !== '') return
  checkVersionText(version, 400)
  checkFuture(env, resource, Number(version))
}

/** True for kinds that the real server answers for from memory: for events it asks its store, which words its refusals differently. */
export const isCached = ({ storageKey }: Resource): boolean => storageKey !== '/events'

/** Refuses versions that have not come yet. */
export function checkFuture(env: Environment, resource: Resource, version: number): void {
  const current = env.store.version()
  if (version <= current) return
  throw new Fault(504, 'Timeout', `Timeout: Too large resource version: ${version}, current: ${current}`, {
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    ...(isCached(resource) ? { retryAfterSeconds: 1 } : {}),
  })
}
