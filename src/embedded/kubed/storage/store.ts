import { namespaceOf, type Obj } from '../object.ts'
import { Ages } from './ages.ts'
import { Bucket, type Handler, type Range, type Scope } from './bucket.ts'
import type { StoreEvent } from './history.ts'
import type { Change, Head, Heads, Journal } from './journal.ts'
import { Live } from './live.ts'
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
  readonly isEmpty: (key: string) => boolean
  /** How often something of the kind was written or deleted since the start: as long as that is the same, so is what was made of it. */
  readonly changes: (key: string) => number
  /** What a list goes through; undefined when the version it wants is forgotten. */
  readonly select: (key: string, range: Range) => Selected | undefined
  /** Reads the texts of these objects that nobody has read yet, all in one go. */
  readonly read: (many: Iterable<Stored>) => void
  readonly put: (key: string, object: Obj) => Obj
  readonly remove: (key: string, object: Obj) => Obj
  /** The text under which exactly this object is kept; undefined for one that is not, or is changed. */
  readonly textOf: (object: Obj) => string | undefined
  readonly version: () => number
  /** The last version that outlives a crash: watchers have been told of everything up to it. */
  readonly durable: () => number
  /** Resolves when everything written so far is durable. */
  readonly settled: () => Promise<void>
  /** Resolves then, too, and as soon as the disk refuses some of it: `fault` tells. */
  readonly settledOrRefused: () => Promise<void>
  /** Why nothing becomes durable right now; undefined when all is well. */
  readonly fault: () => string | undefined
  /** At most `limit` events after `version`; undefined when they are forgotten. */
  readonly since: (key: string, version: number, limit?: number) => readonly StoreEvent[] | undefined
  readonly watch: (key: string, scope: Scope, handler: Handler) => () => void
  /** Gives back the memory of what can be made again from its text. */
  readonly release: () => void
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
  /** Kinds that nobody has asked for since the start, and how to come by their heads. */
  readonly #unopened = new Map<string, Heads[]>()
  /** Kinds with texts that were not read from the journal yet. */
  readonly #unread = new Set<string>()
  #version = 0
  /** The version at which this process began: it knows all changes since. */
  readonly #start: number
  readonly #ages = new Ages()
  #durable = 0
  #pending: Pending[] = []
  #busy: readonly Pending[] = []
  /** The round that will take what is pending, and the one that the disk is busy with. */
  #next: Promise<void> | undefined
  #inFlight: Promise<void> = DONE
  #fault: string | undefined
  /** Who would rather hear of a fault than wait for its end. */
  readonly #impatient = new Set<() => void>()
  #isClosing = false

  constructor(journal: Journal, options: StoreOptions) {
    this.#journal = journal
    this.#options = options
    this.#shelf = new Shelf(journal.read)
    this.#version = journal.load((key, heads) => {
      this.#unopened.set(key, [...(this.#unopened.get(key) ?? []), heads])
      this.#unread.add(key)
    })
    this.#durable = this.#start = this.#version
  }

  readonly get = (key: string, namespace: string, name: string): Obj | undefined =>
    this.find(key, namespace, name)?.object

  readonly find = (key: string, namespace: string, name: string): Stored | undefined =>
    this.#known(key)?.get(placeOf(namespace, name))

  readonly list = (key: string, namespace?: string): readonly Obj[] => {
    const bucket = this.#known(key)
    if (bucket === undefined) return []
    this.#readAll(key, bucket)
    return bucket.select({ namespace }).flatMap((place) => bucket.get(place)?.object ?? [])
  }

  readonly isEmpty = (key: string): boolean => (this.#known(key)?.size ?? 0) === 0

  readonly changes = (key: string): number => this.#buckets.get(key)?.changes ?? 0

  readonly select = (key: string, range: Range): Selected | undefined => {
    const bucket = this.#bucketOf(key)
    if (!isOfFew(range)) this.#readAll(key, bucket)
    if (range.version !== undefined && range.version < this.#version) {
      if (range.version < this.#ages.oldest(this.#options.nowMs())) return undefined
      return selectPast(bucket, this.#eventsAfter(key, range.version), range)
    }
    return { places: bucket.select(range), at: (place) => bucket.get(place) }
  }

  readonly read = (many: Iterable<Stored>): void => {
    const unread = new Map<number, Stored>()
    for (const stored of many) if (!stored.isRead) unread.set(stored.head.id, stored)
    if (unread.size > 0) this.#journal.readMany([...unread.keys()], (id, text) => unread.get(id)?.fill(text))
  }

  readonly put = (key: string, object: Obj): Obj => {
    const before = this.#present(key, object)
    const version = this.#stamp(object)
    const head = headOf(key, object, version, before)
    const stored = new Stored(this.#shelf, head, object)
    this.#bucketOf(key).set(placeOf(head.namespace, head.name), stored)
    const type = before === undefined ? 'ADDED' : 'MODIFIED'
    this.#enqueue({ head, text: stored.text }, { version, type, key, stored, before, atMs: this.#options.nowMs() })
    return object
  }

  readonly remove = (key: string, object: Obj): Obj => {
    const before = this.#present(key, object)
    const version = this.#stamp(object)
    const head = headOf(key, object, version, before)
    const stored = new Stored(this.#shelf, head, object)
    this.#bucketOf(key).delete(placeOf(head.namespace, head.name))
    this.#enqueue(
      { head, text: undefined },
      { version, type: 'DELETED', key, stored, before, atMs: this.#options.nowMs() },
    )
    return object
  }

  readonly textOf = (object: Obj): string | undefined => this.#shelf.textOf(object)

  readonly version = (): number => this.#version
  readonly durable = (): number => this.#durable
  readonly settled = (): Promise<void> => this.#next ?? this.#inFlight
  readonly settledOrRefused = (): Promise<void> => {
    if (this.#fault !== undefined || this.#pending.length + this.#busy.length === 0) return DONE
    return new Promise((heard) => {
      this.#impatient.add(heard)
      void this.settled().then(() => this.#impatient.delete(heard) && heard())
    })
  }
  readonly fault = (): string | undefined => this.#fault

  readonly since = (key: string, from: number, limit?: number): readonly StoreEvent[] | undefined =>
    this.#bucketOf(key).history.since(from, limit)

  readonly watch = (key: string, scope: Scope, handler: Handler): (() => void) =>
    this.#bucketOf(key).watch(scope, handler)

  readonly release = (): void => this.#shelf.clear()

  readonly close = async (): Promise<void> => {
    this.#isClosing = true
    await this.settled()
    this.#journal.close()
  }

  /** The bucket of a kind that was ever written or asked for. */
  #known(key: string): Bucket | undefined {
    return this.#buckets.get(key) ?? (this.#unopened.has(key) ? this.#open(key) : undefined)
  }

  #bucketOf(key: string): Bucket {
    return this.#buckets.get(key) ?? this.#open(key)
  }

  #open(key: string): Bucket {
    const live = new Live(this.#unopened.get(key) ?? [], (head) => new Stored(this.#shelf, head))
    const bucket = new Bucket(this.#start, live)
    this.#buckets.set(key, bucket)
    this.#unopened.delete(key)
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
    this.#ages.note(version, this.#options.nowMs())
    object.metadata.resourceVersion = String(version)
    return version
  }

  /** Reads what a list needs in one go. */
  #readAll(key: string, bucket: Bucket): void {
    if (!this.#unread.delete(key)) return
    this.read(bucket.all())
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
    for (const { event } of batch) forgetGone(event)
  }

  async #commit(batch: readonly Pending[]): Promise<boolean> {
    try {
      this.#journal.commit(batch.map(({ change }) => change))
      await this.#journal.sync()
      this.#fault = undefined
    } catch (error) {
      if (this.#fault === undefined) this.#options.failed(error)
      this.#fault = error instanceof Error ? error.message : String(error)
      for (const hear of this.#impatient) hear()
      this.#impatient.clear()
    }
    return this.#fault === undefined
  }
}

const DONE = Promise.resolve()

/** What is there no more only those look into who have fallen behind. */
function forgetGone({ type, stored, before }: StoreEvent): void {
  before?.forget()
  if (type === 'DELETED') stored.forget()
}

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
  return { id: before?.head.id ?? version, version, key, namespace: namespaceOf(object), name: object.metadata.name }
}
