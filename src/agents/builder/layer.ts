import { channel } from 'node:diagnostics_channel'
import { createReadStream } from 'node:fs'
import { open, rm } from 'node:fs/promises'
import { storeError } from '../../adapters/registry/content-store.ts'
import { SluiceError } from '../../lib/error/sluice-error.ts'
import { Hasher } from '../../lib/oci/digest.ts'
import { MEDIA } from '../../lib/oci/media-types.ts'
import { MOVED_BYTES } from '../../lib/oci/moved-bytes.ts'
import type { TarType } from '../../lib/tar/entry.ts'
import { renderTarHeader, TAR_END, tarPadding } from '../../lib/tar/write.ts'
import type { ImageStore } from './store.ts'
import type { Layer } from './tree.ts'

/** Where the bytes of a file in a new layer come from. */
export type Content =
  | { readonly from: 'bytes'; readonly bytes: Uint8Array }
  | { readonly from: 'file'; readonly path: string; readonly offset: number }

/** A file of a new layer, at its path in the image without a leading `/`. */
export type LayerEntry = {
  readonly path: string
  readonly type: TarType
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly linkPath: string
  readonly sizeBytes: number
  readonly content: Content | undefined
}

const WRITE_BYTES = 1 << 20

const moved = channel(MOVED_BYTES)

/**
 * Writes a layer: sorted, times 0, not compressed, hashed on the way. The same entries give the same digest on every machine.
 *
 * @throws SluiceError BUILD_CONTEXT when a file changed size while it was read; STORE_FULL
 */
export async function writeLayer(
  store: ImageStore,
  entries: readonly LayerEntry[],
  signal?: AbortSignal,
): Promise<Layer> {
  const path = store.content.temporary()
  const hasher = new Hasher()
  try {
    const file = await open(path, 'wx')
    try {
      let waiting: Buffer[] = []
      let waitingBytes = 0
      const put = async (bytes: Buffer): Promise<void> => {
        waiting.push(bytes)
        waitingBytes += bytes.length
        if (waitingBytes >= WRITE_BYTES) await flush()
      }
      const flush = async (): Promise<void> => {
        const bytes = waiting.length === 1 && waiting[0] ? waiting[0] : Buffer.concat(waiting, waitingBytes)
        waiting = []
        waitingBytes = 0
        const writing = file.write(bytes)
        hasher.update(bytes)
        if ((await writing).bytesWritten !== bytes.length)
          throw new SluiceError('STORE_FULL', `cannot write ${path}: no space left on device`)
        moved.publish(bytes.length)
      }
      for (const entry of sortEntries(entries)) {
        signal?.throwIfAborted()
        await put(renderTarHeader(entry))
        if (entry.sizeBytes === 0) continue
        await copyContent(entry, put)
        await put(tarPadding(entry.sizeBytes))
      }
      await put(TAR_END)
      if (waitingBytes > 0) await flush()
    } finally {
      await file.close()
    }
    const digest = hasher.digest()
    await store.content.adopt(path, digest)
    return { diffId: digest, descriptor: { mediaType: MEDIA.layer, digest, size: hasher.sizeBytes } }
  } catch (cause) {
    await rm(path, { force: true })
    throw storeError(cause, store.root)
  }
}

function sortEntries(entries: readonly LayerEntry[]): LayerEntry[] {
  const last = new Map(entries.map((entry) => [entry.path, entry]))
  return [...last.values()].sort((a, b) => (a.path < b.path ? -1 : 1))
}

async function copyContent(entry: LayerEntry, put: (bytes: Buffer) => Promise<void>): Promise<void> {
  const { content, sizeBytes } = entry
  if (content === undefined) throw new Error(`no content for ${entry.path}`)
  if (content.from === 'bytes') return put(Buffer.from(content.bytes))
  let left = sizeBytes
  const end = content.offset + sizeBytes - 1
  const stream = createReadStream(content.path, { start: content.offset, end, highWaterMark: WRITE_BYTES })
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    left -= chunk.length
    await put(chunk)
  }
  if (left !== 0)
    throw new SluiceError('BUILD_CONTEXT', `${content.path} changed while it was copied`, { retry: 'backoff' })
}
