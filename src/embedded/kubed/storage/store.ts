import { byBytes } from '../../../lib/kube/json.ts'
import { namespaceOf, type Obj, ownersOf } from '../object.ts'
import type { Change, Journal } from './journal.ts'

/** A change that watchers see. `before` is what the object was. */
export type StoreEvent = {
  readonly version: number
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'
  readonly key: string
  readonly object: Obj
  readonly before: Obj | undefined
}

/** How many events a kind keeps for watches that resume. */
const HISTORY = 1024

type Bucket = {
  readonly namespaces: Map<string, Map<string, Obj>>
  order: Map<string, readonly Obj[]>
  history: StoreEvent[]
  /** Versions up to this one are not in the history. */
  compacted: number
  readonly watchers: Set<(event: StoreEvent) => void>
}

/** All objects, decoded, in memory; every change goes to the journal in groups, and to watchers once it is durable. */
export type Store = {
  readonly get: (key: string, namespace: string, name: string) => Obj | undefined
  /** Objects by namespace and name; of all namespaces when it is undefined. The list must not be changed. */
  readonly list: (key: string, namespace?: string) => readonly Obj[]
  readonly put: (key: string, object: Obj) => Obj
  readonly remove: (key: string, object: Obj) => Obj
  /** Objects that name `uid` as an owner, with their keys. */
  readonly dependentsOf: (uid: string) => readonly { readonly key: string; readonly object: Obj }[]
  readonly hasUid: (uid: string) => boolean
  readonly keys: () => readonly string[]
  readonly version: () => number
  /** Resolves when everything written so far is durable. */
  readonly settled: () => Promise<void>
  /** Events after `version`; undefined when they are forgotten. */
  readonly since: (key: string, version: number) => readonly StoreEvent[] | undefined
  readonly watch: (key: string, handler: (event: StoreEvent) => void) => () => void
  readonly close: () => void
}

/**
 * Opens the store over a journal.
 *
 * @param failed called when the journal cannot be written (disk full): the server must stop answering as if it were
 */
export function openStore(journal: Journal, failed: (error: unknown) => void): Store {
  return new MemoryStore(journal, failed)
}

/** Where an object is. */
type Place = { readonly key: string; readonly namespace: string; readonly name: string }

class MemoryStore implements Store {
  readonly #journal: Journal
  readonly #failed: (error: unknown) => void
  readonly #buckets = new Map<string, Bucket>()
  readonly #owners = new Map<string, Set<string>>()
  readonly #uids = new Map<string, Place>()
  #version = 0
  #pending: { change: Change; event: StoreEvent }[] = []
  #flushing: Promise<void> | undefined
  #isBroken = false

  constructor(journal: Journal, failed: (error: unknown) => void) {
    this.#journal = journal
    this.#failed = failed
    this.#version = journal.load(({ key, body }) => {
      if (body !== undefined) this.#remember(key, parseStored(body))
    })
    for (const bucket of this.#buckets.values()) bucket.compacted = this.#version
  }

  readonly get = (key: string, namespace: string, name: string): Obj | undefined =>
    this.#buckets.get(key)?.namespaces.get(namespace)?.get(name)

  readonly list = (key: string, namespace?: string): readonly Obj[] => listBucket(this.#buckets.get(key), namespace)

  readonly put = (key: string, object: Obj): Obj => {
    const version = ++this.#version
    object.metadata.resourceVersion = String(version)
    const before = this.#remember(key, object)
    const type = before === undefined ? 'ADDED' : 'MODIFIED'
    this.#enqueue(changeOf(key, object, version, JSON.stringify(object)), { version, type, key, object, before })
    return object
  }

  readonly remove = (key: string, object: Obj): Obj => {
    const before = this.get(key, namespaceOf(object), object.metadata.name)
    const version = ++this.#version
    object.metadata.resourceVersion = String(version)
    this.#forget(key, before ?? object)
    this.#enqueue(changeOf(key, object, version, undefined), { version, type: 'DELETED', key, object, before })
    return object
  }

  readonly dependentsOf = (uid: string): readonly { readonly key: string; readonly object: Obj }[] => {
    const out: { key: string; object: Obj }[] = []
    for (const dependent of this.#owners.get(uid) ?? []) {
      const place = this.#uids.get(dependent)
      const object = place === undefined ? undefined : this.get(place.key, place.namespace, place.name)
      if (place !== undefined && object !== undefined) out.push({ key: place.key, object })
    }
    return out
  }

  readonly hasUid = (uid: string): boolean => this.#uids.has(uid)
  readonly keys = (): readonly string[] => [...this.#buckets.keys()]
  readonly version = (): number => this.#version
  readonly settled = (): Promise<void> => this.#flushing ?? Promise.resolve()

  readonly since = (key: string, from: number): readonly StoreEvent[] | undefined => {
    const bucket = this.#bucketOf(key)
    if (from < bucket.compacted) return undefined
    const events = bucket.history
    let start = events.length
    while (start > 0 && (events[start - 1]?.version ?? 0) > from) start--
    return events.slice(start)
  }

  readonly watch = (key: string, handler: (event: StoreEvent) => void): (() => void) => {
    const { watchers } = this.#bucketOf(key)
    watchers.add(handler)
    return () => watchers.delete(handler)
  }

  readonly close = (): void => {
    this.#flush()
    this.#journal.close()
  }

  #bucketOf(key: string): Bucket {
    let bucket = this.#buckets.get(key)
    if (bucket === undefined) {
      bucket = {
        namespaces: new Map(),
        order: new Map(),
        history: [],
        compacted: this.#version,
        watchers: new Set(),
      }
      this.#buckets.set(key, bucket)
    }
    return bucket
  }

  #index(key: string, object: Obj): void {
    const uid = object.metadata.uid ?? ''
    this.#uids.set(uid, { key, namespace: namespaceOf(object), name: object.metadata.name })
    for (const owner of ownersOf(object)) {
      const dependents = this.#owners.get(owner)
      if (dependents === undefined) this.#owners.set(owner, new Set([uid]))
      else dependents.add(uid)
    }
  }

  #unindex(object: Obj): void {
    const uid = object.metadata.uid ?? ''
    this.#uids.delete(uid)
    for (const owner of ownersOf(object)) {
      const dependents = this.#owners.get(owner)
      dependents?.delete(uid)
      if (dependents?.size === 0) this.#owners.delete(owner)
    }
  }

  #remember(key: string, object: Obj): Obj | undefined {
    const bucket = this.#bucketOf(key)
    const namespace = namespaceOf(object)
    let names = bucket.namespaces.get(namespace)
    if (names === undefined) bucket.namespaces.set(namespace, (names = new Map()))
    const before = names.get(object.metadata.name)
    if (before !== undefined) this.#unindex(before)
    names.set(object.metadata.name, object)
    this.#index(key, object)
    forgetOrder(bucket, namespace)
    return before
  }

  #forget(key: string, object: Obj): void {
    const bucket = this.#bucketOf(key)
    const namespace = namespaceOf(object)
    bucket.namespaces.get(namespace)?.delete(object.metadata.name)
    if (bucket.namespaces.get(namespace)?.size === 0) bucket.namespaces.delete(namespace)
    this.#unindex(object)
    forgetOrder(bucket, namespace)
  }

  /** Everything written in one turn of the event loop goes to the disk in one transaction. */
  #enqueue(change: Change, event: StoreEvent): void {
    this.#pending.push({ change, event })
    this.#flushing ??= new Promise((resolve) => {
      setImmediate(() => {
        this.#flush()
        if (!this.#isBroken) resolve()
      })
    })
  }

  #flush(): void {
    this.#flushing = undefined
    const batch = this.#pending
    this.#pending = []
    if (batch.length === 0 || this.#isBroken) return
    try {
      this.#journal.commit(batch.map(({ change }) => change))
    } catch (error) {
      this.#isBroken = true
      this.#failed(error)
      return
    }
    for (const { event } of batch) publish(this.#bucketOf(event.key), event)
  }
}

function forgetOrder(bucket: Bucket, namespace: string): void {
  bucket.order.delete(namespace)
  bucket.order.delete('*')
}

function publish(bucket: Bucket, event: StoreEvent): void {
  bucket.history.push(event)
  if (bucket.history.length > HISTORY * 1.5) {
    const gone = bucket.history.length - HISTORY
    bucket.compacted = bucket.history[gone - 1]?.version ?? bucket.compacted
    bucket.history = bucket.history.slice(gone)
  }
  for (const handler of bucket.watchers) handler(event)
}

const changeOf = (key: string, object: Obj, version: number, body: string | undefined): Change => ({
  version,
  key,
  namespace: namespaceOf(object),
  name: object.metadata.name,
  body,
})

/** Bodies are what this server wrote. */
function parseStored(body: string): Obj {
  return JSON.parse(body) as Obj
}

function listBucket(bucket: Bucket | undefined, namespace: string | undefined): readonly Obj[] {
  if (bucket === undefined) return []
  const slot = namespace ?? '*'
  const known = bucket.order.get(slot)
  if (known !== undefined) return known
  const ordered: Obj[] = []
  const namespaces = namespace === undefined ? [...bucket.namespaces.keys()].sort(byBytes) : [namespace]
  for (const each of namespaces) {
    const names = bucket.namespaces.get(each)
    if (names === undefined) continue
    for (const name of [...names.keys()].sort(byBytes)) {
      const object = names.get(name)
      if (object !== undefined) ordered.push(object)
    }
  }
  bucket.order.set(slot, ordered)
  return ordered
}
