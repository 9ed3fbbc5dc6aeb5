/** A file to archive. */
export type ArchiveFile = { readonly path: string; readonly bytes: Uint8Array; readonly isExecutable: boolean }

const BLOCK = 512

/** What an archive ends with. */
export const ARCHIVE_END: Uint8Array = new Uint8Array(2 * BLOCK)

/** A file as a part of a tar archive, which depends on its name, content and mode alone: no owner, no time. */
export function archiveEntry({ path, bytes, isExecutable }: ArchiveFile): readonly Uint8Array[] {
  const blocks = entry(path, isExecutable ? 0o755 : 0o644, '0', bytes)
  return Buffer.byteLength(path) > 100 ? [...entry('././@PaxHeader', 0o644, 'x', paxPath(path)), ...blocks] : blocks
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
