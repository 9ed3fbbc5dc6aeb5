import type { OciRepository } from '../../../kinds/oci-repository.ts'
import { SluiceError } from '../../../lib/error/sluice-error.ts'
import { digestOf, parseDigest } from '../../../lib/oci/digest.ts'
import type { Repository } from '../../../lib/oci/reference.ts'
import type { Descriptor, ImageManifest } from '../../../lib/oci/types.ts'
import type { RegistryClient } from '../../registry/client.ts'
import { readAnswer } from '../../registry/http.ts'
import { failLook } from '../source/look-failure.ts'

const LARGEST_BYTES = 100 * 1024 * 1024

/**
 * The bytes of the layer that `spec.layerSelector` means: the first of its media type, else the first at all. Their digest is checked.
 *
 * @throws LookFailure OCIArtifactLayerOperationFailed; SluiceError REGISTRY_*, DIGEST_MISMATCH
 */
export async function readLayer(
  client: RegistryClient,
  { layerSelector }: OciRepository,
  repository: Repository,
  { layers }: ImageManifest,
  signal: AbortSignal,
): Promise<Buffer> {
  const wrong = (why: string): Error => failLook('FetchFailed', 'OCIArtifactLayerOperationFailed', why)
  if (layers.length === 0) throw wrong('no layers found in artifact')
  const mediaType = layerSelector?.mediaType
  const layer = mediaType === undefined ? layers[0] : layers.find((one) => one.mediaType === mediaType)
  if (!layer) throw wrong(`failed to find layer with media type '${mediaType ?? ''}' in artifact`)
  if (layer.size > LARGEST_BYTES)
    throw wrong(`the layer has ${layer.size} bytes, more than the ${LARGEST_BYTES} that a source may have`)
  return readBlob(client, repository, layer, signal)
}

/** A whole blob in memory, its digest checked. */
export async function readBlob(
  client: RegistryClient,
  repository: Repository,
  { digest, size }: Descriptor,
  signal: AbortSignal,
): Promise<Buffer> {
  const what = `blob ${repository.host}/${repository.repository}@${digest}`
  const answer = await client.openBlob(repository, digest, { signal })
  if (!answer) throw new SluiceError('IMAGE_MISSING', `${what}: not in the registry`, { retry: 'backoff' })
  const bytes = await readAnswer(answer, Math.min(size, LARGEST_BYTES), what)
  if (digestOf(bytes, parseDigest(digest)?.algorithm) !== digest)
    throw new SluiceError('DIGEST_MISMATCH', `${what} is not what its digest says`, { retry: 'backoff' })
  return bytes
}
