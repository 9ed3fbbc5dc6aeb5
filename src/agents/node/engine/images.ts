import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import type { EngineClient } from '../../../adapters/container-engine/client.ts'
import { dropDamaged, openContentStore, type ContentStore } from '../../../adapters/registry/content-store.ts'
import type { RegistryClient } from '../../../adapters/registry/client.ts'
import { pullImage, type PulledImage } from '../../../adapters/registry/pull.ts'
import { SluiceError } from '../../../lib/error/sluice-error.ts'
import { digestOf } from '../../../lib/oci/digest.ts'
import { packTar, renderTarHeader, TAR_END, tarPadding } from '../../../lib/tar/write.ts'
import { openImageNames, storedImage } from '../image/names.ts'
import { type Image, imageOf, type ImageStore, referenceOf } from '../image/store.ts'

/** The engine's name of an image that the node brought: its digest, so that nobody else's tag can move it. */
export function tagOf(digest: string): string {
  return `localhost/sluice:${digest.replace(/^sha256:/, '')}`
}

/** Images that are pulled by our own client, whose digests are checked, and handed to the engine as an archive. */
export function openEngineImages(
  root: string,
  registry: RegistryClient,
  engine: EngineClient,
): Pick<ImageStore, 'find' | 'pull'> {
  const content = openContentStore(root)
  const names = openImageNames(join(root, 'names.json'))
  const known = new Map<string, Image>()
  const take = async (name: string, digest: string): Promise<Image | undefined> => {
    const stored = await storedImage(content, digest)
    if (stored === undefined) return undefined
    await hand(engine, content, stored)
    const image = imageOf(name, referenceOf(name), stored, [])
    known.set(name, image)
    return image
  }
  return {
    async find(name) {
      const digest = names.get(name)
      if (known.has(name) || digest === undefined) return known.get(name)
      return take(name, digest).catch(() => undefined) // what is damaged is pulled again
    },
    async pull(name, o = {}) {
      const reference = referenceOf(name)
      const pulled = await pullImage(o.registry ?? registry, reference, content, o.signal ? { signal: o.signal } : {})
      await hand(engine, content, pulled)
      const image = imageOf(name, reference, pulled, [])
      known.set(name, image)
      names.set(name, pulled.digest)
      return image
    },
  }
}

/** An image without any file, for the node's own containers; answers its name. @throws SluiceError NODE_DRIVER */
export async function handEmptyImage(engine: EngineClient): Promise<string> {
  const layer = packTar([{ path: 'run', type: 'directory' }])
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch
  const rootfs = { type: 'layers', diff_ids: [digestOf(layer)] }
  const config = Buffer.from(JSON.stringify({ architecture, os: 'linux', config: {}, rootfs }))
  const name = tagOf(digestOf(config))
  if (await isThere(engine, name)) return name
  await engine.send(
    '/images/load?quiet=1',
    Readable.from([archiveOf(name, config, [{ name: 'layer.tar', bytes: layer }])]),
  )
  return name
}

async function hand(engine: EngineClient, content: ContentStore, pulled: PulledImage): Promise<void> {
  const name = tagOf(pulled.digest)
  if (await isThere(engine, name)) return
  const config = await content.read(pulled.manifest.config.digest)
  if (config === undefined)
    throw new SluiceError('IMAGE_INVALID', `the configuration of ${name} is gone`, { retry: 'backoff' })
  await engine
    .send('/images/load?quiet=1', Readable.from(archive(name, config, content, pulled)))
    .catch((error) => refuse(content, pulled, error))
  if (!(await isThere(engine, name)))
    throw new SluiceError('IMAGE_INVALID', `the container engine does not take the image ${pulled.digest}`, {
      retry: 'backoff',
    })
}

/** Says why the engine refuses an image: a layer that the disk has damaged is the fault, and goes. */
async function refuse(content: ContentStore, { layers }: PulledImage, error: unknown): Promise<never> {
  const damages: unknown[] = []
  for (const { digest } of layers) damages.push(await dropDamaged(content, digest))
  throw damages.find((damage) => damage !== undefined) ?? error
}

async function isThere(engine: EngineClient, name: string): Promise<boolean> {
  return engine.ask('GET', `/images/${name}/json`).then(
    () => true,
    () => false,
  )
}

/** What `docker save` writes: configuration, layers as the registry has them, and a list. */
async function* archive(
  name: string,
  config: Buffer,
  content: ContentStore,
  { layers }: PulledImage,
): AsyncGenerator<Buffer> {
  const files = layers.map(({ digest }, index) => ({ name: `${index}-${digest.slice(7, 19)}.tar`, digest }))
  yield entry('config.json', config)
  yield entry(
    'manifest.json',
    listOf(
      name,
      files.map((file) => file.name),
    ),
  )
  for (const [index, file] of files.entries()) {
    const size = layers[index]?.size ?? 0
    yield renderTarHeader({ path: file.name, type: 'file', sizeBytes: size })
    for await (const chunk of createReadStream(content.pathOf(file.digest), { highWaterMark: 1 << 18 }))
      yield Buffer.from(chunk)
    yield tarPadding(size)
  }
  yield TAR_END
}

function archiveOf(
  name: string,
  config: Buffer,
  layers: readonly { readonly name: string; readonly bytes: Buffer }[],
): Buffer {
  const list = listOf(
    name,
    layers.map((layer) => layer.name),
  )
  return Buffer.concat([
    entry('config.json', config),
    entry('manifest.json', list),
    ...layers.map((layer) => entry(layer.name, layer.bytes)),
    TAR_END,
  ])
}

function listOf(name: string, layers: readonly string[]): Buffer {
  return Buffer.from(JSON.stringify([{ Config: 'config.json', RepoTags: [name], Layers: layers }]))
}

function entry(path: string, bytes: Buffer): Buffer {
  return Buffer.concat([
    renderTarHeader({ path, type: 'file', sizeBytes: bytes.length }),
    bytes,
    tarPadding(bytes.length),
  ])
}
