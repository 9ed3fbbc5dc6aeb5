import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { parseImageConfig } from '../../../lib/oci/manifest.ts'
import { linuxPlatform, selectPlatform } from '../../../lib/oci/platform.ts'
import { dropDamaged, type ContentStore } from '../../../adapters/registry/content-store.ts'
import type { PulledImage } from '../../../adapters/registry/pull.ts'
import { storedManifest } from '../../../adapters/registry/stored-manifest.ts'

/** Which image each name meant when it was pulled last; a file, so that a node that starts anew asks nobody for what it has. */
export type ImageNames = {
  readonly get: (name: string) => string | undefined
  readonly set: (name: string, digest: string) => void
  readonly list: () => readonly (readonly [name: string, digest: string])[]
  readonly remove: (names: readonly string[]) => void
}

/** Opens the names that a file keeps; one that cannot be read is begun anew: its images are pulled again. */
export function openImageNames(file: string): ImageNames {
  const names = readNames(file)
  const write = (): void => {
    try {
      writeFileSync(`${file}.next`, JSON.stringify(Object.fromEntries(names)))
      renameSync(`${file}.next`, file)
    } catch {
      // on a full disk a name is forgotten with this process, which costs a pull and no more
    }
  }
  return {
    get: (name) => names.get(name),
    set(name, digest) {
      if (names.get(name) === digest) return
      names.set(name, digest)
      write()
    },
    list: () => [...names],
    remove(gone) {
      for (const name of gone) names.delete(name)
      if (gone.length > 0) write()
    },
  }
}

function readNames(file: string): Map<string, string> {
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'))
    const entries = typeof value === 'object' && value !== null ? Object.entries(value) : []
    return new Map(entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'))
  } catch {
    return new Map()
  }
}

/** An image that an earlier pull brought whole, by the digest of what its name meant; undefined where anything of it is missing or damaged. */
export async function storedImage(content: ContentStore, digest: string): Promise<PulledImage | undefined> {
  let manifestDigest = digest
  for (let depth = 0; depth < 4; depth++) {
    const manifest = await storedManifest(content, manifestDigest)
    if (manifest?.kind === 'index') {
      const chosen = selectPlatform(manifest, linuxPlatform(process.arch))
      if (chosen === undefined) return undefined
      manifestDigest = chosen.digest
      continue
    }
    if (manifest === undefined || (await dropDamaged(content, manifest.config.digest))) return undefined
    const config = await content.read(manifest.config.digest)
    if (config === undefined) return undefined
    for (const layer of manifest.layers) if ((await content.sizeOf(layer.digest)) !== layer.size) return undefined
    const { layers } = manifest
    return { digest, manifestDigest, manifest, config: parseImageConfig(config, digest), layers }
  }
  return undefined
}
