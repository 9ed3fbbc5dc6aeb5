import type { Obj } from '../object.ts'
import type { Head } from './journal.ts'

/** How many objects stay decoded. A text of 1.5 KB takes 8 µs to decode, and a third of the memory of its objects. */
const MOST_DECODED = 4096

/** Makes the versions of a store, and remembers the decoded objects of those that were looked at last. */
export class Shelf {
  readonly read: (id: number) => string
  readonly #texts = new WeakMap<Obj, string>()
  readonly #decoded: (Stored | undefined)[] = []
  #next = 0

  /** @param read the text of an object, from the journal */
  constructor(read: (id: number) => string) {
    this.read = read
  }

  /** The text that is exactly this object; undefined for an object that is not a stored one. */
  textOf(object: Obj): string | undefined {
    return this.#texts.get(object)
  }

  remember(stored: Stored, object: Obj): void {
    this.#decoded[this.#next]?.forget()
    this.#decoded[this.#next] = stored
    this.#next = (this.#next + 1) % MOST_DECODED
    this.#texts.set(object, stored.text)
  }

  /** Keeps no object decoded. */
  clear(): void {
    for (const stored of this.#decoded) stored?.forget()
    this.#decoded.length = 0
    this.#next = 0
  }
}

/** One version of an object as it is kept: its text, decoded when somebody looks inside. Neither is ever changed. */
export class Stored {
  readonly head: Head
  readonly #shelf: Shelf
  #text: string | undefined
  #object: Obj | undefined

  /** A version just written; one without an object is in the journal. */
  constructor(shelf: Shelf, head: Head, object?: Obj) {
    this.#shelf = shelf
    this.head = head
    if (object === undefined) return
    this.#text = textFor(object)
    this.#object = object
    shelf.remember(this, object)
  }

  get isRead(): boolean {
    return this.#text !== undefined
  }

  get text(): string {
    return (this.#text ??= this.#shelf.read(this.head.id))
  }

  /** Reads the text if nobody has yet. */
  load(): void {
    this.#text ??= this.#shelf.read(this.head.id)
  }

  get object(): Obj {
    if (this.#object !== undefined) return this.#object
    const object = parseStored(this.text)
    this.#object = object
    this.#shelf.remember(this, object)
    return object
  }

  /** Takes the text that somebody has read from the journal. */
  fill(text: string): void {
    this.#text ??= text
  }

  /** Drops the decoded object. */
  forget(): void {
    this.#object = undefined
  }
}

/** Kind and version come first in the text, as Go writes them: a list leaves them out by cutting. */
export function textFor({ kind, apiVersion, metadata, ...content }: Obj): string {
  return JSON.stringify({ kind, apiVersion, metadata, ...content })
}

/** Texts are what this server wrote. */
function parseStored(text: string): Obj {
  return JSON.parse(text) as Obj
}
