import { SluiceError } from '../error/sluice-error.ts'
import type { TarHeader, TarType } from './entry.ts'

const BLOCK = 512
const META_LIMIT = 1024 * 1024
/** No system takes a longer path; one of a million folders costs whoever walks it more than all files together. */
const LONGEST_PATH = 4096
/** The PAX records that mean something here; of sparse files only that there is one. */
const PAX_KEYS = new Set(['path', 'linkpath', 'size', 'uid', 'gid', 'mtime'])
const PAX_SPARSE = 'GNU.sparse.'
const TYPES: Readonly<Record<string, TarType>> = {
  '0': 'file',
  '\0': 'file',
  '7': 'file',
  '1': 'link',
  '2': 'symlink',
  '3': 'character',
  '4': 'block',
  '5': 'directory',
  '6': 'fifo',
}

/** An entry as it comes by. */
export type TarEntry = TarHeader & {
  /** Where the body starts in the archive. */
  readonly offset: number
  /** The body; what is not read is skipped when the next entry is asked for. */
  readonly body: AsyncGenerator<Buffer>
}

/** What an archive may hold at most. */
export type TarLimits = { readonly entries: number; readonly totalBytes: number }

/**
 * Reads an archive entry by entry: USTAR, PAX and GNU long names. Nothing is unpacked and no path is judged here.
 *
 * @param chunks the bytes, uncompressed
 * @throws SluiceError TAR_INVALID for a broken or cut archive, a sparse file, a path of more than 4,096 characters, a size that is none, or more than the limits, to which names and
 * other records count, too
 */
export async function* readTar(
  chunks: AsyncIterable<Uint8Array>,
  o: { readonly name: string; readonly limits: TarLimits },
): AsyncGenerator<TarEntry> {
  const bytes = createReader(chunks, o.name)
  try {
    yield* readEntries(bytes, o)
  } finally {
    await bytes.close()
  }
}

async function* readEntries(
  bytes: Reader,
  o: { readonly name: string; readonly limits: TarLimits },
): AsyncGenerator<TarEntry> {
  let overrides: Record<string, string> = {}
  let globals: Record<string, string> = {}
  let total = 0
  let entries = 0
  let records = 0
  const count = (sizeBytes: number): void => {
    total += sizeBytes
    if (total > o.limits.totalBytes) throw invalid(o.name, `unpacks to more than ${o.limits.totalBytes} bytes`)
  }
  for (;;) {
    const block = await bytes.take(BLOCK)
    if (block === undefined || isZero(block)) return
    const raw = parseBlock(block, o.name)
    if ('xgLK'.includes(raw.flag)) {
      // four of them at most stand before an entry
      if (++records > 4 * o.limits.entries) throw invalid(o.name, `has more than ${records - 1} records of names`)
      count(raw.sizeBytes)
      const body = await bytes.takeMeta(raw.sizeBytes)
      if (raw.flag === 'x') overrides = { ...overrides, ...parsePax(body, o.name) }
      else if (raw.flag === 'g') globals = { ...globals, ...parsePax(body, o.name) }
      else overrides = { ...overrides, [raw.flag === 'L' ? 'path' : 'linkpath']: untilNul(body) }
      continue
    }
    const header = makeHeader(raw, { ...globals, ...overrides }, o.name)
    overrides = {}
    if (++entries > o.limits.entries) throw invalid(o.name, `has more than ${o.limits.entries} entries`)
    count(header.sizeBytes)
    const body = bytes.body(header.sizeBytes)
    yield { ...header, offset: bytes.position(), body }
    for await (const rest of body) void rest
    await bytes.skip((BLOCK - (header.sizeBytes % BLOCK)) % BLOCK)
  }
}

type RawBlock = Omit<TarHeader, 'type'> & { readonly flag: string }

function parseBlock(block: Buffer, name: string): RawBlock {
  let sum = 8 * 32
  for (let index = 0; index < BLOCK; index++) if (index < 148 || index >= 156) sum += block[index] ?? 0
  if (sum !== readNumber(block, 148, 8)) throw invalid(name, 'has a header with a wrong checksum, or is no tar archive')
  const isUstar = block.toString('latin1', 257, 262) === 'ustar'
  const prefix = isUstar && block[263] === 0x30 ? untilNul(block.subarray(345, 500)) : ''
  const own = untilNul(block.subarray(0, 100))
  return {
    path: prefix === '' ? own : `${prefix}/${own}`,
    flag: String.fromCharCode(block[156] ?? 0),
    mode: readNumber(block, 100, 8) & 0o7777,
    uid: readNumber(block, 108, 8),
    gid: readNumber(block, 116, 8),
    sizeBytes: readSize(block, name),
    mtimeSeconds: readNumber(block, 136, 12),
    linkPath: untilNul(block.subarray(157, 257)),
  }
}

function makeHeader(raw: RawBlock, records: Readonly<Record<string, string>>, name: string): TarHeader {
  const { flag, ...rest } = raw
  /** A record without a value takes back one that stands for all entries. */
  const pax = (key: string): string | undefined => records[key] || undefined
  const path = pax('path') ?? raw.path
  const linkPath = pax('linkpath') ?? raw.linkPath
  for (const each of [path, linkPath])
    if (each.length > LONGEST_PATH)
      throw invalid(name, `has a path of ${each.length} characters: ${each.slice(0, 80)}…`)
  const isFolder = flag !== '5' && path.endsWith('/') && TYPES[flag] === 'file'
  const type = isFolder ? 'directory' : TYPES[flag]
  const sparse = flag === 'S' || pax(PAX_SPARSE) !== undefined
  if (type === undefined || sparse) throw invalid(name, `has an entry of unknown type "${flag}": ${path}`)
  const number = (key: 'size' | 'uid' | 'gid', fallback: number): number => {
    const text = pax(key)
    return text === undefined ? fallback : readDecimal(text, key, name)
  }
  const announced = number('size', raw.sizeBytes)
  // other readers take the bytes for content, or for the next entry
  if (isFolder && announced > 0) throw invalid(name, `has a folder with content: ${path}`)
  return {
    ...rest,
    path,
    type,
    sizeBytes: type === 'file' ? announced : 0,
    linkPath,
    uid: number('uid', raw.uid),
    gid: number('gid', raw.gid),
    mtimeSeconds: pax('mtime') === undefined ? raw.mtimeSeconds : Math.floor(Number(pax('mtime'))) || 0,
  }
}

function parsePax(body: Buffer, name: string): Record<string, string> {
  const found: Record<string, string> = {}
  for (let start = 0; start < body.length;) {
    const space = body.indexOf(0x20, start)
    const length = Number(body.toString('latin1', start, space))
    const equals = body.indexOf(0x3d, space)
    if (space < 0 || !(length > 0) || equals < 0 || start + length > body.length || equals > start + length)
      throw invalid(name, 'has a broken PAX record')
    const key = body.toString('utf8', space + 1, equals)
    if (PAX_KEYS.has(key)) found[key] = body.toString('utf8', equals + 1, start + length - 1)
    else if (key.startsWith(PAX_SPARSE)) found[PAX_SPARSE] = key
    start += length
  }
  return found
}

function readNumber(block: Buffer, offset: number, length: number): number {
  const first = block[offset] ?? 0
  if ((first & 0x80) === 0) return parseInt(block.toString('latin1', offset, offset + length).trim() || '0', 8) || 0
  let value = first & 0x7f
  for (let index = 1; index < length; index++) value = value * 256 + (block[offset + index] ?? 0)
  return Number.isSafeInteger(value) && (first & 0x40) === 0 ? value : 0
}

/** Octal digits, or a positive number of more than 33 bits in base 256: a size that other readers read differently is none. */
function readSize(block: Buffer, name: string): number {
  const field = block.subarray(124, 136)
  const text = untilNul(field).trim()
  const isNumber = ((field[0] ?? 0) & 0x80) === 0 ? /^[0-7]*$/.test(text) : field[0] === 0x80
  const value = readNumber(block, 124, 12)
  if (!isNumber || (value === 0 && field[0] === 0x80)) throw invalid(name, 'has an entry whose size is no number')
  return value
}

function readDecimal(text: string, field: string, name: string): number {
  const value = /^\d+$/.test(text) ? Number(text) : undefined
  if (value === undefined || !Number.isSafeInteger(value))
    throw invalid(name, `has a PAX ${field} of "${text.slice(0, 50)}"`)
  return value
}

function untilNul(bytes: Buffer): string {
  const end = bytes.indexOf(0)
  return bytes.toString('utf8', 0, end < 0 ? bytes.length : end)
}

function isZero(block: Buffer): boolean {
  return block.every((byte) => byte === 0)
}

type Reader = {
  /** Exactly so many bytes; undefined at the clean end. */
  readonly take: (sizeBytes: number) => Promise<Buffer | undefined>
  readonly takeMeta: (sizeBytes: number) => Promise<Buffer>
  readonly body: (sizeBytes: number) => AsyncGenerator<Buffer>
  readonly skip: (sizeBytes: number) => Promise<void>
  readonly position: () => number
  readonly close: () => Promise<void>
}

function createReader(chunks: AsyncIterable<Uint8Array>, name: string): Reader {
  const source = chunks[Symbol.asyncIterator]()
  let left: Buffer = Buffer.alloc(0)
  let position = 0
  /** Up to `most` bytes of what is at hand; undefined at the end. */
  const some = async (most: number): Promise<Buffer | undefined> => {
    while (left.length === 0) {
      const { done, value } = await source.next()
      if (done) return undefined
      left = Buffer.from(value.buffer, value.byteOffset, value.length)
    }
    const part = left.subarray(0, most)
    left = left.subarray(part.length)
    position += part.length
    return part
  }
  const take = async (sizeBytes: number): Promise<Buffer | undefined> => {
    const parts: Buffer[] = []
    for (let missing = sizeBytes; missing > 0;) {
      const part = await some(missing)
      if (part === undefined && missing === sizeBytes) return undefined
      if (part === undefined) throw invalid(name, 'ends in the middle of an entry')
      parts.push(part)
      missing -= part.length
    }
    return parts.length === 1 ? parts[0] : Buffer.concat(parts)
  }
  async function* body(sizeBytes: number): AsyncGenerator<Buffer> {
    for (let missing = sizeBytes; missing > 0;) {
      const part = await some(missing)
      if (part === undefined) throw invalid(name, 'ends in the middle of an entry')
      missing -= part.length
      yield part
    }
  }
  return {
    take,
    body,
    position: () => position,
    async close() {
      await source.return?.()
    },
    async takeMeta(sizeBytes) {
      if (sizeBytes > META_LIMIT) throw invalid(name, `has a name record of ${sizeBytes} bytes`)
      const bytes = sizeBytes === 0 ? Buffer.alloc(0) : await take(sizeBytes)
      if (bytes === undefined) throw invalid(name, 'ends in the middle of an entry')
      await take((BLOCK - (sizeBytes % BLOCK)) % BLOCK)
      return bytes
    },
    async skip(sizeBytes) {
      for await (const rest of body(sizeBytes)) void rest
    },
  }
}

function invalid(name: string, why: string): SluiceError {
  return new SluiceError('TAR_INVALID', `${name} ${why}`)
}
