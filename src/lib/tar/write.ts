import type { TarHeader, TarType } from './entry.ts'

const BLOCK = 512
const FLAGS: Readonly<Record<TarType, string>> = {
  file: '0',
  link: '1',
  symlink: '2',
  character: '3',
  block: '4',
  directory: '5',
  fifo: '6',
}

/** The two empty blocks that end an archive. */
export const TAR_END: Buffer = Buffer.alloc(2 * BLOCK)

/** A header to write; what is left out is root's, mode 0644 (0755 for folders), time 0: the same input gives the same bytes. */
export type TarInput = Pick<TarHeader, 'path' | 'type'> & Partial<TarHeader>

/** The header blocks of an entry: USTAR, with a PAX record before it for what USTAR cannot hold. */
export function renderTarHeader(input: TarInput): Buffer {
  const header = complete(input)
  const name = header.type === 'directory' && header.path !== '' ? `${header.path}/` : header.path
  const pax: string[] = []
  const path = splitName(name)
  if (path === undefined) pax.push(paxRecord('path', name))
  if (!isAscii(header.linkPath) || Buffer.byteLength(header.linkPath) > 100)
    pax.push(paxRecord('linkpath', header.linkPath))
  if (header.sizeBytes > 0o77777777777) pax.push(paxRecord('size', String(header.sizeBytes)))
  for (const key of ['uid', 'gid'] as const) if (header[key] > 0o7777777) pax.push(paxRecord(key, String(header[key])))
  const main = ustar(header, path ?? { prefix: '', name: 'long-name' }, FLAGS[header.type])
  if (pax.length === 0) return main
  const body = Buffer.from(pax.join(''))
  const before = complete({ path: 'pax', type: 'file', sizeBytes: body.length })
  return Buffer.concat([ustar(before, { prefix: '', name: 'pax' }, 'x'), body, tarPadding(body.length), main])
}

/** The zeros that fill up the last block of a body. */
export function tarPadding(sizeBytes: number): Buffer {
  return Buffer.alloc((BLOCK - (sizeBytes % BLOCK)) % BLOCK)
}

/** A whole archive of what is in memory; order as given. */
export function packTar(entries: readonly (TarInput & { readonly content?: Uint8Array })[]): Buffer {
  const parts = entries.flatMap(({ content, ...entry }) => {
    const sizeBytes = content?.length ?? 0
    return [renderTarHeader({ ...entry, sizeBytes }), content ?? Buffer.alloc(0), tarPadding(sizeBytes)]
  })
  return Buffer.concat([...parts, TAR_END])
}

function complete(input: TarInput): TarHeader {
  const mode = input.mode ?? (input.type === 'directory' ? 0o755 : 0o644)
  return { uid: 0, gid: 0, sizeBytes: 0, mtimeSeconds: 0, linkPath: '', ...input, mode }
}

function ustar(header: TarHeader, path: { prefix: string; name: string }, flag: string): Buffer {
  const block = Buffer.alloc(BLOCK)
  block.write(path.name, 0, 100, 'latin1')
  writeOctal(block, 100, 8, header.mode & 0o7777)
  writeOctal(block, 108, 8, Math.min(header.uid, 0o7777777))
  writeOctal(block, 116, 8, Math.min(header.gid, 0o7777777))
  writeOctal(block, 124, 12, header.sizeBytes > 0o77777777777 ? 0 : header.sizeBytes)
  writeOctal(block, 136, 12, header.mtimeSeconds)
  block.write(flag, 156, 1, 'latin1')
  if (isAscii(header.linkPath)) block.write(header.linkPath, 157, 100, 'latin1')
  block.write('ustar\x0000', 257, 8, 'latin1')
  if (header.type === 'character' || header.type === 'block') {
    writeOctal(block, 329, 8, 0)
    writeOctal(block, 337, 8, 0)
  }
  block.write(path.prefix, 345, 155, 'latin1')
  block.fill(' ', 148, 156)
  let sum = 0
  for (const byte of block) sum += byte
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 8, 'latin1')
  return block
}

function writeOctal(block: Buffer, offset: number, length: number, value: number): void {
  block.write(
    `${Math.max(0, Math.floor(value))
      .toString(8)
      .padStart(length - 1, '0')}\0`,
    offset,
    length,
    'latin1',
  )
}

function splitName(name: string): { prefix: string; name: string } | undefined {
  if (!isAscii(name)) return undefined
  if (name.length <= 100) return { prefix: '', name }
  const slash = name.indexOf('/', name.length - 101)
  if (slash <= 0 || slash > 155 || slash === name.length - 1) return undefined
  return { prefix: name.slice(0, slash), name: name.slice(slash + 1) }
}

function isAscii(text: string): boolean {
  return /^[\x01-\x7f]*$/.test(text)
}

function paxRecord(key: string, value: string): string {
  const rest = Buffer.byteLength(` ${key}=${value}\n`)
  let length = rest + String(rest).length
  if (rest + String(length).length !== length) length = rest + String(length).length
  return `${length} ${key}=${value}\n`
}
