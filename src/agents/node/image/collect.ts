import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { ContentStore } from '../../../adapters/registry/content-store.ts'
import { digestOf } from '../../../lib/oci/digest.ts'
import { storedManifest } from '../../../adapters/registry/stored-manifest.ts'
import { parseImageConfig } from '../../../lib/oci/manifest.ts'
import { removeTree } from '../../../machine/remove-tree.ts'

/** What no pod names is kept for so long: a rollback within a day pulls nothing. */
const SPARE_MS = 24 * 3600 * 1000

/** How layers are unpacked: another number where that changes what lies in a folder, so that layers are unpacked anew. */
const VERSION = '.2'

/** A layer with all below it in one folder. */
export const FLAT = '.flat'

/** The folders of an image's unpacked layers, the lowest first: named by everything below, too. */
export function layerFolders(diffIds: readonly string[]): readonly string[] {
  return chainOf(diffIds).map((name) => `${name}${VERSION}`)
}

function chainOf(diffIds: readonly string[]): readonly string[] {
  let chain = ''
  return diffIds.map((diffId) => {
    chain = digestOf(`${chain} ${diffId}`)
    return chain.slice('sha256:'.length).slice(0, 40)
  })
}

/**
 * Removes the images of a node that nobody needs and that were not pulled within a day, with their unpacked layers; the registry still has them.
 * Nobody may pull meanwhile. A crash in between leaves files that the next time takes.
 *
 * @param needed digests of images that stay
 * @returns the bytes of content; the unpacked layers are about as much again
 */
export async function collectUnused(
  content: ContentStore,
  needed: readonly string[],
  { dryRun }: { readonly dryRun: boolean },
): Promise<number> {
  const root = join(content.root, 'blobs', 'sha256')
  const oldestMs = Date.now() - SPARE_MS
  const keep = { content: new Set<string>(), names: new Set<string>() }
  for (const digest of needed) await keepImage(content, digest, keep)
  const old: { readonly path: string; readonly digest: string; readonly sizeBytes: number }[] = []
  for (const name of await readdir(root)) {
    const [path, digest] = [join(root, name), `sha256:${name}`]
    const stats = await stat(path).catch(() => undefined)
    if (stats === undefined) continue
    if (stats.mtimeMs < oldestMs) old.push({ path, digest, sizeBytes: stats.size })
    else await keepImage(content, digest, keep)
  }
  const unused = old.filter(({ digest }) => !keep.content.has(digest))
  const freedBytes = unused.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  if (dryRun) return freedBytes
  for (const { path } of unused) await rm(path, { force: true })
  const layers = join(content.root, 'layers')
  for (const folder of await readdir(layers))
    if (!keep.names.has(folder.split('.', 1)[0] ?? '')) await removeTree(join(layers, folder))
  return freedBytes
}

type Keep = { readonly content: Set<string>; readonly names: Set<string> }

/** Keeps an image, of an index the images of it that are here; what is no manifest keeps itself alone. */
async function keepImage(content: ContentStore, digest: string, keep: Keep): Promise<void> {
  if (keep.content.has(digest)) return
  keep.content.add(digest)
  const manifest = await storedManifest(content, digest)
  if (manifest?.kind === 'index') for (const one of manifest.manifests) await keepImage(content, one.digest, keep)
  if (manifest?.kind !== 'image') return
  for (const part of [manifest.config, ...manifest.layers]) keep.content.add(part.digest)
  const config = await content.read(manifest.config.digest)
  if (config === undefined) return
  // in any version: a pod may run since before the one that made others
  for (const name of chainOf(parseImageConfig(config, digest).rootfs.diff_ids)) keep.names.add(name)
}
