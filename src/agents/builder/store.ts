import { createHash } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type ContentStore, openContentStore, storeError } from '../../adapters/registry/content-store.ts'
import { SluiceError } from '../../lib/error/sluice-error.ts'
import { parseImageConfig, parseManifest } from '../../lib/oci/manifest.ts'
import { formatReference, parseReference, type Reference } from '../../lib/oci/reference.ts'
import type { ImageConfig, ImageManifest } from '../../lib/oci/types.ts'

/** The images of one machine: `DIR/images`. Several processes (the server, `docker` in jobs) may use one at once. */
export type ImageStore = {
  readonly root: string
  readonly content: ContentStore
  /** Remembered results, by key. Entries are small and may be lost. */
  readonly cache: {
    readonly get: (key: string) => Promise<string | undefined>
    readonly set: (key: string, value: string) => Promise<void>
  }
}

/** A name in the store. */
export type StoredTag = { readonly name: string; readonly manifestDigest: string; readonly createdMs: number }

/** An image of the store, read. */
export type StoredImage = {
  readonly manifestDigest: string
  readonly manifestBytes: Buffer
  readonly manifest: ImageManifest
  /** Digest of the configuration: what docker calls the image's id. */
  readonly imageId: string
  readonly config: ImageConfig
}

/** Opens (and makes) the image store in a folder. */
export function openImageStore(root: string): ImageStore {
  for (const folder of ['tags', 'cache', 'layers']) mkdirSync(join(root, folder), { recursive: true })
  const content = openContentStore(root)
  const pathOf = (key: string): string => join(root, 'cache', createHash('sha256').update(key).digest('hex'))
  return {
    root,
    content,
    cache: {
      async get(key) {
        await markUsed(pathOf(key))
        return readFile(pathOf(key), 'utf8').catch(() => undefined)
      },
      set: (key, value) => replaceFile(content, pathOf(key), value),
    },
  }
}

/** Gives an image a name; the name moves at once. */
export async function setTag(store: ImageStore, reference: Reference, manifestDigest: string): Promise<void> {
  const name = nameOfTag(reference)
  await replaceFile(
    store.content,
    tagPath(store, name),
    JSON.stringify({ name, manifestDigest, createdMs: Date.now() }),
  )
}

/** Every name of the store, sorted. */
export async function listTags(store: ImageStore): Promise<StoredTag[]> {
  const files = await readdir(join(store.root, 'tags'))
  const found = await Promise.all(files.map((file) => readTag(join(store.root, 'tags', file))))
  return found.filter((tag) => tag !== undefined).sort((a, b) => (a.name < b.name ? -1 : 1))
}

/**
 * Finds an image by name, `name@digest`, id or the start of an id (12 characters or more).
 * @returns undefined when it is not in the store
 */
export async function findImage(store: ImageStore, nameOrId: string): Promise<StoredImage | undefined> {
  if (/^(sha256:)?[0-9a-f]{12,64}$/.test(nameOrId)) {
    const byId = await findById(store, nameOrId.replace('sha256:', ''))
    if (byId) return byId
  }
  const reference = parseReference(nameOrId)
  if (reference === undefined) return undefined
  if (reference.digest !== undefined) return readImage(store, reference.digest)
  const path = tagPath(store, nameOfTag(reference))
  await markUsed(path)
  const tag = await readTag(path)
  return tag && readImage(store, tag.manifestDigest)
}

/** Reads an image by the digest of its manifest; undefined when a part of it is not there (then it is built or pulled anew). */
export async function readImage(store: ImageStore, manifestDigest: string): Promise<StoredImage | undefined> {
  const manifestBytes = await store.content.read(manifestDigest)
  if (manifestBytes === undefined) return undefined
  const manifest = parseManifest(manifestBytes, undefined, manifestDigest)
  if (manifest.kind !== 'image') return undefined
  const configBytes = await store.content.read(manifest.config.digest)
  if (configBytes === undefined) return undefined
  for (const layer of manifest.layers) if ((await store.content.sizeOf(layer.digest)) !== layer.size) return undefined
  const config = parseImageConfig(configBytes, manifestDigest)
  return { manifestDigest, manifestBytes, manifest, imageId: manifest.config.digest, config }
}

/** Reads an image name. @throws SluiceError IMAGE_NAME */
export function referenceFrom(text: string): Reference {
  const reference = parseReference(text)
  if (reference === undefined) throw new SluiceError('IMAGE_NAME', `invalid reference format: "${text}"`)
  return reference
}

/** So precisely is known when something was used last. */
const USE_MS = 24 * 3600 * 1000

/** Notes in the time of a file or folder that it was used: what is not for weeks is removed (`collect.ts`). */
export async function markUsed(path: string): Promise<void> {
  const now = new Date()
  const found = await stat(path).catch(() => undefined)
  if (found !== undefined && now.getTime() - found.mtimeMs > USE_MS) await utimes(path, now, now).catch(() => undefined)
}

/** Writes a small file whole or not at all. */
export async function replaceFile(content: ContentStore, path: string, text: string): Promise<void> {
  const temporary = content.temporary()
  try {
    await writeFile(temporary, text)
    await rename(temporary, path)
  } catch (cause) {
    await rm(temporary, { force: true })
    throw storeError(cause, content.root)
  }
}

async function findById(store: ImageStore, start: string): Promise<StoredImage | undefined> {
  const digests = [...new Set((await listTags(store)).map(({ manifestDigest }) => manifestDigest))]
  for (const digest of digests) {
    const image = await readImage(store, digest)
    if (image?.imageId.slice(7).startsWith(start)) return image
  }
  const untagged = start.length === 64 ? await store.cache.get(`id sha256:${start}`) : undefined
  return untagged === undefined ? undefined : readImage(store, untagged)
}

function nameOfTag(reference: Reference): string {
  return formatReference({ ...reference, digest: undefined, tag: reference.tag ?? 'latest' })
}

function tagPath(store: ImageStore, name: string): string {
  return join(store.root, 'tags', createHash('sha256').update(name).digest('hex'))
}

async function readTag(path: string): Promise<StoredTag | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as StoredTag
  } catch {
    return undefined
  }
}
