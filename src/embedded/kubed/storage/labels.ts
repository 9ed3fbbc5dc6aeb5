import { stringOf } from '../../../lib/kube/json.ts'
import type { Obj } from '../object.ts'

/** A label that a selector asks for. */
export type Label = readonly [name: string, value: string]

const keyOf = ([name, value]: Label): string => `${name}\u0000${value}`

/** Places of one kind by the labels of their objects. */
export class LabelIndex {
  readonly #places = new Map<string, Set<string>>()
  readonly #labels = new Map<string, readonly string[]>()

  /** Takes in what is at a place now; undefined when nothing is any more. */
  set(place: string, object: Obj | undefined): void {
    const before = this.#labels.get(place) ?? []
    const after = Object.entries(object?.metadata.labels ?? {}).map(([name, value]) => keyOf([name, stringOf(value)]))
    for (const key of before) if (!after.includes(key)) this.#leave(key, place)
    for (const key of after) this.#enter(key, place)
    if (after.length === 0) this.#labels.delete(place)
    else this.#labels.set(place, after)
  }

  /** Places of objects with the rarest of the labels. */
  placesOf(labels: readonly Label[]): ReadonlySet<string> {
    const sets = labels.map((label) => this.#places.get(keyOf(label)) ?? NOWHERE)
    return sets.reduce((least, set) => (set.size < least.size ? set : least))
  }

  #enter(key: string, place: string): void {
    const places = this.#places.get(key)
    if (places === undefined) this.#places.set(key, new Set([place]))
    else places.add(place)
  }

  #leave(key: string, place: string): void {
    const places = this.#places.get(key)
    places?.delete(place)
    if (places?.size === 0) this.#places.delete(key)
  }
}

const NOWHERE: ReadonlySet<string> = new Set()
