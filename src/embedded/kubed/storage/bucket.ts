import { History, type StoreEvent } from './history.ts'
import { type Label, LabelIndex } from './labels.ts'
import { placeOf, Places, prefixOf } from './places.ts'
import type { Stored } from './stored.ts'

/** Hears of changes. */
export type Handler = (event: StoreEvent) => void

/** What is watched: one object, a namespace, or everything where a field is ''. */
export type Scope = { readonly namespace: string; readonly name: string }

/** Which objects of a kind to go through. */
export type Range = {
  /** Of all namespaces when undefined. */
  readonly namespace?: string | undefined
  /** Of any name when ''. */
  readonly name?: string
  /** Only places behind this one. */
  readonly after?: string
  /** Only objects with at least one of these labels; the caller looks at the rest. */
  readonly labels?: readonly Label[]
  /** Only the first few will be looked at: texts are read from the journal one by one. */
  readonly isPage?: boolean
  /** The objects as they were then; now when undefined. */
  readonly version?: number | undefined
}

/** Everything of one kind: the objects, their order, their last changes, and who watches them. */
export class Bucket {
  readonly history: History
  readonly #live = new Map<string, Stored>()
  readonly #places = new Places(this.#live)
  readonly #watchers = new Map<string, Set<Handler>>()
  #labels: LabelIndex | undefined

  constructor(version: number) {
    this.history = new History(version)
  }

  get(place: string): Stored | undefined {
    return this.#live.get(place)
  }

  all(): Iterable<Stored> {
    return this.#live.values()
  }

  set(place: string, stored: Stored): void {
    if (!this.#live.has(place)) this.#places.change(place)
    this.#live.set(place, stored)
    this.#labels?.set(place, stored.object)
  }

  delete(place: string): void {
    this.#live.delete(place)
    this.#places.change(place)
    this.#labels?.set(place, undefined)
  }

  /** Places in order. By name they are looked up, by label taken from an index, which is made when it is first asked for. */
  select({ namespace, name = '', after = '', labels = [] }: Range): readonly string[] {
    if (name !== '' && namespace !== undefined) {
      const place = placeOf(namespace, name)
      return this.#live.has(place) && place > after ? [place] : []
    }
    if (name !== '') return this.#places.within(undefined, after).filter((place) => place.endsWith(`/${name}`))
    if (labels.length === 0) return this.#places.within(namespace, after)
    this.#labels ??= this.#index()
    const prefix = prefixOf(namespace)
    const found = [...this.#labels.placesOf(labels)]
    return found.filter((place) => place.startsWith(prefix) && place > after).sort()
  }

  watch({ namespace, name }: Scope, handler: Handler): () => void {
    const scope = placeOf(namespace, name)
    const handlers = this.#watchers.get(scope) ?? new Set()
    this.#watchers.set(scope, handlers.add(handler))
    return () => {
      handlers.delete(handler)
      if (handlers.size === 0) this.#watchers.delete(scope)
    }
  }

  /** Remembers an event, and tells those whom it may concern. */
  publish(event: StoreEvent): void {
    this.history.add(event)
    const { namespace, name } = event.stored.head
    for (const scope of new Set(['', placeOf(namespace, ''), name, placeOf(namespace, name)]))
      for (const handler of this.#watchers.get(scope) ?? []) handler(event)
  }

  #index(): LabelIndex {
    const labels = new LabelIndex()
    for (const [place, stored] of this.#live) labels.set(place, stored.object)
    return labels
  }
}
