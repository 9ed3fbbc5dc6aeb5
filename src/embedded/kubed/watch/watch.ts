import type { ServerResponse } from 'node:http'
import type { Json, JsonObject } from '../../../lib/kube/json.ts'
import type { Call } from '../call.ts'
import type { Environment } from '../environment.ts'
import { badRequest, Fault, statusOf } from '../fault.ts'
import { namespaceOf, type Obj } from '../object.ts'
import { toVersion } from '../resources/convert.ts'
import { apiVersionOf } from '../resources/resource.ts'
import type { StoreEvent } from '../storage/store.ts'
import { matchOf } from '../verbs/select.ts'

/** Writes one object as the client asked for it; `isFirst` tells tables to name their columns. */
export type Present = (object: Obj, isFirst: boolean) => Json

const BOOKMARK_MS = 30_000
/** A client that reads slower than this much is behind is dropped: it will list again. */
const MAX_BACKLOG_BYTES = 32 * 1024 * 1024

/** Streams the changes of the selected objects until the client goes or the time is over. */
export async function watch(
  env: Environment,
  call: Call,
  response: ServerResponse,
  contentType: string,
  present: Present,
): Promise<void> {
  const { resource, query } = call
  const match = matchOf(call)
  const isSelected = (object: Obj | undefined): boolean =>
    object !== undefined &&
    (call.namespace === '' || namespaceOf(object) === call.namespace) &&
    (match === undefined || match(object))
  const start = query.get('resourceVersion') ?? ''
  const initial = query.get('sendInitialEvents') === 'true'
  if (start !== '' && !/^\d+$/.test(start))
    throw new Fault(
      500,
      '',
      `Invalid value: ${JSON.stringify(start)}: strconv.ParseUint: parsing ${JSON.stringify(start)}: invalid syntax`,
    )
  if (query.get('sendInitialEvents') !== null && query.get('resourceVersionMatch') !== 'NotOlderThan')
    throw badRequest('sendInitialEvents requires setting resourceVersionMatch to NotOlderThan')
  await env.store.settled()
  response.writeHead(200, { 'content-type': contentType, 'cache-control': 'no-cache, private' })
  response.flushHeaders()
  let isFirst = true
  const send = (type: string, object: Json): void => {
    response.write(`${JSON.stringify({ type, object })}\n`)
    if (response.writableLength > MAX_BACKLOG_BYTES) response.destroy()
  }
  const emit = (type: string, object: Obj): void => {
    send(type, present(toVersion(resource, object), isFirst))
    isFirst = false
  }
  const forward = ({ type, object, before }: StoreEvent): void => {
    const was = isSelected(before)
    const is = type !== 'DELETED' && isSelected(object)
    if (type === 'DELETED') {
      if (was || isSelected(object)) emit('DELETED', object)
    } else if (is) emit(was ? 'MODIFIED' : 'ADDED', object)
    else if (was && before !== undefined) emit('DELETED', withVersion(before, object.metadata.resourceVersion ?? ''))
  }
  const bookmark = (annotations?: JsonObject): void =>
    send('BOOKMARK', {
      kind: resource.kind,
      apiVersion: apiVersionOf(resource),
      metadata: { resourceVersion: String(env.store.version()), ...(annotations === undefined ? {} : { annotations }) },
    })
  let from = env.store.version()
  const replays = start === '' || start === '0' || initial
  if (replays) {
    for (const object of env.store.list(resource.storageKey, call.namespace === '' ? undefined : call.namespace))
      if (match === undefined || match(object)) emit('ADDED', object)
    if (initial && query.get('allowWatchBookmarks') === 'true') bookmark({ 'k8s.io/initial-events-end': 'true' })
  } else {
    const events = env.store.since(resource.storageKey, Number(start))
    if (events === undefined) {
      send('ERROR', statusOf(new Fault(410, 'Expired', `too old resource version: ${start} (${env.store.version()})`)))
      response.end()
      return
    }
    for (const event of events) forward(event)
    from = Math.max(Number(start), events.at(-1)?.version ?? 0)
  }
  const stop = env.store.watch(resource.storageKey, (event) => {
    if (event.version > from) forward(event)
  })
  end(
    query,
    response,
    stop,
    query.get('allowWatchBookmarks') === 'true' ? () => void env.store.settled().then(() => bookmark()) : undefined,
  )
}

function withVersion(object: Obj, resourceVersion: string): Obj {
  return { ...object, metadata: { ...object.metadata, resourceVersion } }
}

function end(
  query: URLSearchParams,
  response: ServerResponse,
  stop: () => void,
  bookmark: (() => void) | undefined,
): void {
  const seconds = Number(query.get('timeoutSeconds') ?? '0') || 3000
  const beat = bookmark === undefined ? undefined : setInterval(bookmark, BOOKMARK_MS)
  const timer = setTimeout(() => {
    stop()
    bookmark?.()
    setImmediate(() => response.end())
  }, seconds * 1000)
  response.on('close', () => {
    stop()
    clearInterval(beat)
    clearTimeout(timer)
  })
}
