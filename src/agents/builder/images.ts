import type { RegistryClient } from '../../adapters/registry/client.ts'
import { pullImage as pullInto } from '../../adapters/registry/pull.ts'
import { SluiceError } from '../../lib/error/sluice-error.ts'
import { formatReference } from '../../lib/oci/reference.ts'
import type { ImageConfig, ImageManifest } from '../../lib/oci/types.ts'
import { findImage, type ImageStore, listTags, readImage, referenceFrom, setTag, type StoredImage } from './store.ts'

/** An image as `docker images` shows it. */
export type ImageRow = {
  /** `host/path:tag`, Docker's hub written out. */
  readonly name: string
  readonly imageId: string
  readonly manifestDigest: string
  readonly createdMs: number
  /** Bytes of all layers. */
  readonly sizeBytes: number
}

/** An image as `docker inspect` shows it. */
export type ImageDetails = {
  readonly imageId: string
  readonly manifestDigest: string
  readonly names: readonly string[]
  readonly config: ImageConfig
  readonly manifest: ImageManifest
}

/** Gives an image another name. @throws SluiceError IMAGE_MISSING, IMAGE_NAME */
export async function tagImage(store: ImageStore, source: string, target: string): Promise<void> {
  const image = await requireImage(store, source)
  await setTag(store, referenceFrom(target), image.manifestDigest)
}

/** Every name in the store, sorted. */
export async function listImages(store: ImageStore): Promise<ImageRow[]> {
  const rows = await Promise.all(
    (await listTags(store)).map(async ({ name, manifestDigest, createdMs }) => {
      const image = await readImage(store, manifestDigest)
      if (image === undefined) return undefined
      const sizeBytes = image.manifest.layers.reduce((sum, { size }) => sum + size, 0)
      return { name, manifestDigest, createdMs, imageId: image.imageId, sizeBytes }
    }),
  )
  return rows.filter((row) => row !== undefined)
}

/** What an image is made of. @throws SluiceError IMAGE_MISSING */
export async function inspectImage(store: ImageStore, nameOrId: string): Promise<ImageDetails> {
  const { imageId, manifestDigest, config, manifest } = await requireImage(store, nameOrId)
  const tags = await listTags(store)
  const names = tags.filter((tag) => tag.manifestDigest === manifestDigest).map(({ name }) => name)
  return { imageId, manifestDigest, names, config, manifest }
}

/**
 * Pushes an image of the store under its own name; what the registry has is not sent again.
 *
 * @throws SluiceError IMAGE_MISSING, REGISTRY_*
 */
export async function pushImage(
  store: ImageStore,
  name: string,
  registry: RegistryClient,
  o: {
    readonly log?: (line: string) => void
    readonly signal?: AbortSignal
    /** Waited for before the tag moves. */
    readonly beforeTag?: (digest: string) => void | Promise<void>
  } = {},
): Promise<{ readonly digest: string }> {
  const reference = referenceFrom(name)
  const image = await requireImage(store, name)
  const options = o.signal ? { signal: o.signal } : {}
  const version = reference.tag ?? 'latest'
  const known = await registry.headManifest(reference, version, options)
  if (known?.digest === image.manifestDigest) {
    o.log?.(`${formatReference(reference)} is up to date: ${image.manifestDigest}`)
    return { digest: image.manifestDigest }
  }
  const { config, layers, mediaType } = image.manifest
  const parts = [...new Map([config, ...layers].map((part) => [part.digest, part])).values()]
  await Promise.all(
    parts.map(async ({ digest, size }) => {
      const open = (): ReturnType<typeof store.content.openRead> => store.content.openRead(digest)
      const source = { digest, sizeBytes: size, open, ...(await mountSource(store, reference.host, digest)) }
      const how = await registry.pushBlob(reference, source, options)
      o.log?.(`${digest.slice(7, 19)}: ${how}`)
    }),
  )
  await o.beforeTag?.(image.manifestDigest)
  const digest = await registry.putManifest(reference, version, { bytes: image.manifestBytes, mediaType }, options)
  await Promise.all(
    layers.map((layer) => store.cache.set(placeKey(reference.host, layer.digest), reference.repository)),
  )
  return { digest }
}

/** Brings an image of a registry into the store under its name. */
export async function pullImage(
  store: ImageStore,
  name: string,
  registry: RegistryClient,
  o: { readonly signal?: AbortSignal } = {},
): Promise<{ readonly digest: string; readonly imageId: string }> {
  const reference = referenceFrom(name)
  const pulled = await pullInto(registry, reference, store.content, o)
  if (reference.digest === undefined) await setTag(store, reference, pulled.manifestDigest)
  else await store.cache.set(`id ${pulled.manifest.config.digest}`, pulled.manifestDigest)
  return { digest: pulled.digest, imageId: pulled.manifest.config.digest }
}

async function requireImage(store: ImageStore, name: string): Promise<StoredImage> {
  const image = await findImage(store, name)
  if (image) return image
  throw new SluiceError('IMAGE_MISSING', `no such image: ${name}`, { hint: 'build or pull it first' })
}

/** A repository of the same registry that got the layer before, to mount it from. */
async function mountSource(store: ImageStore, host: string, digest: string): Promise<{ mountFrom?: string }> {
  const from = await store.cache.get(placeKey(host, digest))
  return from === undefined ? {} : { mountFrom: from }
}

function placeKey(host: string, digest: string): string {
  return `place ${host} ${digest}`
}
