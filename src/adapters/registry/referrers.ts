import { SluiceError } from '../../lib/error/sluice-error.ts'
import { LIMITS } from '../../lib/oci/limits.ts'
import { parseManifest } from '../../lib/oci/manifest.ts'
import { MEDIA } from '../../lib/oci/media-types.ts'
import type { Repository } from '../../lib/oci/reference.ts'
import type { Descriptor } from '../../lib/oci/types.ts'
import { nameOf } from './expect-status.ts'
import { getManifest } from './manifests.ts'
import { readAnswer } from './http.ts'
import type { Session } from './session.ts'

/**
 * Lists what is attached to a manifest. A registry without the referrers API keeps the list under the tag `sha256-<hex>`.
 *
 * @see https://github.com/opencontainers/distribution-spec/blob/main/spec.md#listing-referrers
 */
export async function listReferrers(
  session: Session,
  of: Repository,
  digest: string,
  signal: AbortSignal | undefined,
): Promise<readonly Descriptor[]> {
  const what = `referrers of ${nameOf(of)}@${digest}`
  const answer = await session.ask({
    method: 'GET',
    path: `${of.repository}/referrers/${digest}`,
    scope: `repository:${of.repository}:pull`,
    headers: { accept: MEDIA.index },
    signal,
  })
  const bytes = await readAnswer(answer, LIMITS.manifestBytes, what)
  if (answer.statusCode === 200) return manifestsOf(bytes, what)
  if (answer.statusCode !== 404 && answer.statusCode !== 400)
    throw new SluiceError('REGISTRY_REFUSED', `${what}: status ${answer.statusCode}`, { retry: 'backoff' })
  const fallback = await getManifest(session, of, digest.replace(':', '-'), signal)
  return fallback ? manifestsOf(fallback.bytes, what) : []
}

function manifestsOf(bytes: Buffer, what: string): readonly Descriptor[] {
  const manifest = parseManifest(bytes, undefined, what)
  return manifest.kind === 'index' ? manifest.manifests : []
}
