import { lstatSync, mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs'
import { utimes } from 'node:fs/promises'
import { randomBytes } from 'node:crypto'
import { channel } from 'node:diagnostics_channel'
import { join } from 'node:path'
import { createGunzip } from 'node:zlib'
import { hasCode } from '../../../lib/error/code-of.ts'
import { SluiceError } from '../../../lib/error/sluice-error.ts'
import { Hasher } from '../../../lib/oci/digest.ts'
import { compressionOf } from '../../../lib/oci/media-types.ts'
import { MOVED_BYTES } from '../../../lib/oci/moved-bytes.ts'
import { parseReference, type Reference } from '../../../lib/oci/reference.ts'
import type { ContainerConfig, Descriptor } from '../../../lib/oci/types.ts'
import type { RegistryClient } from '../../../adapters/registry/client.ts'
import {
  dropDamaged,
  openContentStore,
  storeError,
  type ContentStore,
} from '../../../adapters/registry/content-store.ts'
import { pullImage, type PulledImage } from '../../../adapters/registry/pull.ts'
import { removeTreeSync } from '../../../machine/remove-tree.ts'
import { collectUnused, FLAT, layerFolders } from './collect.ts'
import { flatten, type Gone } from './flatten.ts'
import { openImageNames, storedImage } from './names.ts'
import { unpackLayer } from './unpack.ts'

/** An image ready to run. */
export type Image = {
  /** As the pod names it. */
  readonly name: string
  /** `HOST/REPOSITORY@sha256:…`: the digest of what the tag meant. */
  readonly id: string
  readonly digest: string
  readonly config: ContainerConfig
  /** Unpacked layers, topmost first. */
  readonly layers: readonly string[]
  readonly sizeBytes: number
}

/** Pulled images, and their layers unpacked once each. */
export type ImageStore = {
  /** An image that an earlier pull brought, also one before a restart; undefined when it must be pulled. */
  readonly find: (name: string) => Promise<Image | undefined>
  /** @throws SluiceError IMAGE_*, REGISTRY_*, DIGEST_MISMATCH, OCI_MANIFEST_INVALID */
  readonly pull: (
    name: string,
    o?: {
      readonly signal?: AbortSignal
      /** A client that knows a login which the store's own does not. */
      readonly registry?: RegistryClient
    },
  ) => Promise<Image>
  /** Removes what is not needed (`collect.ts`) and answers the bytes; nothing while images are pulled: then answers undefined. */
  readonly collect: (needed: NeededImages, o: { readonly dryRun: boolean }) => Promise<number | undefined>
}

/** What pods name, and the ids (`HOST/REPOSITORY@DIGEST`) of what they run. */
export type NeededImages = { readonly names: ReadonlySet<string>; readonly ids: readonly string[] }

const MOST_LAYERS = 40

const moved = channel(MOVED_BYTES)

/** The name of an image as a pod says it. @throws SluiceError IMAGE_INVALID */
export function referenceOf(name: string): Reference {
  const reference = parseReference(name)
  if (reference !== undefined) return reference
  throw new SluiceError('IMAGE_INVALID', `"${name}" is no image name`, { where: 'spec.containers.image' })
}

/** A pulled image as the node knows it. */
export function imageOf(name: string, of: Reference, pulled: PulledImage, layers: readonly string[]): Image {
  return {
    name,
    id: `${of.host}/${of.repository}@${pulled.digest}`,
    digest: pulled.digest,
    config: pulled.config.config ?? {},
    layers,
    sizeBytes: pulled.layers.reduce((sum, layer) => sum + layer.size, 0),
  }
}

/** Opens the image store below `root`. `keepOwners` needs root. */
export function openImageStore(root: string, client: RegistryClient, keepOwners: boolean): ImageStore {
  const content = openContentStore(root)
  const names = openImageNames(join(root, 'names.json'))
  const known = new Map<string, Image>()
  const unpacking = new Map<string, Promise<readonly string[]>>()
  let working = 0
  let collecting: Promise<void> = Promise.resolve()
  mkdirSync(join(root, 'layers'), { recursive: true })
  for (const name of readdirSync(join(root, 'layers')))
    if (name.startsWith('tmp-')) removeTreeSync(join(root, 'layers', name))
  /** Nothing is collected meanwhile. */
  const alone = async <T>(work: () => Promise<T>): Promise<T> => {
    await collecting
    working++
    return work().finally(() => working--)
  }
  const unpack = async (name: string, reference: Reference, pulled: PulledImage): Promise<Image> => {
    const running = unpacking.get(pulled.manifestDigest) ?? unpackImage(content, pulled, name, keepOwners)
    unpacking.set(pulled.manifestDigest, running)
    const layers = await running.finally(() => unpacking.delete(pulled.manifestDigest))
    const image = imageOf(name, reference, pulled, layers)
    known.set(name, image)
    return image
  }
  return {
    async find(name) {
      const digest = names.get(name)
      if (known.has(name) || digest === undefined) return known.get(name)
      return alone(async () => {
        const stored = await storedImage(content, digest)
        return stored && unpack(name, referenceOf(name), stored)
      }).catch(() => undefined) // what is damaged is pulled again
    },
    async pull(name, o = {}) {
      const reference = referenceOf(name)
      return alone(async () => {
        const pulled = await pullImage(o.registry ?? client, reference, content, o.signal ? { signal: o.signal } : {})
        const image = await unpack(name, reference, pulled)
        await noteUse(content, pulled)
        names.set(name, pulled.digest)
        return image
      })
    },
    async collect({ names: needed, ids }, o) {
      if (working > 0) return undefined
      const isNeeded = (name: string, digest: string): boolean =>
        needed.has(name) || ids.some((id) => id.endsWith(`@${digest}`))
      const [kept, gone] = [true, false].map((is) => names.list().filter((one) => isNeeded(...one) === is))
      const digests = [...ids.map((id) => id.slice(id.indexOf('@') + 1)), ...(kept ?? []).map(([, digest]) => digest)]
      if (!o.dryRun) for (const [name] of gone ?? []) known.delete(name)
      if (!o.dryRun) names.remove((gone ?? []).map(([name]) => name))
      const work = collectUnused(content, digests, o)
      collecting = work.then(
        () => undefined,
        () => undefined,
      )
      return work
    },
  }
}

/** The time of a manifest says when its image was pulled last. */
async function noteUse(content: ContentStore, { digest, manifestDigest }: PulledImage): Promise<void> {
  const now = new Date()
  for (const one of new Set([digest, manifestDigest])) await utimes(content.pathOf(one), now, now)
}

async function unpackImage(
  content: ContentStore,
  { config, layers }: PulledImage,
  name: string,
  keepOwners: boolean,
): Promise<readonly string[]> {
  const diffIds = config.rootfs.diff_ids
  if (diffIds.length !== layers.length)
    throw new SluiceError('IMAGE_INVALID', `${name}: ${layers.length} layers, but ${diffIds.length} diff ids`)
  let stack: readonly string[] = []
  const folders = layerFolders(diffIds)
  for (const [index, layer] of layers.entries()) {
    const folder = join(content.root, 'layers', folders[index] ?? '')
    stack = await unpackOnto({ content, layer, diffId: diffIds[index] ?? '', folder, stack, keepOwners }).catch(
      async (error: unknown) => {
        throw (await dropDamaged(content, layer.digest)) ?? storeError(error, content.root)
      },
    )
  }
  return stack
}

type LayerJob = {
  readonly content: ContentStore
  readonly layer: Descriptor
  readonly diffId: string
  readonly folder: string
  readonly stack: readonly string[]
  readonly keepOwners: boolean
}

/** Unpacks one layer over a stack; a layer that takes things away, or one too many, becomes one folder with all below it. */
async function unpackOnto(job: LayerJob): Promise<readonly string[]> {
  const root = join(job.content.root, 'layers')
  const { folder } = job
  const flat = `${folder}${FLAT}`
  if (lstatSync(flat, { throwIfNoEntry: false })) return [flat]
  if (lstatSync(folder, { throwIfNoEntry: false })) return [folder, ...job.stack]
  const [work, merged] = [temporary(root), temporary(root)]
  mkdirSync(work, { mode: 0o755 })
  const gone: Gone[] = []
  try {
    const source = verified(job)
    const onWhiteout = (path: string, isOpaque: boolean): void => void gone.push({ path, isOpaque })
    await unpackLayer(source, { folder: work, below: job.stack, keepOwners: job.keepOwners, onWhiteout })
    if (gone.length === 0 && job.stack.length < MOST_LAYERS) {
      offer(work, folder)
      return [folder, ...job.stack]
    }
    flatten(merged, job.stack, { gone, top: work, keepOwners: job.keepOwners })
    offer(merged, flat)
    return [flat]
  } finally {
    for (const made of [work, merged]) removeTreeSync(made)
  }
}

const temporary = (root: string): string => join(root, `tmp-${randomBytes(6).toString('hex')}`)

/** Gives a folder its name, unless another pull of the same layer has been faster; who made it removes it then. */
function offer(made: string, name: string): void {
  try {
    renameSync(made, name)
  } catch (error) {
    if (!hasCode(error, 'ENOTEMPTY', 'EEXIST')) throw error
  }
}

async function* verified({ content, layer, diffId }: LayerJob): AsyncGenerator<Buffer> {
  const compression = compressionOf(layer.mediaType)
  if (compression === undefined || compression === 'zstd')
    throw new SluiceError(
      'IMAGE_INVALID',
      `the layer ${layer.digest} is ${layer.mediaType}, which cannot be unpacked here`,
      {
        hint: 'push the image with gzip layers',
      },
    )
  const hasher = new Hasher()
  const stored = content.openRead(layer.digest)
  // docker calls every layer gzip, also one that it pushes as it lay in the registry
  const isPlain = compression === 'none' || layer.digest === diffId
  const source = isPlain ? stored : stored.pipe(createGunzip({ chunkSize: 1 << 18 }))
  if (source !== stored) stored.on('error', (error) => source.destroy(error))
  for await (const chunk of source) {
    if (!Buffer.isBuffer(chunk)) continue
    hasher.update(chunk)
    yield chunk
    moved.publish(chunk.length)
  }
  const seen = hasher.digest()
  if (seen !== diffId)
    throw new SluiceError('DIGEST_MISMATCH', `the layer ${layer.digest} unpacks to ${seen}, not to ${diffId}`)
}

/** A text file of the image, at most 1 MiB; undefined when it is not there. */
export function readImageFile(file: string | undefined): string | undefined {
  if (file === undefined) return undefined
  const stats = lstatSync(file, { throwIfNoEntry: false })
  return stats?.isFile() && stats.size < 1 << 20 ? readFileSync(file, 'utf8') : undefined
}
