import { constants, createInflate } from 'node:zlib'
import { SPDY_DICTIONARY } from './dictionary.ts'
import { SpdyFault } from './fault.ts'

/** Headers of a stream by their names in lower case. */
export type Headers = ReadonlyMap<string, string>

/** Opens blocks of headers one after the other: each needs all blocks before it. */
export type HeaderReader = {
  readonly read: (block: Buffer) => Promise<Headers>
  readonly close: () => void
}

const MAX_HEADERS = 100

/**
 * Decompresses and parses the blocks of one connection. Calls must not overlap.
 *
 * A block may grow to what a stream of Node holds (16 KiB and more) and 100 headers; no client of Kubernetes sends more than five.
 * @throws SpdyFault for broken or larger blocks
 */
export function readHeaderBlocks(): HeaderReader {
  const inflate = createInflate({ dictionary: SPDY_DICTIONARY, flush: constants.Z_SYNC_FLUSH })
  return {
    async read(block) {
      const bytes = await inflated(inflate, block)
      return parseHeaders(bytes)
    },
    close: () => void inflate.destroy(),
  }
}

function inflated(inflate: ReturnType<typeof createInflate>, block: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const end = (settle: () => void): void => {
      inflate.removeListener('readable', tooLarge)
      inflate.removeListener('error', failed)
      inflate.removeListener('close', failed)
      settle()
    }
    const failed = (): void => end(() => reject(new SpdyFault('a block of headers cannot be decompressed')))
    const tooLarge = (): void => {
      if (inflate.readableLength < inflate.readableHighWaterMark) return
      end(() => reject(new SpdyFault(`a block of headers has more than ${inflate.readableHighWaterMark} bytes`)))
      inflate.destroy()
    }
    inflate.on('readable', tooLarge)
    inflate.on('error', failed)
    inflate.on('close', failed)
    inflate.write(block, () => end(() => resolve(takeAll(inflate))))
  })
}

function takeAll(inflate: ReturnType<typeof createInflate>): Buffer {
  const bytes: unknown = inflate.read()
  return Buffer.isBuffer(bytes) ? bytes : Buffer.alloc(0)
}

function parseHeaders(block: Buffer): Headers {
  let at = 0
  const take = (size: number): Buffer => {
    if (at + size > block.length) throw new SpdyFault('a block of headers is cut short')
    at += size
    return block.subarray(at - size, at)
  }
  const number = (): number => take(4).readUInt32BE(0)
  const text = (): string => take(number()).toString('utf8')
  const count = number()
  if (count > MAX_HEADERS) throw new SpdyFault(`a block has ${count} headers, more than ${MAX_HEADERS}`)
  const headers = new Map<string, string>()
  for (let index = 0; index < count; index++) {
    const name = text().toLowerCase()
    if (name === '' || headers.has(name)) throw new SpdyFault(`the header "${name}" has no name or stands twice`)
    // several values are one text with zero bytes between them; the first one counts
    headers.set(name, text().split('\0', 1)[0] ?? '')
  }
  return headers
}

/** An empty block: Go hands on what it has read only when it meets one. */
const FLUSH = Buffer.from([0x00, 0x00, 0x00, 0xff, 0xff])

/**
 * Writes blocks of headers that every zlib can read: stored, not compressed, as the few bytes that a server says are not worth
 * a compressor for every connection.
 */
export function writeHeaderBlocks(): (headers: Headers) => Buffer {
  let isFirst = true
  return (headers) => {
    const text = renderHeaders(headers)
    const stored = Buffer.alloc(5)
    stored.writeUInt16LE(text.length, 1)
    stored.writeUInt16LE(~text.length & 0xffff, 3)
    const head = isFirst ? Buffer.from([0x78, 0x01]) : Buffer.alloc(0)
    isFirst = false
    return Buffer.concat([head, stored, text, FLUSH])
  }
}

function renderHeaders(headers: Headers): Buffer {
  const number = (value: number): Buffer => {
    const bytes = Buffer.alloc(4)
    bytes.writeUInt32BE(value)
    return bytes
  }
  const text = (value: string): Buffer[] => [number(Buffer.byteLength(value)), Buffer.from(value)]
  return Buffer.concat([
    number(headers.size),
    ...[...headers].flatMap(([name, value]) => [...text(name.toLowerCase()), ...text(value)]),
  ])
}
