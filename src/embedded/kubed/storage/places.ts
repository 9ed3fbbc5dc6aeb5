import { byBytes } from '../../../lib/kube/json.ts'

/** Where an object is within its kind; places sort as etcd sorts its keys. */
export function placeOf(namespace: string, name: string): string {
  return namespace === '' ? name : `${namespace}/${name}`
}

/** What the places of a namespace begin with; of all when there is none. */
export function prefixOf(namespace: string | undefined): string {
  return namespace === undefined || namespace === '' ? '' : `${namespace}/`
}

/** What the places of this one's namespace begin with. */
export function prefixIn(place: string): string {
  return place.slice(0, place.indexOf('/') + 1)
}

/** The places of one kind in order, brought up to date only when somebody asks. */
export class Places {
  readonly #live: ReadonlyMap<string, unknown>
  readonly #changed = new Set<string>()
  #order: string[] = []
  /** So many have changed that all are sorted anew; which ones is of no interest. */
  #isStale = false

  constructor(live: ReadonlyMap<string, unknown>) {
    this.#live = live
  }

  /** Says that a place was taken or given up. */
  change(place: string): void {
    if (this.#isStale) return
    this.#changed.add(place)
    this.#isStale = this.#changed.size > this.#order.length / 16
  }

  /** Places of a namespace, or of all when there is none, that come after `after`. */
  within(namespace: string | undefined, after = ''): readonly string[] {
    this.#settle()
    const prefix = prefixOf(namespace)
    const start = after > prefix ? this.#indexAfter(after) : this.#indexOf(prefix)
    // The sign after the slash ends a namespace.
    return this.#order.slice(start, prefix === '' ? undefined : this.#indexOf(`${prefix.slice(0, -1)}0`))
  }

  /** A few changes move the others along; after many it is cheaper to sort. */
  #settle(): void {
    if (this.#isStale) this.#order = [...this.#live.keys()].sort(byBytes)
    else for (const place of this.#changed) this.#settleOne(place)
    this.#isStale = false
    this.#changed.clear()
  }

  #settleOne(place: string): void {
    const index = this.#indexOf(place)
    const isThere = this.#order[index] === place
    const isLive = this.#live.has(place)
    if (isLive && !isThere) this.#order.splice(index, 0, place)
    if (!isLive && isThere) this.#order.splice(index, 1)
  }

  #indexAfter(place: string): number {
    const index = this.#indexOf(place)
    return this.#order[index] === place ? index + 1 : index
  }

  /** The first index whose place is not before `place`. */
  #indexOf(place: string): number {
    let low = 0
    let high = this.#order.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#order[middle] ?? '') < place) low = middle + 1
      else high = middle
    }
    return low
  }
}
