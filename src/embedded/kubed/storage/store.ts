import { namespaceOf, type Obj, ownersOf } from '../object.ts'
import { Bucket, type Handler, type Range, type Scope } from './bucket.ts'
import type { StoreEvent } from './history.ts'
import type { Change, Head, Journal } from './journal.ts'
import { placeOf, prefixOf } from './places.ts'
import { Shelf, Stored } from './stored.ts'

/** Places in order, and what is at them. */
export type Selected = { readonly places: readonly string[]; readonly at: (place: string) => Stored | undefined }

/** All objects, as texts in memory; every change goes to the journal in groups, and to watchers once it is durable. */
export type Store = {
  readonly get: (key: string, namespace: string, name: string) => Obj | undefined
  readonly find: (key: string, namespace: string, name: string) => Stored | undefined
  /** Objects in the order of their places; of all namespaces when it is undefined. */
  readonly list: (key: string, namespace?: string) => readonly Obj[]
  /** What a list goes through; undefined when the version it wants is forgotten. */
  readonly select: (key: string, range: Range) => Selected | undefined
  readonly put: (key: string, object: Obj) => Obj
  readonly remove: (key: string, object: Obj) => Obj
  /** The text under which exactly this object is kept; undefined for one that is not, or is changed. */
  readonly textOf: (object: Obj) => string | undefined
  /** Objects that name `uid` as an owner, with their keys. */
  readonly dependentsOf: (uid: string) => readonly { readonly key: string; readonly object: Obj }[]
  readonly hasUid: (uid: string) => boolean
  readonly keys: () => readonly string[]
  readonly version: () => number
  /** The last version that outlives a crash: watchers have been told of everything up to it. */
  readonly durable: () => number
  /** Resolves when everything written so far is durable. */
  readonly settled: () => Promise<void>
  /** Why nothing becomes durable right now; undefined when all is well. */
  readonly fault: () => string | undefined
  /** At most `limit` events after `version`; undefined when they are forgotten. */
  readonly since: (key: string, version: number, limit?: number) => readonly StoreEvent[] | undefined
  readonly watch: (key: string, scope: Scope, handler: Handler) => () => void
  readonly close: () => Promise<void>
}

/** The world outside. */
export type StoreOptions = {
  readonly nowMs: () => number
  /** Told once when the journal cannot be written (disk full): what waits for it is tried again until it is, and `fault` says why. */
  readonly failed: (error: unknown) => void
}

/** Opens the store over a journal. */
export function openStore(journal: Journal, options: StoreOptions): Store {
  return new MemoryStore(journal, options)
}

/** After a commit that failed the same changes are tried again; none is dropped, none acknowledged or shown before. */
const RETRY_MS = 1_000

type Pending = { readonly change: Change; readonly event: StoreEvent }

class MemoryStore implements Store {
  readonly #journal: Journal
  readonly #options: StoreOptions
  readonly #shelf: Shelf
  readonly #buckets = new Map<string, Bucket>()
  readonly #owners = new Map<string, Set<string>>()
  readonly #uids = new Map<string, Stored>()
  /** How many texts of a kind were not read from the journal yet. */
  readonly #unread = new Map<string, number>()
  #version = 0
  /** The version at which this process began: it knows all changes since. */
  readonly #start: number
  #durable = 0
  #pending: Pending[] = []
  #busy: readonly Pending[] = []
  /** The round that will take what is pending, and the one that the disk is busy with. */
  #next: Promise<void> | undefined
  #inFlight: Promise<void> = DONE
  #fault: string | undefined
  #isClosing = false

  constructor(journal: Journal, options: StoreOptions) {
    this.#journal = journal
    this.#options = options
    this.#shelf = new Shelf(journal.read)
    const heads: Head[] = []
    this.#version = journal.load((head) => void heads.push(head))
    this.#durable = this.#start = this.#version
    for (const head of heads) {
      this.#remember(new Stored(this.#shelf, head))
      this.#unread.set(head.key, (this.#unread.get(head.key) ?? 0) + 1)
    }
  }

  readonly get = (key: string, namespace: string, name: string): Obj | undefined =>
    this.find(key, namespace, name)?.object

  readonly find = (key: string, namespace: string, name: string): Stored | undefined =>
    this.#buckets.get(key)?.get(placeOf(namespace, name))

  readonly list = (key: string, namespace?: string): readonly Obj[] => {
    const bucket = this.#buckets.get(key)
    if (bucket === undefined) return []
    this.#readAll(key, bucket)
    return bucket.select({ namespace }).flatMap((place) => bucket.get(place)?.object ?? [])
  }

  readonly select = (key: string, range: Range): Selected | undefined => {
    const bucket = this.#bucketOf(key)
    if (!isOfFew(range)) this.#readAll(key, bucket)
    if (range.version !== undefined && range.version < this.#version)
      return selectPast(bucket, this.#eventsAfter(key, range.version), range)
    return { places: bucket.select(range), at: (place) => bucket.get(place) }
  }

  readonly put = (key: string, object: Obj): Obj => {
    const before = this.#present(key, object)
    const version = this.#stamp(object)
    const head = headOf(key, object, version, before)
    const stored = new Stored(this.#shelf, head, object)
    this.#remember(stored, before)
    const type = before === undefined ? 'ADDED' : 'MODIFIED'
    this.#enqueue({ head, text: stored.text }, { version, type, key, stored, before, atMs: this.#options.nowMs() })
    return object
  }

  readonly remove = (key: string, object: Obj): Obj => {
    const before = this.#present(key, object)
    const version = this.#stamp(object)
    const head = headOf(key, object, version, before)
    const stored = new Stored(this.#shelf, head, object)
    this.#forget(before ?? stored)
    this.#enqueue(
      { head, text: undefined },
      { version, type: 'DELETED', key, stored, before, atMs: this.#options.nowMs() },
    )
    return object
  }

  readonly textOf = (object: Obj): string | undefined => this.#shelf.textOf(object)

  readonly dependentsOf = (uid: string): readonly { readonly key: string; readonly object: Obj }[] =>
    [...(this.#owners.get(uid) ?? [])].flatMap((dependent) => {
      const stored = this.#uids.get(dependent)
      return stored === undefined ? [] : [{ key: stored.head.key, object: stored.object }]
    })

  readonly hasUid = (uid: string): boolean => this.#uids.has(uid)
  readonly keys = (): readonly string[] => [...this.#buckets.keys()]
  readonly version = (): number => this.#version
  readonly durable = (): number => this.#durable
  readonly settled = (): Promise<void> => this.#next ?? this.#inFlight
  readonly fault = (): string | undefined => this.#fault

  readonly since = (key: string, from: number, limit?: number): readonly StoreEvent[] | undefined =>
    this.#bucketOf(key).history.since(from, limit)

  readonly watch = (key: string, scope: Scope, handler: Handler): (() => void) =>
    this.#bucketOf(key).watch(scope, handler)

  readonly close = async (): Promise<void> => {
    this.#isClosing = true
    await this.settled()
    this.#journal.close()
  }

  #bucketOf(key: string): Bucket {
    let bucket = this.#buckets.get(key)
    if (bucket === undefined) this.#buckets.set(key, (bucket = new Bucket(this.#start)))
    return bucket
  }

  /** All events after a version, also those that are not durable yet; undefined when some are forgotten. */
  #eventsAfter(key: string, version: number): readonly StoreEvent[] | undefined {
    const pending = [...this.#busy, ...this.#pending].flatMap(({ event }) => (event.key === key ? event : []))
    const durable = this.#bucketOf(key).history.since(version)
    return durable && [...durable, ...pending.filter((event) => event.version > version)]
  }

  /** What is there now; its text is read before the journal overwrites it. */
  #present(key: string, object: Obj): Stored | undefined {
    const stored = this.find(key, namespaceOf(object), object.metadata.name)
    stored?.load()
    return stored
  }

  #stamp(object: Obj): number {
    const version = ++this.#version
    object.metadata.resourceVersion = String(version)
    return version
  }

  /** Reads what a list needs in one go. */
  #readAll(key: string, bucket: Bucket): void {
    if (!this.#unread.delete(key)) return
    const unread = new Map<number, Stored>()
    for (const stored of bucket.all()) if (!stored.isRead) unread.set(stored.head.id, stored)
    if (unread.size > 0) this.#journal.readAll(key, (id, text) => unread.get(id)?.fill(text))
  }

  #remember(stored: Stored, before?: Stored): void {
    const { key, namespace, name, uid, owners } = stored.head
    this.#bucketOf(key).set(placeOf(namespace, name), stored)
    if (before !== undefined && (before.head.uid !== uid || before.head.owners !== owners)) this.#unindex(before)
    this.#uids.set(uid, stored)
    for (const owner of owners) {
      const dependents = this.#owners.get(owner)
      if (dependents === undefined) this.#owners.set(owner, new Set([uid]))
      else dependents.add(uid)
    }
  }

  #forget(stored: Stored): void {
    const { key, namespace, name } = stored.head
    this.#bucketOf(key).delete(placeOf(namespace, name))
    this.#unindex(stored)
  }

  #unindex({ head: { uid, owners } }: Stored): void {
    this.#uids.delete(uid)
    for (const owner of owners) {
      const dependents = this.#owners.get(owner)
      dependents?.delete(uid)
      if (dependents?.size === 0) this.#owners.delete(owner)
    }
  }

  /** What is written while the disk is busy goes to it together, in the next round. */
  #enqueue(change: Change, event: StoreEvent): void {
    this.#pending.push({ change, event })
    this.#next ??= this.#inFlight.then(() => this.#round())
  }

  /** Takes what one turn of the event loop has written: one transaction, one sync, then watchers hear of it. */
  async #round(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve))
    const batch = this.#pending
    this.#busy = batch
    this.#pending = []
    this.#inFlight = this.#next ?? DONE
    this.#next = undefined
    while (!(await this.#commit(batch))) {
      // what a full disk does not take was acknowledged to nobody
      if (this.#isClosing) return
      await new Promise((again) => setTimeout(again, RETRY_MS))
    }
    this.#durable = batch.at(-1)?.event.version ?? this.#durable
    this.#busy = []
    for (const { event } of batch) this.#bucketOf(event.key).publish(event)
  }

  async #commit(batch: readonly Pending[]): Promise<boolean> {
    try {
      this.#journal.commit(batch.map(({ change }) => change))
      await this.#journal.sync()
      this.#fault = undefined
    } catch (error) {
      if (this.#fault === undefined) this.#options.failed(error)
      this.#fault = error instanceof Error ? error.message : String(error)
    }
    return this.#fault === undefined
  }
}

const DONE = Promise.resolve()

/** Whether most objects of the kind will not be looked at: then texts are read from the journal one by one. */
function isOfFew({ isPage, name, namespace, labels = [] }: Range): boolean {
  return isPage === true || Boolean(name) || (Boolean(namespace) && labels.length > 0)
}

/** Undoes, in what is there now, the events since. */
function selectPast(
  bucket: Bucket,
  events: readonly StoreEvent[] | undefined,
  { namespace, after = '' }: Range,
): Selected | undefined {
  if (events === undefined) return undefined
  const past = new Map<string, Stored | undefined>()
  for (const { stored, before } of events) {
    const place = placeOf(stored.head.namespace, stored.head.name)
    if (!past.has(place)) past.set(place, before)
  }
  const prefix = prefixOf(namespace)
  const gone = [...past.keys()].filter(
    (place) => bucket.get(place) === undefined && place.startsWith(prefix) && place > after,
  )
  const live = bucket.select({ namespace, after })
  return {
    places: gone.length === 0 ? live : [...live, ...gone].sort(),
    at: (place) => (past.has(place) ? past.get(place) : bucket.get(place)),
  }
}

function headOf(key: string, object: Obj, version: number, before: Stored | undefined): Head {
  const { uid = '', name } = object.metadata
  const owners = ownersOf(object)
  const same = before !== undefined && sameTexts(owners, before.head.owners)
  return {
    id: before?.head.id ?? version,
    version,
    key,
    namespace: namespaceOf(object),
    name,
    uid,
    owners: same ? before.head.owners : owners,
  }
}

const sameTexts = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((each, index) => each === b[index])
