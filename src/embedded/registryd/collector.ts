import { readFile } from 'node:fs/promises'
import { parseManifest } from '../../lib/oci/manifest.ts'
import type { Descriptor, Manifest } from '../../lib/oci/types.ts'
import type { ManifestEntry } from './catalog.ts'
import { PUSH_MS } from './reliance.ts'
import type { Store } from './store.ts'
import type { Uploads } from './uploads.ts'

/**
 * Frees what no manifest refers to: behind every deletion of a manifest, and at the start and each hour for what pushes left behind that
 * never came to an end.
 */
export type Collector = {
  /** Looks soon. */
  readonly wake: () => void
  /** Looks now; what is told in words is why something was left alone. */
  readonly collect: () => Promise<void>
  readonly close: () => Promise<void>
}

/** Deletions often come in rows; each look reads every manifest. */
const GATHER_MS = 500

/**
 * Starts the collector of a store. Blobs that a push may still name are left alone: those that came, were asked for or mounted within the last hour
 * (`PUSH_MS`), and those of manifests that are coming in.
 */
export function startCollector(
  store: Store,
  uploads: Pick<Uploads, 'dropAbandoned'>,
  warn: (message: string) => void,
): Collector {
  let running: Promise<void> | undefined
  let soon: NodeJS.Timeout | undefined
  const collect = async (): Promise<void> => {
    await running
    running = collectAll(store, uploads, warn).finally(() => (running = undefined))
    await running
  }
  const look = (): void =>
    void collect().catch((error: unknown) => warn(`the registry frees nothing: ${String(error)}`))
  void uploads.dropAbandoned().catch(() => undefined) // the next look tries again, and tells
  const hourly = setInterval(look, PUSH_MS)
  hourly.unref()
  return {
    collect,
    wake() {
      soon ??= setTimeout(() => {
        soon = undefined
        look()
      }, GATHER_MS)
      soon.unref()
    },
    async close() {
      clearInterval(hourly)
      clearTimeout(soon)
      await running?.catch(() => undefined)
    },
  }
}

/** Everything that a manifest needs to be in its repository. */
export function partsOf(manifest: Manifest): readonly Descriptor[] {
  return manifest.kind === 'index' ? manifest.manifests : [manifest.config, ...manifest.layers]
}

/** Reads a manifest without keeping it in memory. @throws when it is lost or damaged */
export async function readEntry(store: Store, { digest, mediaType }: ManifestEntry): Promise<Manifest> {
  return parseManifest(await readFile(store.pathOf(digest)), mediaType, digest)
}

async function collectAll(
  store: Store,
  uploads: Pick<Uploads, 'dropAbandoned'>,
  warn: (message: string) => void,
): Promise<void> {
  await uploads.dropAbandoned()
  for (const repository of store.catalog.repositories())
    await collectIn(store, repository).catch((error: unknown) =>
      warn(`the registry frees nothing of ${repository}: ${error instanceof Error ? error.message : String(error)}`),
    )
  const isStray = (digest: string): boolean => !store.catalog.isUsed(digest)
  for (const digest of await unawaited(store, (await store.files()).filter(isStray))) await store.sweep(digest)
}

async function collectIn(store: Store, repository: string): Promise<void> {
  const { catalog } = store
  const referred = new Set<string>()
  for (const entry of catalog.manifestsOf(repository))
    for (const { digest } of partsOf(await readEntry(store, entry))) referred.add(digest)
  const stale = await unawaited(
    store,
    catalog.blobsOf(repository).filter((digest) => !referred.has(digest)),
  )
  // a manifest that came meanwhile has counted on its parts, or still holds them: both are known without waiting, from here on
  const unneeded = stale.filter((digest) => !store.isAwaited(digest) && catalog.hasBlob(repository, digest))
  if (unneeded.length > 0) await store.dropBlobs(repository, unneeded)
}

/** Those that nobody has counted on for so long that no push is on its way with them. */
async function unawaited(store: Store, digests: readonly string[]): Promise<readonly string[]> {
  const oldest = Date.now() - PUSH_MS
  const found: string[] = []
  for (const digest of digests)
    if (!store.isAwaited(digest) && ((await store.countedOnMs(digest)) ?? 0) < oldest) found.push(digest)
  return found
}
