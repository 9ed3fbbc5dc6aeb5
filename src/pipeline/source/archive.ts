import { gzipSync } from 'node:zlib'

/** A file to archive. */
export type ArchiveFile = { readonly path: string; readonly bytes: Uint8Array; readonly isExecutable: boolean }

const BLOCK = 512

/**
 * Packs files as a tar.gz that depends on their names, content and modes alone: sorted, no owner, no time.
 *
 * Compressed lightly (level 1): an artifact is made at every commit and read over the loopback.
 */
export function packArchive(files: readonly ArchiveFile[]): Buffer {
  const sorted = [...files].sort((a, b) => (a.path < b.path ? -1 : 1))
  const blocks: Uint8Array[] = []
  for (const { path, bytes, isExecutable } of sorted) {
    const mode = isExecutable ? 0o755 : 0o644
    if (Buffer.byteLength(path) > 100) blocks.push(...entry('././@PaxHeader', 0o644, 'x', paxPath(path)))
    blocks.push(...entry(path, mode, '0', bytes))
  }
  blocks.push(Buffer.alloc(2 * BLOCK))
  return gzipSync(Buffer.concat(blocks), { level: 1 })
}

function entry(path: string, mode: number, type: string, bytes: Uint8Array): Uint8Array[] {
  const header = Buffer.alloc(BLOCK)
  header.write(path, 0, 100)
  header.write(`${octal(mode, 7)}\0`, 100)
  header.write(`${octal(0, 7)}\0`, 108)
  header.write(`${octal(0, 7)}\0`, 116)
  header.write(`${octal(bytes.length, 11)}\0`, 124)
  header.write(`${octal(0, 11)}\0`, 136)
  header.write('        ', 148)
  header.write(type, 156)
  header.write('ustar\x0000', 257)
  let sum = 0
  for (const byte of header) sum += byte
  header.write(`${octal(sum, 6)}\0 `, 148)
  const padding = (BLOCK - (bytes.length % BLOCK)) % BLOCK
  return padding === 0 ? [header, bytes] : [header, bytes, Buffer.alloc(padding)]
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0')
}

/** The pax record of a long path: `<length> path=<path>\n`, the length counting itself. */
function paxPath(path: string): Buffer {
  const rest = ` path=${path}\n`
  let length = Buffer.byteLength(rest)
  length += String(length + String(length).length).length
  return Buffer.from(`${length}${rest}`)
}
