import type { IncomingMessage, ServerResponse } from 'node:http'
import type { ManifestHeld, RepositoryHeld } from '../../lib/oci/contents.ts'
import { sendJson } from './answer.ts'
import type { ManifestEntry } from './catalog.ts'
import { partsOf, readEntry } from './collector.ts'
import type { Registry } from './registry.ts'

/** GET of `/v2/_sluice/contents`: every manifest with its age and parts, which the specification has no request for. For those who decide what is kept. */
export async function answerContents(
  registry: Registry,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { catalog } = registry.store
  const repositories: RepositoryHeld[] = []
  for (const name of catalog.repositories()) {
    const manifests: ManifestHeld[] = []
    const tags = new Map<string, string[]>()
    for (const tag of catalog.tags(name) ?? []) {
      const digest = catalog.digestOfTag(name, tag) ?? ''
      tags.set(digest, [...(tags.get(digest) ?? []), tag])
    }
    for (const entry of catalog.manifestsOf(name))
      manifests.push(await held(registry, entry, tags.get(entry.digest) ?? []))
    repositories.push({ name, manifests })
  }
  sendJson(request, response, 200, { repositories })
}

/** POST of the same: frees at once what no manifest refers to, and answers when that is done. */
export async function collectNow(
  { collector }: Registry,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  await collector.collect()
  sendJson(request, response, 200, {})
}

/** A manifest that cannot be read refers to nothing that is known. */
async function held({ store }: Registry, entry: ManifestEntry, tags: readonly string[]): Promise<ManifestHeld> {
  const { digest, size, subject } = entry
  const manifest = await readEntry(store, entry).catch(() => undefined)
  return {
    digest,
    tags,
    sizeBytes: size,
    pushedAtMs: (await store.countedOnMs(digest)) ?? 0,
    isIndex: manifest?.kind === 'index',
    parts:
      manifest === undefined ? [] : partsOf(manifest).map((part) => ({ digest: part.digest, sizeBytes: part.size })),
    ...(subject === undefined ? {} : { subject }),
  }
}
