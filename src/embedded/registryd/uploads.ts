import { randomUUID } from 'node:crypto'
import { channel } from 'node:diagnostics_channel'
import { createReadStream, type Stats } from 'node:fs'
import { open, rm, stat, type FileHandle } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { codeOf } from '../../lib/error/code-of.ts'
import { type Digest, Hasher } from '../../lib/oci/digest.ts'
import { LIMITS } from '../../lib/oci/limits.ts'
import { MOVED_BYTES } from '../../lib/oci/moved-bytes.ts'
import { Refusal } from './answer.ts'
import type { Store } from './store.ts'

const WRITE_BYTES = 1 << 20
const MAX_OPEN = 10_000
const ABANDONED_MS = 24 * 3600 * 1000

const moved = channel(MOVED_BYTES)

/** Blobs on their way in: a file each, hashed while it grows. The file's length is how far the upload is, also after a restart. */
export type Uploads = {
  readonly start: (repository: string) => string
  /** Bytes so far. */
  readonly offsetOf: (repository: string, id: string) => Promise<number>
  /** Takes the body of a request; when it breaks off, what came counts. Answers the new length. */
  readonly append: (repository: string, id: string, request: IncomingMessage, from?: number) => Promise<number>
  /** Checks the digest and moves the content to its name; the upload is over either way. */
  readonly finish: (repository: string, id: string, digest: Digest) => Promise<number>
  readonly cancel: (repository: string, id: string) => Promise<void>
  /** Removes those that nobody has gone on with for a day. */
  readonly dropAbandoned: () => Promise<void>
}

type Upload = {
  readonly repository: string
  readonly path: string
  /** Undefined when the file is older than this process, or a write failed: then it is hashed at the end. */
  hasher: Hasher | undefined
  sizeBytes: number
  isBusy: boolean
}

/** The uploads of one store. An id holds the repository's name, so that it works in no other. */
export function createUploads(store: Store): Uploads {
  const uploads = new Map<string, Upload>()

  const find = async (repository: string, id: string): Promise<Upload> => {
    const known = uploads.get(id) ?? (await adopt(store, uploads, repository, id))
    if (known === undefined || known.repository !== repository)
      throw new Refusal(404, 'BLOB_UPLOAD_UNKNOWN', `there is no upload ${id} in ${repository}`)
    if (known.isBusy) throw new Refusal(409, 'BLOB_UPLOAD_INVALID', `upload ${id} is being written by another request`)
    return known
  }
  const end = async (id: string, upload: Upload): Promise<void> => {
    uploads.delete(id)
    await rm(upload.path, { force: true })
  }
  return {
    start(repository) {
      const id = `${randomUUID()}.${Buffer.from(repository).toString('base64url').slice(0, 120)}`
      forgetOldest(uploads)
      uploads.set(id, {
        repository,
        path: store.uploadPath(id),
        hasher: new Hasher(),
        sizeBytes: 0,
        isBusy: false,
      })
      return id
    },
    offsetOf: async (repository, id) => (await find(repository, id)).sizeBytes,
    async append(repository, id, request, from) {
      const upload = await find(repository, id)
      if (from !== undefined && from !== upload.sizeBytes) throw outOfOrder(repository, id, from, upload.sizeBytes)
      await exclusively(upload, () => receive(upload, request))
      return upload.sizeBytes
    },
    async finish(repository, id, digest) {
      const upload = await find(repository, id)
      await exclusively(upload, async () => {
        try {
          const found = await digestOfUpload(upload, digest.algorithm)
          if (found !== digest.text)
            throw new Refusal(400, 'DIGEST_INVALID', `the content is ${found}, not ${digest.text}`)
          await syncFile(upload)
          await store.keepFile(upload.path, digest.text)
        } finally {
          await end(id, upload)
        }
      })
      return upload.sizeBytes
    },
    async cancel(repository, id) {
      await end(id, await find(repository, id))
    },
    dropAbandoned: () => dropAbandoned(store, uploads),
  }
}

async function dropAbandoned(store: Store, uploads: Map<string, Upload>): Promise<void> {
  for (const id of await store.unfinished()) {
    const path = store.uploadPath(id)
    const isOld = ((await stat(path).catch(() => undefined))?.mtimeMs ?? Infinity) < Date.now() - ABANDONED_MS
    if (!isOld || uploads.get(id)?.isBusy === true) continue
    // whoever comes back to it is told that it is unknown, and begins again
    uploads.delete(id)
    await rm(path, { force: true })
  }
}

/** An upload that is forgotten is found again by its file, if it has one. */
function forgetOldest(uploads: Map<string, Upload>): void {
  if (uploads.size < MAX_OPEN) return
  for (const [id, upload] of uploads) if (!upload.isBusy) return void uploads.delete(id)
}

async function adopt(
  store: Store,
  uploads: Map<string, Upload>,
  repository: string,
  id: string,
): Promise<Upload | undefined> {
  if (!/^[0-9a-f-]{36}\.[A-Za-z0-9_-]+$/.test(id)) return undefined
  if (id.slice(37) !== Buffer.from(repository).toString('base64url').slice(0, 120)) return undefined
  const path = store.uploadPath(id)
  const found: Stats | undefined = await stat(path).catch(() => undefined)
  // two requests may look for the same file: they must meet in one upload
  const adopted = uploads.get(id)
  if (found === undefined || adopted !== undefined) return adopted
  const upload = { repository, path, hasher: undefined, sizeBytes: found.size, isBusy: false }
  uploads.set(id, upload)
  return upload
}

async function exclusively(upload: Upload, work: () => Promise<void>): Promise<void> {
  if (upload.isBusy) throw new Refusal(409, 'BLOB_UPLOAD_INVALID', 'the upload is being written by another request')
  upload.isBusy = true
  try {
    await work()
  } finally {
    upload.isBusy = false
  }
}

async function receive(upload: Upload, request: IncomingMessage): Promise<void> {
  if (request.headers['content-length'] === '0') return
  const file = await open(upload.path, 'a')
  let waiting: Buffer[] = []
  let waitingBytes = 0
  const flush = async (): Promise<void> => {
    const [chunks, sizeBytes] = [waiting, waitingBytes]
    waiting = []
    waitingBytes = 0
    const writing = writeAll(file, chunks)
    for (const chunk of chunks) upload.hasher?.update(chunk)
    await writing
    upload.sizeBytes += sizeBytes
    moved.publish(sizeBytes)
  }
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      waiting.push(chunk)
      waitingBytes += chunk.length
      if (upload.sizeBytes + waitingBytes > LIMITS.layerBytes)
        throw new Refusal(413, 'SIZE_INVALID', `a blob may have ${LIMITS.layerBytes} bytes`)
      if (waitingBytes >= WRITE_BYTES) await flush()
    }
    await flush()
  } catch (error) {
    if (!(error instanceof Refusal) && !isDiskError(error)) await flush()
    else {
      upload.hasher = undefined
      await file.truncate(upload.sizeBytes).catch(() => undefined)
    }
    throw error
  } finally {
    await file.close()
  }
}

function isDiskError(error: unknown): boolean {
  return /^E(NOSPC|DQUOT|ROFS|IO|FBIG)$/.test(codeOf(error))
}

async function writeAll(file: FileHandle, chunks: readonly Buffer[]): Promise<void> {
  let left = chunks
  while (left.length > 0) {
    const { bytesWritten } = await file.writev(left)
    let skip = bytesWritten
    left = left.flatMap((chunk) => {
      const part = chunk.subarray(Math.min(skip, chunk.length))
      skip -= chunk.length - part.length
      return part.length === 0 ? [] : [part]
    })
  }
}

async function digestOfUpload(upload: Upload, algorithm: Digest['algorithm']): Promise<string> {
  if (upload.hasher && algorithm === 'sha256') return upload.hasher.digest()
  const hasher = new Hasher(algorithm)
  if (upload.sizeBytes > 0)
    for await (const chunk of createReadStream(upload.path, { highWaterMark: WRITE_BYTES }) as AsyncIterable<Buffer>)
      hasher.update(chunk)
  return hasher.digest()
}

/** Makes the bytes durable; an empty blob gets its file here. */
async function syncFile({ path, sizeBytes }: Upload): Promise<void> {
  const file = await open(path, sizeBytes === 0 ? 'a' : 'r+')
  try {
    await file.datasync()
  } finally {
    await file.close()
  }
}

function outOfOrder(repository: string, id: string, from: number, sizeBytes: number): Refusal {
  return new Refusal(416, 'BLOB_UPLOAD_INVALID', `the chunk starts at ${from}, the upload is at ${sizeBytes}`, {
    location: `/v2/${repository}/blobs/uploads/${id}`,
    range: rangeOf(sizeBytes),
  })
}

/** How far an upload is, as the Range header of the specification says it. */
export function rangeOf(sizeBytes: number): string {
  return `0-${Math.max(0, sizeBytes - 1)}`
}
