import { readdir, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { storedManifest } from '../../adapters/registry/stored-manifest.ts'
import { parseImageConfig } from '../../lib/oci/manifest.ts'
import { removeTree } from '../../machine/remove-tree.ts'
import type { ImageStore } from './store.ts'

const DAY_MS = 24 * 3600 * 1000

/** What no build has used for so long is made or pulled anew, should one ask for it. */
export const UNUSED_MS = 14 * DAY_MS

type Aged = { readonly path: string; readonly sizeBytes: number; readonly usedAtMs: number }

/**
 * Removes from an image store what no build has used for two weeks: names, remembered results, and content that none of the others names.
 * Nobody may build meanwhile. A crash in between leaves content without a name, which the next time takes.
 *
 * @returns the bytes of that content
 */
export async function collectImages(
  store: ImageStore,
  nowMs: number,
  o: { readonly dryRun: boolean },
): Promise<number> {
  const isStale = ({ usedAtMs }: Aged): boolean => nowMs - usedAtMs > UNUSED_MS
  const remembered = (await Promise.all(['tags', 'cache'].map((name) => filesIn(join(store.root, name))))).flat()
  const needed = await reachable(
    store,
    remembered.filter((file) => !isStale(file)),
  )
  // what was written within a day may not have a name yet
  const content = (await filesIn(join(store.root, 'blobs', 'sha256'))).filter(
    ({ path, usedAtMs }) => !needed.has(digestOfPath(path)) && nowMs - usedAtMs > DAY_MS,
  )
  const freedBytes = content.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  if (o.dryRun) return freedBytes
  for (const { path } of [...remembered.filter(isStale), ...content]) await rm(path, { force: true })
  for (const unpacked of (await filesIn(join(store.root, 'layers'))).filter(isStale)) await removeTree(unpacked.path)
  return freedBytes
}

/** Every digest that remembered files name, and what those are made of. */
async function reachable(store: ImageStore, files: readonly Aged[]): Promise<ReadonlySet<string>> {
  const found = new Set<string>()
  for (const { path } of files) {
    const text = await readFile(path, 'utf8').catch(() => '')
    for (const [digest] of text.matchAll(/sha256:[0-9a-f]{64}/g)) found.add(digest)
  }
  for (const digest of [...found]) for (const part of await partsOf(store, digest)) found.add(part)
  return found
}

/** The parts of an image; none of what is no manifest. */
async function partsOf(store: ImageStore, digest: string): Promise<readonly string[]> {
  const manifest = await storedManifest(store.content, digest)
  if (manifest?.kind !== 'image') return []
  const parts = [manifest.config.digest, ...manifest.layers.map((layer) => layer.digest)]
  const config = await store.content.read(manifest.config.digest)
  return config === undefined ? parts : [...parts, ...parseImageConfig(config, digest).rootfs.diff_ids]
}

async function filesIn(folder: string): Promise<readonly Aged[]> {
  const names = await readdir(folder).catch(() => [])
  const found = names.map(async (name): Promise<readonly Aged[]> => {
    const path = join(folder, name)
    const stats = await stat(path).catch(() => undefined)
    return stats ? [{ path, sizeBytes: stats.size, usedAtMs: stats.mtimeMs }] : []
  })
  return (await Promise.all(found)).flat()
}

function digestOfPath(path: string): string {
  return `sha256:${path.slice(path.lastIndexOf('/') + 1)}`
}
