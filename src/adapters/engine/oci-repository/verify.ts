import type { Verified } from '../../../controllers/source.ts'
import type { OciRepository } from '../../../kinds/oci-repository.ts'
import {
  BUNDLE_TYPE,
  readPublicKey,
  SIGNATURE_ANNOTATION,
  verifyBundle,
  verifySimpleSigning,
  type CosignKey,
} from '../../../lib/cosign/verify.ts'
import { SluiceError } from '../../../lib/error/sluice-error.ts'
import { parseManifest } from '../../../lib/oci/manifest.ts'
import type { Repository } from '../../../lib/oci/reference.ts'
import type { KubeClient } from '../../kube/types.ts'
import { ApiError } from '../../kube/api-error.ts'
import type { RegistryClient } from '../../registry/client.ts'
import { readSecret } from '../secrets.ts'
import { failLook, stallLook } from '../source/look-failure.ts'
import { readBlob } from './layer.ts'

/** The artifact to check. */
type Target = { readonly repository: Repository; readonly digest: string; readonly revision: string }

const MOST_SIGNATURES = 50

/**
 * Checks that an artifact was signed by one of the given cosign keys: signatures beside it (`sha256-….sig`), or bundles attached to it.
 *
 * @throws LookFailure VerificationError with Flux's words; notation and keyless are refused by name
 */
export async function verifyArtifact(
  kube: KubeClient,
  registry: RegistryClient,
  { verify: wish, namespace }: OciRepository,
  target: Target,
  signal: AbortSignal,
): Promise<Verified | undefined> {
  if (!wish) return undefined
  const { provider, secretName } = wish
  if (provider !== 'cosign' || secretName === undefined) {
    const what = provider === 'cosign' ? 'keyless cosign' : provider
    const hint = 'name a Secret with a cosign public key (*.pub) in spec.verify.secretRef'
    const message = `spec.verify with ${what} is not supported by this version of sluice; ${hint}`
    throw stallLook('SourceVerified', 'NotSupported', message)
  }
  const failed = (why: string): Error =>
    failLook(
      'SourceVerified',
      'VerificationError',
      `failed to verify the signature using provider '${provider}': ${why}`,
    )
  try {
    const data = await readSecret(kube, namespace, secretName)
    const known = Object.entries(data).flatMap(([name, value]) => {
      if (!name.endsWith('.pub')) return []
      const key = readPublicKey(value.toString('utf8'))
      if (key === undefined) throw failed('PEM decoding failed')
      return [key]
    })
    if (
      (await hasSimpleSignature(registry, target, known, signal)) ||
      (await hasBundle(registry, target, known, signal))
    )
      return { message: `verified signature of revision ${target.revision}` }
  } catch (error) {
    if (error instanceof SluiceError || error instanceof ApiError) throw failed(error.message)
    throw error
  }
  const { host, repository } = target.repository
  throw failed(`no matching signatures were found for '${host}/${repository}@${target.digest}'`)
}

async function hasSimpleSignature(
  registry: RegistryClient,
  { repository, digest }: Target,
  keys: readonly CosignKey[],
  signal: AbortSignal,
): Promise<boolean> {
  const found = await registry.getManifest(repository, `${digest.replace(':', '-')}.sig`, { signal })
  if (!found) return false
  const manifest = parseManifest(found.bytes, found.mediaType, 'signature')
  if (manifest.kind !== 'image') return false
  for (const layer of manifest.layers.slice(0, MOST_SIGNATURES)) {
    const signature = layer.annotations?.[SIGNATURE_ANNOTATION]
    if (signature === undefined) continue
    const payload = await readBlob(registry, repository, layer, signal)
    if (keys.some((key) => verifySimpleSigning(payload, signature, key, digest))) return true
  }
  return false
}

async function hasBundle(
  registry: RegistryClient,
  { repository, digest }: Target,
  keys: readonly CosignKey[],
  signal: AbortSignal,
): Promise<boolean> {
  const attached = await registry.listReferrers(repository, digest, { signal })
  for (const { digest: at } of attached.slice(0, MOST_SIGNATURES)) {
    const found = await registry.getManifest(repository, at, { signal })
    const manifest = found && parseManifest(found.bytes, found.mediaType, 'bundle')
    if (manifest?.kind !== 'image' || manifest.subject?.digest !== digest) continue
    for (const layer of manifest.layers) {
      if (!layer.mediaType.startsWith(BUNDLE_TYPE)) continue
      const bundle = await readBlob(registry, repository, layer, signal)
      if (keys.some((key) => verifyBundle(bundle, key, digest))) return true
    }
  }
  return false
}
