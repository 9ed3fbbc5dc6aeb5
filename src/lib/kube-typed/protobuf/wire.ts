/** Why a message cannot be read, in the words of Go's generated code. */
export class WireError extends Error {}

/** How a value is written: a number, eight bytes, what tells its length, a group, four bytes. */
export const WIRE = { varint: 0, eight: 1, delimited: 2, group: 3, endOfGroup: 4, four: 5 } as const

const ended = (): WireError => new WireError('unexpected EOF')
const negative = (): WireError => new WireError('proto: negative length found during unmarshaling')

const TWO_32 = 2 ** 32

type Tag = { readonly number: number; readonly wire: number }

/** Walks over a message as Go's generated code does: what is not known is passed over, groups with all that they hold. */
export class Wire {
  readonly #bytes: Buffer
  #at = 0
  #start = 0
  // The last number of 64 bits, in halves: V8 of Node 20 ends the process when it optimizes such loops over BigInt.
  #low = 0
  #high = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  get isDone(): boolean {
    return this.#at >= this.#bytes.length
  }

  /** The next field of the message that is named. @throws WireError */
  field(message: string): Tag {
    const { number, wire } = this.tag()
    if (wire === WIRE.endOfGroup) throw new WireError(`proto: ${message}: wiretype end group for non-group`)
    if (number <= 0)
      throw new WireError(`proto: ${message}: illegal tag ${number} (wire type ${this.#high * TWO_32 + this.#low})`)
    return { number, wire }
  }

  /** The next field of an entry of a map, of which nothing is checked. @throws WireError */
  tag(): Tag {
    this.#start = this.#at
    this.#read()
    const number = (this.#high << 29) | (this.#low >>> 3)
    return { number, wire: this.#low & 7 }
  }

  /** A number of 32 bits; what is more of it is lost. @throws WireError */
  int32(): number {
    this.#read()
    return this.#low | 0
  }

  /** A number of 64 bits, as exact as a number can be. @throws WireError */
  int64(): number {
    this.#read()
    return (this.#high | 0) * TWO_32 + this.#low
  }

  /** As many bytes as are announced. @throws WireError */
  delimited(): Buffer {
    return this.#take(this.#length())
  }

  /** Eight bytes. @throws WireError */
  double(): number {
    return this.#take(8).readDoubleLE()
  }

  /** Passes over the field that was begun last. @throws WireError */
  skip(): void {
    this.#at = this.#start
    let depth = 0
    do {
      this.#read()
      const wire = this.#low & 7
      if (wire === WIRE.varint) this.#read()
      else if (wire === WIRE.eight) this.#at += 8
      else if (wire === WIRE.delimited) this.#pass(this.#length())
      else if (wire === WIRE.group) depth++
      else if (wire === WIRE.four) this.#at += 4
      else if (wire !== WIRE.endOfGroup) throw new WireError(`proto: illegal wireType ${wire}`)
      else if (depth-- === 0) throw new WireError('proto: unexpected end of group')
      if (depth > 0 && this.isDone) throw ended()
    } while (depth > 0)
    if (this.#at > this.#bytes.length) throw ended()
  }

  /** Seven bits a byte, the lowest first. */
  #read(): void {
    let [low, high] = [0, 0]
    for (let shift = 0; shift < 64; shift += 7) {
      const byte = this.#bytes[this.#at++]
      if (byte === undefined) throw ended()
      const bits = byte & 127
      if (shift < 32) low |= bits << shift
      if (shift === 28) high |= bits >>> 4
      else if (shift > 28) high |= bits << (shift - 32)
      if (byte >= 128) continue
      this.#low = low >>> 0
      this.#high = high >>> 0
      return
    }
    throw new WireError('proto: integer overflow')
  }

  #pass(count: number): void {
    this.#at += count
  }

  #length(): number {
    const length = this.int64()
    if (length < 0) throw negative()
    return length
  }

  #take(count: number): Buffer {
    if (count > this.#bytes.length - this.#at) throw ended()
    const start = this.#at
    this.#at += count
    return this.#bytes.subarray(start, this.#at)
  }
}
