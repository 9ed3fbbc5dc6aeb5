import { createReadStream, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { open, readFile, rename, rm, stat } from 'node:fs/promises'
import { randomBytes } from 'node:crypto'
import { channel } from 'node:diagnostics_channel'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { hasCode } from '../../lib/error/code-of.ts'
import { isWriteRefusal } from '../../lib/error/full-disk.ts'
import { SluiceError } from '../../lib/error/sluice-error.ts'
import { digestOf, Hasher, parseDigest } from '../../lib/oci/digest.ts'
import { MOVED_BYTES } from '../../lib/oci/moved-bytes.ts'

const moved = channel(MOVED_BYTES)

/** Blobs in files named by their digest: `ROOT/blobs/sha256/<hex>`. Several processes may share one. */
export type ContentStore = {
  readonly root: string
  /** The file of a blob, whether it is there or not. */
  readonly pathOf: (digest: string) => string
  /** Size of a blob; undefined when it is not there. */
  readonly sizeOf: (digest: string) => Promise<number | undefined>
  /** A blob's bytes in memory; undefined when it is not there. */
  readonly read: (digest: string) => Promise<Buffer | undefined>
  readonly openRead: (digest: string) => Readable
  /** Keeps bytes; answers their digest. */
  readonly write: (bytes: Uint8Array) => Promise<string>
  /** Keeps what a stream brings when its digest and size are the promised ones (DIGEST_MISMATCH, REGISTRY_LIMIT, STORE_FULL). */
  readonly ingest: (stream: AsyncIterable<Buffer>, digest: string, sizeBytes: number) => Promise<void>
  /** Moves a finished file of the same disk into the store. */
  readonly adopt: (path: string, digest: string) => Promise<void>
  /** A new path for a temporary file on the store's disk. */
  readonly temporary: () => string
}

/** Opens (and makes) a content store. */
export function openContentStore(root: string): ContentStore {
  for (const folder of ['blobs/sha256', 'blobs/sha512', 'tmp']) mkdirSync(join(root, folder), { recursive: true })
  removeStale(join(root, 'tmp'))
  const pathOf = (digest: string): string => {
    const parsed = parseDigest(digest)
    if (parsed === undefined) throw new SluiceError('OCI_MANIFEST_INVALID', `"${digest}" is not a digest`)
    return join(root, 'blobs', parsed.algorithm, parsed.hex)
  }
  const temporary = (): string => join(root, 'tmp', randomBytes(9).toString('base64url'))
  const store: ContentStore = {
    root,
    pathOf,
    temporary,
    sizeOf: async (digest) => (await stat(pathOf(digest)).catch(undefinedIfMissing))?.size,
    read: (digest) => readFile(pathOf(digest)).catch(undefinedIfMissing),
    openRead: (digest) => createReadStream(pathOf(digest), { highWaterMark: 1 << 18 }),
    async write(bytes) {
      const digest = digestOf(bytes)
      // what the disk has damaged is written again
      if (!(await store.read(digest))?.equals(bytes))
        await store.ingest(once(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)), digest, bytes.length)
      return digest
    },
    ingest: (stream, digest, sizeBytes) => ingest(store, stream, digest, sizeBytes),
    adopt: (path, digest) => rename(path, pathOf(digest)),
  }
  return store
}

/** What cannot be read now (too many open files, a bad disk) is not missing. */
function undefinedIfMissing(error: unknown): undefined {
  if (hasCode(error, 'ENOENT')) return undefined
  throw error
}

/** Removes what a crash left behind; a day old, so that it is nobody's who still works on it. */
function removeStale(folder: string): void {
  const oldest = Date.now() - 24 * 3600 * 1000
  for (const name of readdirSync(folder)) {
    const path = join(folder, name)
    const stats = statSync(path, { throwIfNoEntry: false })
    if (stats && stats.mtimeMs < oldest) rmSync(path, { recursive: true, force: true })
  }
}

async function ingest(
  store: ContentStore,
  stream: AsyncIterable<Buffer>,
  digest: string,
  sizeBytes: number,
): Promise<void> {
  const path = store.temporary()
  const hasher = new Hasher(parseDigest(digest)?.algorithm)
  try {
    const file = await open(path, 'wx')
    try {
      for await (const chunk of stream) {
        hasher.update(chunk)
        if (hasher.sizeBytes > sizeBytes) throw mismatch(digest, `is larger than the ${sizeBytes} bytes announced`)
        await file.appendFile(chunk) // all of it: `write` may take a part, and say no more than that
        moved.publish(chunk.length)
      }
      if (hasher.sizeBytes !== sizeBytes) throw mismatch(digest, `has ${hasher.sizeBytes} bytes, not ${sizeBytes}`)
      const found = hasher.digest()
      if (found !== digest) throw mismatch(digest, `is really ${found}`)
      await file.datasync()
    } finally {
      await file.close()
    }
    await store.adopt(path, digest)
  } catch (cause) {
    await rm(path, { force: true })
    throw storeError(cause, store.root)
  }
}

/** Removes a blob that the disk has damaged, so that it is fetched again; answers the error that says so, undefined for one that is whole. */
export async function dropDamaged(store: ContentStore, digest: string): Promise<SluiceError | undefined> {
  const hasher = new Hasher(parseDigest(digest)?.algorithm)
  try {
    for await (const chunk of store.openRead(digest) as AsyncIterable<Buffer>) hasher.update(chunk)
  } catch {
    return undefined // what is not there is fetched anyway
  }
  const found = hasher.digest()
  if (found === digest) return undefined
  await rm(store.pathOf(digest), { force: true })
  return mismatch(digest, `was damaged on the disk, where it is ${found} now; it is fetched again`)
}

/** Turns a full or closed disk into an error that says so; passes other errors on. */
export function storeError(cause: unknown, root: string): unknown {
  if (!isWriteRefusal(cause)) return cause
  return new SluiceError('STORE_FULL', `cannot write below ${root}: ${cause.message}`, { retry: 'backoff', cause })
}

function mismatch(digest: string, why: string): SluiceError {
  return new SluiceError('DIGEST_MISMATCH', `content ${digest} ${why}`, { retry: 'backoff' })
}

async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes
}
