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
  /** Forgets everything under a key (its definition is gone). */
  readonly dropKey: (key: string) => void
  readonly close: () => void
}

/**
 * Opens the store over a journal.
 *
 * @param failed called when the journal cannot be written (disk full): the server must stop answering as if it were
 */
export function openStore(journal: Journal, failed: (error: unknown) => void): Store {
  const buckets = new Map<string, Bucket>()
  const owners = new Map<string, Set<string>>()
  const uids = new Map<string, { key: string; namespace: string; name: string }>()
  let version = 0
  let pending: { change: Change; event: StoreEvent }[] = []
  let flushing: Promise<void> | undefined
  let isBroken = false

  const bucketOf = (key: string): Bucket => {
    let bucket = buckets.get(key)
    if (bucket === undefined) {
      bucket = { namespaces: new Map(), order: new Map(), history: [], compacted: version, watchers: new Set() }
      buckets.set(key, bucket)
    }
    return bucket
  }
  const index = (key: string, object: Obj, sign: 1 | -1): void => {
    const uid = object.metadata.uid ?? ''
    if (sign > 0) uids.set(uid, { key, namespace: namespaceOf(object), name: object.metadata.name })
    else uids.delete(uid)
    for (const owner of ownersOf(object)) {
      const dependents = owners.get(owner) ?? new Set()
      if (sign > 0) dependents.add(uid)
      else dependents.delete(uid)
      if (dependents.size === 0) owners.delete(owner)
      else owners.set(owner, dependents)
    }
  }
  const remember = (key: string, object: Obj): Obj | undefined => {
    const bucket = bucketOf(key)
    const namespace = namespaceOf(object)
    let names = bucket.namespaces.get(namespace)
    if (names === undefined) bucket.namespaces.set(namespace, (names = new Map()))
    const before = names.get(object.metadata.name)
    if (before !== undefined) index(key, before, -1)
    names.set(object.metadata.name, object)
    index(key, object, 1)
    bucket.order.delete(namespace)
    bucket.order.delete('*')
    return before
  }
  const forget = (key: string, object: Obj): void => {
    const bucket = bucketOf(key)
    const namespace = namespaceOf(object)
    bucket.namespaces.get(namespace)?.delete(object.metadata.name)
    if (bucket.namespaces.get(namespace)?.size === 0) bucket.namespaces.delete(namespace)
    index(key, object, -1)
    bucket.order.delete(namespace)
    bucket.order.delete('*')
  }
  const flush = (): void => {
    flushing = undefined
    const batch = pending
    pending = []
    if (batch.length === 0 || isBroken) return
    try {
      journal.commit(batch.map(({ change }) => change))
    } catch (error) {
      isBroken = true
      failed(error)
      return
    }
    for (const { event } of batch) publish(bucketOf(event.key), event)
  }
  const enqueue = (change: Change, event: StoreEvent): void => {
    pending.push({ change, event })
    flushing ??= new Promise((resolve) => {
      setImmediate(() => {
        flush()
        if (!isBroken) resolve()
      })
    })
  }
  version = journal.load(({ key, body }) => {
    if (body !== undefined) remember(key, parseStored(body))
  })
  for (const bucket of buckets.values()) bucket.compacted = version

  return {
    get: (key, namespace, name) => buckets.get(key)?.namespaces.get(namespace)?.get(name),
    list: (key, namespace) => listBucket(buckets.get(key), namespace),
    put(key, object) {
      object.metadata.resourceVersion = String(++version)
      const before = remember(key, object)
      const type = before === undefined ? 'ADDED' : 'MODIFIED'
      enqueue(changeOf(key, object, version, JSON.stringify(object)), { version, type, key, object, before })
      return object
    },
    remove(key, object) {
      const before = this.get(key, namespaceOf(object), object.metadata.name)
      object.metadata.resourceVersion = String(++version)
      forget(key, before ?? object)
      enqueue(changeOf(key, object, version, undefined), { version, type: 'DELETED', key, object, before })
      return object
    },
    dependentsOf(uid) {
      const out: { key: string; object: Obj }[] = []
      for (const dependent of owners.get(uid) ?? []) {
        const place = uids.get(dependent)
        const object = place === undefined ? undefined : this.get(place.key, place.namespace, place.name)
        if (place !== undefined && object !== undefined) out.push({ key: place.key, object })
      }
      return out
    },
    hasUid: (uid) => uids.has(uid),
    keys: () => [...buckets.keys()],
    version: () => version,
    settled: () => flushing ?? Promise.resolve(),
    since(key, from) {
      const bucket = bucketOf(key)
      if (from < bucket.compacted) return undefined
      const events = bucket.history
      let start = events.length
      while (start > 0 && (events[start - 1]?.version ?? 0) > from) start--
      return events.slice(start)
    },
    watch(key, handler) {
      const { watchers } = bucketOf(key)
      watchers.add(handler)
      return () => watchers.delete(handler)
    },
    dropKey: (key) => void buckets.delete(key),
    close() {
      flush()
      journal.close()
    },
  }
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
