import { SluiceError } from '../../lib/error/sluice-error.ts'
import { LIMITS } from '../../lib/oci/limits.ts'
import { parseImageConfig, parseManifest } from '../../lib/oci/manifest.ts'
import { linuxPlatform, selectPlatform } from '../../lib/oci/platform.ts'
import { formatReference, type Reference, versionOf } from '../../lib/oci/reference.ts'
import type { Descriptor, ImageConfig, ImageManifest, Platform } from '../../lib/oci/types.ts'
import type { RegistryClient } from './client.ts'
import { nameOf } from './expect-status.ts'
import type { StoredManifest } from './manifests.ts'
import { dropDamaged, type ContentStore } from './content-store.ts'

/** An image whose manifest, configuration and layers are all in a content store. */
export type PulledImage = {
  /** What the tag meant: the index's digest for an image of many platforms, else the manifest's. */
  readonly digest: string
  /** The digest of the image manifest for this platform. */
  readonly manifestDigest: string
  readonly manifest: ImageManifest
  readonly config: ImageConfig
  /** In the order they are applied; the bytes are at `store.pathOf(digest)`. */
  readonly layers: readonly Descriptor[]
}

/**
 * Brings an image into a content store; blobs that are there already are not asked for again.
 *
 * @throws SluiceError IMAGE_MISSING, DIGEST_MISMATCH, OCI_MANIFEST_INVALID, REGISTRY_*; nothing damaged is ever kept
 */
export async function pullImage(
  client: RegistryClient,
  reference: Reference,
  store: ContentStore,
  o: { readonly platform?: Platform; readonly signal?: AbortSignal } = {},
): Promise<PulledImage> {
  const name = formatReference(reference)
  const top = await fetchManifest(client, reference, versionOf(reference), o.signal)
  const { image, stored } = await choosePlatform(client, reference, top, o)
  const config = await fetchConfig(
    client,
    reference,
    store,
    checkLayer(image.config, LIMITS.configBytes, name),
    o.signal,
  )
  await Promise.all([store.write(stored.bytes), top === stored ? undefined : store.write(top.bytes)])
  await fetchLayers(client, reference, store, image.layers, o.signal)
  return {
    digest: top.digest,
    manifestDigest: stored.digest,
    manifest: image,
    config: parseImageConfig(config, name),
    layers: image.layers,
  }
}

async function choosePlatform(
  client: RegistryClient,
  reference: Reference,
  top: StoredManifest,
  o: { readonly platform?: Platform; readonly signal?: AbortSignal },
): Promise<{ image: ImageManifest; stored: StoredManifest }> {
  const name = formatReference(reference)
  const wanted = o.platform ?? linuxPlatform(process.arch)
  let stored = top
  for (let depth = 0; depth < 4; depth++) {
    const manifest = parseManifest(stored.bytes, stored.mediaType, name)
    if (manifest.kind === 'image') return { image: manifest, stored }
    const chosen = selectPlatform(manifest, wanted)
    if (chosen === undefined)
      throw new SluiceError('IMAGE_MISSING', `${name} has no image for ${wanted.os}/${wanted.architecture}`, {
        hint: 'push the image for this platform too',
        retry: 'backoff',
      })
    stored = await fetchManifest(client, reference, chosen.digest, o.signal)
  }
  throw new SluiceError('OCI_MANIFEST_INVALID', 'the index is nested too deep', { where: name })
}

async function fetchManifest(
  client: RegistryClient,
  reference: Reference,
  version: string,
  signal: AbortSignal | undefined,
): Promise<StoredManifest> {
  const stored = await client.getManifest(reference, version, signal ? { signal } : {})
  if (stored === undefined) throw missing(`${nameOf(reference)} ${version}`)
  return stored
}

/** The configuration as its digest promises it: one that the disk has damaged is fetched again. */
async function fetchConfig(
  client: RegistryClient,
  reference: Reference,
  store: ContentStore,
  descriptor: Descriptor,
  signal: AbortSignal | undefined,
): Promise<Buffer> {
  await dropDamaged(store, descriptor.digest)
  await fetchBlob(client, reference, store, descriptor, signal)
  const config = await store.read(descriptor.digest)
  if (config === undefined) throw missing(`configuration of ${formatReference(reference)}`)
  return config
}

async function fetchLayers(
  client: RegistryClient,
  reference: Reference,
  store: ContentStore,
  layers: readonly Descriptor[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const queue = [...new Map(layers.map((layer) => [layer.digest, layer])).values()]
  const work = async (): Promise<void> => {
    for (let layer = queue.shift(); layer !== undefined; layer = queue.shift()) {
      await fetchBlob(client, reference, store, checkLayer(layer, LIMITS.layerBytes, nameOf(reference)), signal).catch(
        (error: unknown) => {
          queue.length = 0
          throw error
        },
      )
    }
  }
  await Promise.all([work(), work(), work()])
}

async function fetchBlob(
  client: RegistryClient,
  reference: Reference,
  store: ContentStore,
  { digest, size }: Descriptor,
  signal: AbortSignal | undefined,
): Promise<void> {
  if ((await store.sizeOf(digest)) === size) return
  const body = await client.openBlob(reference, digest, signal ? { signal } : {})
  if (body === undefined) throw missing(`blob ${nameOf(reference)}@${digest}`)
  try {
    await store.ingest(body, digest, size)
  } catch (cause) {
    if (cause instanceof SluiceError || signal?.aborted) throw cause
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new SluiceError('REGISTRY_UNREACHABLE', `blob ${nameOf(reference)}@${digest}: ${why}`, {
      retry: 'backoff',
      cause,
    })
  }
}

function checkLayer(descriptor: Descriptor, limitBytes: number, name: string): Descriptor {
  if (descriptor.size <= limitBytes) return descriptor
  throw new SluiceError('REGISTRY_LIMIT', `${name}: ${descriptor.digest} has ${descriptor.size} bytes`)
}

function missing(what: string): SluiceError {
  return new SluiceError('IMAGE_MISSING', `${what}: not in the registry`, { retry: 'backoff' })
}
