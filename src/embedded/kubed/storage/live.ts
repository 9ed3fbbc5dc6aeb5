import { byBytes } from '../../../lib/kube/json.ts'
import type { Head, Heads } from './journal.ts'
import { placeOf, Places } from './places.ts'
import type { Stored } from './stored.ts'

/** The objects of one kind by their places. Those of an earlier process are taken in when somebody asks for more than one name: 2 µs each. */
export class Live {
  readonly #stored = new Map<string, Stored>()
  readonly #places = new Places(this.#stored)
  readonly #make: (head: Head) => Stored
  #earlier: readonly Heads[]

  /** @param make an object that is in the journal */
  constructor(earlier: readonly Heads[], make: (head: Head) => Stored) {
    this.#earlier = earlier
    this.#make = make
  }

  get(place: string): Stored | undefined {
    const found = this.#stored.get(place)
    if (found !== undefined || this.#earlier.length === 0) return found
    this.#takeIn()
    return this.#stored.get(place)
  }

  get size(): number {
    this.#takeIn()
    return this.#stored.size
  }

  all(): Iterable<Stored> {
    this.#takeIn()
    return this.#stored.values()
  }

  set(place: string, stored: Stored): void {
    this.#takeIn()
    if (!this.#stored.has(place)) this.#places.change(place)
    this.#stored.set(place, stored)
  }

  delete(place: string): void {
    this.#takeIn()
    this.#stored.delete(place)
    this.#places.change(place)
  }

  /** Places of a namespace, or of all when there is none, in order, that come after `after`. */
  within(namespace: string | undefined, after: string): readonly string[] {
    this.#takeIn()
    return this.#places.within(namespace, after)
  }

  /** Places of this name in any namespace, in order. */
  named(name: string): readonly string[] {
    for (const heads of this.#earlier) for (const head of heads.named(name)) this.#add(head)
    const end = `/${name}`
    return [...this.#stored.keys()].filter((place) => place.endsWith(end)).sort(byBytes)
  }

  #takeIn(): void {
    for (const heads of this.#earlier) for (const head of heads.all()) this.#add(head)
    this.#earlier = []
  }

  #add(head: Head): void {
    const place = placeOf(head.namespace, head.name)
    if (this.#stored.has(place)) return
    this.#stored.set(place, this.#make(head))
    this.#places.change(place)
  }
}
