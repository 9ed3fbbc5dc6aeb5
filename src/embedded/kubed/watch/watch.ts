import type { ServerResponse } from 'node:http'
import { type JsonObject, objectOf } from '../../../lib/kube/json.ts'
import { encodeWatchEvent } from '../../../lib/kube-typed/protobuf/encode.ts'
import { timerMs } from '../../../machine/timers.ts'
import type { Call } from '../request/call.ts'
import { booleanIn, checkVersionText, numberIn } from '../request/query.ts'
import { shapeLikeGo } from '../decoding/go-shape.ts'
import type { Environment } from '../environment.ts'
import { Fault, statusOf } from '../fault.ts'
import type { ContentType } from '../negotiation/accept.ts'
import { inProtobuf, type Presenter, type Shown } from '../negotiation/respond.ts'
import { warningHeader } from '../negotiation/warning-header.ts'
import { type Obj, objFrom } from '../object.ts'
import { apiVersionOf, type Resource, TEMPLATE_GENERATION } from '../resources/resource.ts'
import { untilShowable } from '../storage/durable.ts'
import type { StoreEvent } from '../storage/history.ts'
import type { Stored } from '../storage/stored.ts'
import { selectionOf } from '../request/select.ts'

const BOOKMARK_MS = 30_000
/** Events that are read from the history at once by a client that has fallen behind. */
const CATCH_UP = 256

/**
 * Streams the changes of the selected objects until the client goes or the time is over.
 *
 * Nothing is queued for a client: while it does not read, its place in the history is all that is kept of it. When the history is
 * cut behind that place the connection is cut too, as a client may expect at any time, and it has to list again.
 */
export async function watch(
  env: Environment,
  call: Call,
  response: ServerResponse,
  presenter: Presenter,
): Promise<void> {
  const { match, name } = selectionOf(call)
  checkVersionText(call.query.get('resourceVersion') ?? '', 500)
  const isSelected: IsSelected = (stored) =>
    (call.namespace === '' || stored.head.namespace === call.namespace) && (match === undefined || match(stored.object))
  await untilShowable(env.store)
  const start = startOf(env, call, name, isSelected)
  await untilShowable(env.store)
  response.writeHead(200, {
    'content-type': streamTypeOf(presenter.contentType),
    'cache-control': 'no-cache, private',
    ...warningHeader(call.warnings),
  })
  // flushHeaders() would write the bytes of a header as signs, each above 0x7f as two.
  response.write(Buffer.alloc(0))
  if (start === undefined) {
    const version = call.query.get('resourceVersion') ?? ''
    const fault = new Fault(410, 'Expired', `too old resource version: ${version} (${env.store.durable()})`)
    response.end(frameOf('ERROR', JSON.stringify(statusOf(fault)), presenter))
    return
  }
  new Follower(env, call, response, { ...start, name, isSelected, presenter }).run()
}

type IsSelected = (stored: Stored) => boolean

/** What is sent first, and the version from which changes follow. */
type Start = { readonly version: number; readonly initial: readonly Stored[] }

/** A watch that begins with what is there is one that asks for it, whether it says so or not. */
function asksForInitial(query: URLSearchParams): boolean {
  const said = booleanIn(query, 'sendInitialEvents')
  return said ?? (!query.get('resourceVersionMatch') && /^0?$/.test(query.get('resourceVersion') ?? ''))
}

/** What a stream of events says that it is. */
export const streamTypeOf = (contentType: ContentType): string =>
  contentType === 'application/json' ? contentType : `${contentType};stream=watch`

/** An event of the stream: a line, or a frame of protobuf. */
function frameOf(type: string, text: string, { contentType }: Presenter): string | Buffer {
  if (contentType === 'application/json') return `{"type":"${type}","object":${text}}\n`
  return encodeWatchEvent(type, inProtobuf(text))
}

/** What empty objects have, once they were read from where they are kept, that a shape alone does not tell. */
const EMPTY: Readonly<Record<string, (content: JsonObject) => void>> = {
  'apps/deployments': selectNone,
  'apps/replicasets': selectNone,
  'apps/statefulsets': selectNone,
  'apps/daemonsets': (content) => {
    content.spec = { selector: null, ...objectOf(content.spec) }
    content.metadata = { annotations: { [TEMPLATE_GENERATION]: '0' } }
  },
  'apps/controllerrevisions': (content) => void (content.data = null),
}

function selectNone(content: JsonObject): void {
  content.spec = { replicas: 0, selector: null, ...objectOf(content.spec) }
}

/** An object of the kind with nothing in it but a version. */
function emptyAt(resource: Resource, resourceVersion: string, annotations: JsonObject | undefined): Obj {
  const content: JsonObject = {}
  if (resource.custom === undefined) shapeLikeGo(resource.type, content)
  EMPTY[resource.storageKey]?.(content)
  const empty = objFrom({ ...content, metadata: objectOf(content.metadata) }, apiVersionOf(resource), resource.kind)
  const { name: _none, ...metadata } = empty.metadata
  const all = { ...metadata.annotations, ...annotations }
  return Object.assign(empty, {
    metadata: { ...metadata, resourceVersion, ...(Object.keys(all).length > 0 ? { annotations: all } : {}) },
  })
}

/** Undefined when the version is forgotten. */
function startOf(
  env: Environment,
  { query, resource, namespace }: Call,
  name: string,
  isSelected: IsSelected,
): Start | undefined {
  const asked = query.get('resourceVersion') ?? ''
  const key = resource.storageKey
  if (asked !== '' && asked !== '0' && booleanIn(query, 'sendInitialEvents') !== true)
    return env.store.since(key, Number(asked), 0) && { version: Number(asked), initial: [] }
  const isEverywhere = resource.isNamespaced && namespace === ''
  if (booleanIn(query, 'sendInitialEvents') === false) return { version: env.store.version(), initial: [] }
  const selected = env.store.select(key, { namespace: isEverywhere ? undefined : namespace, name })
  const initial = selected?.places.flatMap((place) => selected.at(place) ?? []) ?? []
  return { version: env.store.version(), initial: initial.filter(isSelected) }
}

/** One client on its way through the history. */
class Follower {
  readonly #env: Environment
  readonly #call: Call
  readonly #response: ServerResponse
  readonly #name: string
  readonly #isSelected: IsSelected
  readonly #presenter: Presenter
  #isFirst = true
  readonly #initial: Stored[]
  #version: number
  #isBlocked = false
  #isEnded = false
  #owesEnd: boolean

  constructor(
    env: Environment,
    call: Call,
    response: ServerResponse,
    start: Start & { readonly name: string; readonly isSelected: IsSelected; readonly presenter: Presenter },
  ) {
    this.#env = env
    this.#call = call
    this.#response = response
    this.#name = start.name
    this.#isSelected = start.isSelected
    this.#presenter = start.presenter
    this.#initial = [...start.initial].reverse()
    this.#version = start.version
    // Of the old paths nobody asks for an end of what is there.
    this.#owesEnd = this.#wantsBookmarks && booleanIn(call.query, 'watch') === true && asksForInitial(call.query)
  }

  get #wantsBookmarks(): boolean {
    return booleanIn(this.#call.query, 'allowWatchBookmarks') === true
  }

  get #seconds(): number {
    return numberIn(this.#call.query, 'timeoutSeconds') || 3000
  }

  run(): void {
    // who went while the start was made durable does not close once more
    if (this.#response.destroyed) return
    const { resource, namespace } = this.#call
    const scope = { namespace, name: this.#name }
    const stop = this.#env.store.watch(resource.storageKey, scope, (event) => this.#hear(event))
    const beat = this.#wantsBookmarks ? setInterval(() => this.#bookmark(), BOOKMARK_MS) : undefined
    const timer = setTimeout(() => this.#end(), timerMs(this.#seconds * 1000))
    this.#response.on('drain', () => {
      this.#isBlocked = false
      this.#goOn()
    })
    this.#response.on('close', () => {
      this.#isEnded = true
      stop()
      clearInterval(beat)
      clearTimeout(timer)
    })
    this.#goOn()
  }

  /** Sends what is due for as long as the client takes it. */
  #goOn(): void {
    const { storageKey } = this.#call.resource
    while (!this.#isBlocked && !this.#isEnded) {
      const first = this.#initial.pop()
      if (first !== undefined) {
        this.#send('ADDED', first)
        continue
      }
      if (this.#owesEnd) {
        this.#owesEnd = false
        this.#write(this.#bookmarkOf({ 'k8s.io/initial-events-end': 'true' }))
        continue
      }
      const events = this.#env.store.since(storageKey, this.#version, CATCH_UP)
      if (events === undefined) this.#response.destroy()
      if (events === undefined || events.length === 0) return
      for (const event of events) {
        this.#forward(event)
        if (this.#isBlocked) break
      }
    }
  }

  /** A change while the client reads goes out at once; otherwise it waits in the history. */
  #hear(event: StoreEvent): void {
    if (this.#isEnded || event.version <= this.#version) return
    if (!this.#isBlocked) this.#forward(event)
    else if (this.#env.store.since(this.#call.resource.storageKey, this.#version, 0) === undefined)
      this.#response.destroy()
  }

  /** An object that leaves the selection is gone for the watcher, one that enters is new. */
  #forward({ version, type, stored, before }: StoreEvent): void {
    this.#version = version
    const was = before !== undefined && this.#isSelected(before)
    const is = this.#isSelected(stored)
    if (type === 'DELETED') {
      if (was || is) this.#send('DELETED', stored)
    } else if (is) this.#send(was ? 'MODIFIED' : 'ADDED', stored)
    else if (was) this.#send('DELETED', withVersion(before.object, String(version)))
  }

  #send(type: string, shown: Shown): void {
    this.#write(this.#frameOf(type, shown))
    this.#isFirst = false
  }

  #frameOf(type: string, shown: Shown): string | Buffer {
    return frameOf(type, this.#presenter.show(shown, this.#isFirst), this.#presenter)
  }

  #write(frame: string | Buffer): void {
    if (!this.#response.write(frame)) this.#isBlocked = true
  }

  /** Only for who has everything up to that version. */
  #bookmark(): void {
    if (this.#isBlocked || this.#isEnded) return
    this.#version = Math.max(this.#version, this.#env.store.durable())
    this.#write(this.#bookmarkOf())
  }

  #bookmarkOf(annotations?: JsonObject): string | Buffer {
    const { resource } = this.#call
    const object = emptyAt(resource, String(this.#version), annotations)
    return this.#frameOf('BOOKMARK', { object, text: undefined })
  }

  #end(): void {
    // The last one is due two seconds before the end, so that short watches have none.
    if (this.#wantsBookmarks && this.#seconds > 2) this.#bookmark()
    this.#isEnded = true
    this.#response.end()
  }
}

function withVersion(before: Obj, resourceVersion: string): Shown {
  const object = { ...before, metadata: { ...before.metadata, resourceVersion } }
  return { object, text: JSON.stringify(object) }
}
