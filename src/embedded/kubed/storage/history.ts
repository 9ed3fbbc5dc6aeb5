import { MIN_AGE_MS } from './ages.ts'
import type { Stored } from './stored.ts'

/** A change that watchers see. `before` is what the object was. */
export type StoreEvent = {
  readonly version: number
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'
  readonly key: string
  readonly stored: Stored
  readonly before: Stored | undefined
  readonly atMs: number
}

/** So many events are kept, however old and large; older ones than `MIN_AGE_MS` go, and younger ones when their texts are too much. */
const ALWAYS = 1024
const MOST_CHARACTERS = 16 * 1024 * 1024

/** The last events of one kind, for watches that resume or fall behind, and for pages of a list. */
export class History {
  #events: StoreEvent[] = []
  #first = 0
  #characters = 0
  #compacted: number

  /** @param version events up to this one are not known */
  constructor(version: number) {
    this.#compacted = version
  }

  /** Versions up to this one are forgotten. */
  get compacted(): number {
    return this.#compacted
  }

  add(event: StoreEvent): void {
    this.#events.push(event)
    this.#characters += event.stored.text.length
    for (let oldest = this.#surplus(event.atMs); oldest !== undefined; oldest = this.#surplus(event.atMs)) {
      this.#compacted = oldest.version
      this.#characters -= oldest.stored.text.length
      this.#first++
    }
    if (this.#first < ALWAYS || this.#first < this.#events.length / 2) return
    this.#events = this.#events.slice(this.#first)
    this.#first = 0
  }

  /** The oldest event, when it is one too many. */
  #surplus(nowMs: number): StoreEvent | undefined {
    const oldest = this.#events[this.#first]
    if (oldest === undefined || this.#events.length - this.#first <= ALWAYS) return undefined
    return this.#characters > MOST_CHARACTERS || nowMs - oldest.atMs > MIN_AGE_MS ? oldest : undefined
  }

  /** At most `limit` events after `version`, in order; undefined when some of them are forgotten. */
  since(version: number, limit = Infinity): readonly StoreEvent[] | undefined {
    if (version < this.#compacted) return undefined
    let low = this.#first
    let high = this.#events.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#events[middle]?.version ?? 0) > version) high = middle
      else low = middle + 1
    }
    return this.#events.slice(low, low + limit)
  }
}
