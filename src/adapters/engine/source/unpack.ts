import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { SluiceError } from '../../../lib/error/sluice-error.ts'
import { safePath } from '../../../lib/tar/entry.ts'
import { readTar, type TarEntry } from '../../../lib/tar/read.ts'
import type { SourceFile } from '../source-store.ts'

/** Files of an archive: by path, and their bytes by hash. */
export type Unpacked = {
  readonly files: ReadonlyMap<string, SourceFile>
  readonly bytes: ReadonlyMap<string, Buffer>
}

/** As much as an archive of manifests may hold; Flux's own limit where it has one. */
const LIMITS = { entries: 100_000, totalBytes: 100 * 1024 * 1024 }

/**
 * Unpacks a tar archive, gzipped or not, into memory. Links are left out, as Flux does.
 *
 * @throws SluiceError TAR_INVALID when it is broken, too large, leaves its folder, or holds devices
 */
export async function unpackArchive(archive: Buffer, name: string): Promise<Unpacked> {
  const files = new Map<string, SourceFile>()
  const bytes = new Map<string, Buffer>()
  for await (const entry of readTar(plain(archive, name), { name, limits: LIMITS })) {
    const path = pathOf(entry, name)
    if (entry.type === 'symlink' || entry.type === 'directory' || path === '') continue
    if (entry.type !== 'file')
      throw new SluiceError('TAR_INVALID', `${name}: tar file entry ${entry.path} contained unsupported file type`)
    const content = await readBody(entry)
    const hash = createHash('sha256').update(content).digest('hex')
    bytes.set(hash, content)
    files.set(path, { path, hash, isExecutable: (entry.mode & 0o111) !== 0 })
  }
  return { files, bytes }
}

function pathOf(entry: TarEntry, name: string): string {
  const path = safePath(entry.path)
  if (path === undefined || entry.path.startsWith('/') || entry.path.includes('\\'))
    throw new SluiceError('TAR_INVALID', `${name}: tar contained invalid name error ${JSON.stringify(entry.path)}`)
  return path
}

async function readBody({ body }: TarEntry): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of body) chunks.push(chunk)
  return Buffer.concat(chunks)
}

async function* plain(archive: Buffer, name: string): AsyncGenerator<Buffer> {
  if (archive[0] !== 0x1f || archive[1] !== 0x8b) return yield archive
  try {
    for await (const chunk of Readable.from([archive]).pipe(createGunzip())) yield chunk as Buffer
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new SluiceError('TAR_INVALID', `${name} is no gzip archive: ${why}`, { cause })
  }
}
