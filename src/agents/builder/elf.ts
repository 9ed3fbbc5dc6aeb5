/** What a program asks of the machine it runs on. */
export type ElfNeeds = {
  /** Path of the dynamic loader; undefined for a static program or a library. */
  readonly interpreter: string | undefined
  /** Names of shared libraries, as `libc.so.6`. */
  readonly libraries: readonly string[]
  /** Folders that the program names itself (RPATH, RUNPATH), `$ORIGIN` still in them. */
  readonly paths: readonly string[]
}

/** Reads bytes of a file. */
export type ReadAt = (offset: number, length: number) => Buffer

const PT_LOAD = 1
const PT_DYNAMIC = 2
const PT_INTERP = 3

/**
 * Reads what a 64-bit little-endian ELF file needs, without running anything.
 * @returns undefined when the file is no such ELF file
 * @see https://refspecs.linuxfoundation.org/elf/elf.pdf
 */
export function readElf(readAt: ReadAt): ElfNeeds | undefined {
  const head = readAt(0, 64)
  if (head.length < 64 || head.toString('latin1', 0, 4) !== '\x7fELF' || head[4] !== 2 || head[5] !== 1)
    return undefined
  const table = Number(head.readBigUInt64LE(32))
  const size = head.readUInt16LE(54)
  const segments = Array.from({ length: Math.min(head.readUInt16LE(56), 128) }, (_, index) =>
    readSegment(readAt(table + index * size, 56)),
  )
  const interp = segments.find(({ type }) => type === PT_INTERP)
  const dynamic = segments.find(({ type }) => type === PT_DYNAMIC)
  const interpreter = interp && text(readAt(interp.offset, Math.min(interp.sizeBytes, 4096)), 0)
  if (dynamic === undefined) return { interpreter, libraries: [], paths: [] }
  const entries = readDynamic(readAt(dynamic.offset, Math.min(dynamic.sizeBytes, 65_536)))
  const value = (tag: number): number => entries.find(([each]) => each === tag)?.[1] ?? 0
  const strings = readAt(fileOffset(segments, value(5)), Math.min(value(10), 16 << 20))
  const named = (...tags: number[]): string[] =>
    entries.filter(([tag]) => tags.includes(tag)).map(([, offset]) => text(strings, offset))
  return { interpreter, libraries: named(1), paths: named(15, 29).flatMap((list) => list.split(':')) }
}

type Segment = { readonly type: number; readonly offset: number; readonly address: number; readonly sizeBytes: number }

function readSegment(bytes: Buffer): Segment {
  return {
    type: bytes.readUInt32LE(0),
    offset: Number(bytes.readBigUInt64LE(8)),
    address: Number(bytes.readBigUInt64LE(16)),
    sizeBytes: Number(bytes.readBigUInt64LE(32)),
  }
}

function readDynamic(bytes: Buffer): [number, number][] {
  const found: [number, number][] = []
  for (let at = 0; at + 16 <= bytes.length; at += 16) {
    const tag = Number(bytes.readBigUInt64LE(at))
    if (tag === 0) break
    found.push([tag, Number(bytes.readBigUInt64LE(at + 8))])
  }
  return found
}

function fileOffset(segments: readonly Segment[], address: number): number {
  const home = segments.find(
    ({ type, address: start, sizeBytes }) => type === PT_LOAD && address >= start && address < start + sizeBytes,
  )
  return home ? address - home.address + home.offset : address
}

function text(bytes: Buffer, offset: number): string {
  const end = bytes.indexOf(0, offset)
  return bytes.toString('latin1', offset, end < 0 ? bytes.length : end)
}
