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
  checkStart(call.query)
  const selection = selectionOf(call)
  await env.store.settled()
  response.writeHead(200, { 'content-type': contentType, 'cache-control': 'no-cache, private' })
  response.flushHeaders()
  const stream = streamOf(env, call, response, present)
  const from = begin(env, call, stream, selection)
  if (from === undefined) {
    response.end()
    return
  }
  const stop = env.store.watch(call.resource.storageKey, (event) => {
    if (event.version > from) stream.forward(event, selection)
  })
  const bookmarks = call.query.get('allowWatchBookmarks') === 'true'
  end(call.query, response, stop, bookmarks ? () => void env.store.settled().then(() => stream.bookmark()) : undefined)
}

type Selection = (object: Obj | undefined) => boolean
type Stream = {
  readonly emit: (type: string, object: Obj) => void
  readonly fail: (fault: Fault) => void
  readonly bookmark: (annotations?: JsonObject) => void
  readonly forward: (event: StoreEvent, isSelected: Selection) => void
}

function checkStart(query: URLSearchParams): void {
  const start = query.get('resourceVersion') ?? ''
  if (start !== '' && !/^\d+$/.test(start))
    throw new Fault(
      500,
      '',
      `Invalid value: ${JSON.stringify(start)}: strconv.ParseUint: parsing ${JSON.stringify(start)}: invalid syntax`,
    )
  if (query.get('sendInitialEvents') !== null && query.get('resourceVersionMatch') !== 'NotOlderThan')
    throw badRequest('sendInitialEvents requires setting resourceVersionMatch to NotOlderThan')
}

function selectionOf(call: Call): Selection {
  const match = matchOf(call)
  return (object) =>
    object !== undefined &&
    (call.namespace === '' || namespaceOf(object) === call.namespace) &&
    (match === undefined || match(object))
}

function streamOf(env: Environment, { resource }: Call, response: ServerResponse, present: Present): Stream {
  let isFirst = true
  const send = (type: string, object: Json): void => {
    response.write(`${JSON.stringify({ type, object })}\n`)
    if (response.writableLength > MAX_BACKLOG_BYTES) response.destroy()
  }
  const emit = (type: string, object: Obj): void => {
    send(type, present(toVersion(resource, object), isFirst))
    isFirst = false
  }
  return {
    emit,
    fail: (fault) => send('ERROR', statusOf(fault)),
    bookmark: (annotations) =>
      send('BOOKMARK', {
        kind: resource.kind,
        apiVersion: apiVersionOf(resource),
        metadata: {
          resourceVersion: String(env.store.version()),
          ...(annotations === undefined ? {} : { annotations }),
        },
      }),
    // An object that leaves the selection is gone for the watcher, one that enters is new.
    forward({ type, object, before }, isSelected) {
      const was = isSelected(before)
      const is = type !== 'DELETED' && isSelected(object)
      if (is) emit(was ? 'MODIFIED' : 'ADDED', object)
      else if (type === 'DELETED' && (was || isSelected(object))) emit('DELETED', object)
      else if (was && before !== undefined) emit('DELETED', withVersion(before, object.metadata.resourceVersion ?? ''))
    },
  }
}

/** Sends what the client must know first. Answers the version from which changes follow, or undefined when it is forgotten. */
function begin(env: Environment, call: Call, stream: Stream, isSelected: Selection): number | undefined {
  const { query, resource } = call
  const start = query.get('resourceVersion') ?? ''
  const initial = query.get('sendInitialEvents') === 'true'
  if (start === '' || start === '0' || initial) {
    const version = env.store.version()
    for (const object of env.store.list(resource.storageKey, call.namespace === '' ? undefined : call.namespace))
      if (isSelected(object)) stream.emit('ADDED', object)
    if (initial && query.get('allowWatchBookmarks') === 'true') stream.bookmark({ 'k8s.io/initial-events-end': 'true' })
    return version
  }
  const events = env.store.since(resource.storageKey, Number(start))
  if (events === undefined) {
    stream.fail(new Fault(410, 'Expired', `too old resource version: ${start} (${env.store.version()})`))
    return undefined
  }
  for (const event of events) stream.forward(event, isSelected)
  return Math.max(Number(start), events.at(-1)?.version ?? 0)
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
