import { parseManifest } from '../../lib/oci/manifest.ts'
import type { Manifest } from '../../lib/oci/types.ts'
import type { ContentStore } from './content-store.ts'

/** Larger content is a layer. */
const LARGEST_MANIFEST = 4 << 20

/** The manifest that a store has under a digest; undefined where it has none, or something else. */
export async function storedManifest(content: ContentStore, digest: string): Promise<Manifest | undefined> {
  if (((await content.sizeOf(digest)) ?? Infinity) > LARGEST_MANIFEST) return undefined
  try {
    return parseManifest((await content.read(digest)) ?? Buffer.of(), undefined, digest)
  } catch {
    return undefined // a configuration or a small layer
  }
}
