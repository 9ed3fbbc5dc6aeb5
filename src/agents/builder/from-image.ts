import { SluiceError } from '../../lib/error/sluice-error.ts'
import type { Instruction } from '../../lib/dockerfile/instruction.ts'
import type { ImageConfig, ImageManifest } from '../../lib/oci/types.ts'
import { pullImage } from '../../adapters/registry/pull.ts'
import type { Build } from './build-state.ts'
import { findImage, referenceFrom, setTag } from './store.ts'
import type { Layer } from './tree.ts'

/** Finds an image in the store, or pulls it. @throws SluiceError IMAGE_MISSING naming the line */
export async function baseImage(
  build: Build,
  name: string,
  step: Instruction,
): Promise<{ readonly config: ImageConfig; readonly layers: readonly Layer[] }> {
  const { store, registry, pull, signal } = build.o
  const where = `${build.file.path}:${step.line}`
  const reference = referenceFrom(name)
  const known = pull && registry ? undefined : await findImage(store, name)
  if (known) return { config: known.config, layers: layersOf(known.manifest, known.config) }
  if (registry === undefined)
    throw new SluiceError('IMAGE_MISSING', `base image ${name} is not in the local store`, {
      where,
      hint: 'build or push it first',
    })
  build.log(`pulling ${name}`)
  try {
    const image = await pullImage(registry, reference, store.content, signal ? { signal } : {})
    if (reference.digest === undefined) await setTag(store, reference, image.manifestDigest)
    return { config: image.config, layers: layersOf(image.manifest, image.config) }
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error
    const hint = error.hint ?? 'check the name, or push the base image to the registry first'
    throw new SluiceError(error.code, error.message, { retry: error.retry, where, hint, cause: error })
  }
}

function layersOf(manifest: ImageManifest, config: ImageConfig): Layer[] {
  const { diff_ids: diffIds } = config.rootfs
  if (diffIds.length !== manifest.layers.length)
    throw new SluiceError('OCI_MANIFEST_INVALID', 'the image has another number of layers than of diff ids')
  return manifest.layers.map((descriptor, index) => ({ descriptor, diffId: diffIds[index] ?? '' }))
}
