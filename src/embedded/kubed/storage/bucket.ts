import { History, type StoreEvent } from './history.ts'
import { type Label, LabelIndex } from './labels.ts'
import type { Live } from './live.ts'
import { placeOf, prefixIn, prefixOf } from './places.ts'
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
  /** Only the first few will be looked at: the caller reads the texts of those. */
  readonly isPage?: boolean
  /** The objects as they were then; now when undefined. */
  readonly version?: number | undefined
}

/** Everything of one kind: the objects, their order, their last changes, and who watches them. */
export class Bucket {
  readonly history: History
  readonly #live: Live
  readonly #watchers = new Map<string, Set<Handler>>()
  /** An index a namespace that was asked for labels, '' for all of them together. */
  readonly #labels = new Map<string, LabelIndex>()
  #changes = 0

  constructor(version: number, live: Live) {
    this.history = new History(version)
    this.#live = live
  }

  get(place: string): Stored | undefined {
    return this.#live.get(place)
  }

  /** How often something was written or deleted. */
  get changes(): number {
    return this.#changes
  }

  get size(): number {
    return this.#live.size
  }

  all(): Iterable<Stored> {
    return this.#live.all()
  }

  set(place: string, stored: Stored): void {
    this.#changes++
    this.#live.set(place, stored)
    this.#relabel(place, stored)
  }

  delete(place: string): void {
    this.#changes++
    this.#live.delete(place)
    this.#relabel(place, undefined)
  }

  /** Places in order. By name they are looked up, by label taken from an index, which is made when it is first asked for. */
  select({ namespace, name = '', after = '', labels = [] }: Range): readonly string[] {
    if (name !== '' && namespace !== undefined) {
      const place = placeOf(namespace, name)
      return place > after && this.#live.get(place) !== undefined ? [place] : []
    }
    if (name !== '') return this.#live.named(name).filter((place) => place > after)
    if (labels.length === 0) return this.#live.within(namespace, after)
    const found = [...this.#indexOf(namespace).placesOf(labels)]
    return found.filter((place) => place > after).sort()
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

  #indexOf(namespace: string | undefined): LabelIndex {
    const prefix = prefixOf(namespace)
    const known = this.#labels.get(prefix)
    if (known !== undefined) return known
    const labels = new LabelIndex()
    for (const place of this.#live.within(namespace, '')) labels.set(place, this.#live.get(place)?.object)
    this.#labels.set(prefix, labels)
    return labels
  }

  #relabel(place: string, stored: Stored | undefined): void {
    if (this.#labels.size === 0) return
    for (const prefix of new Set(['', prefixIn(place)])) this.#labels.get(prefix)?.set(place, stored?.object)
  }
}
