import { SluiceError } from '../../lib/error/sluice-error.ts'
import { digestOf, parseDigest } from '../../lib/oci/digest.ts'
import { LIMITS } from '../../lib/oci/limits.ts'
import { MANIFEST_ACCEPT } from '../../lib/oci/media-types.ts'
import type { Repository } from '../../lib/oci/reference.ts'
import type { Descriptor } from '../../lib/oci/types.ts'
import { expectStatus, nameOf } from './expect-status.ts'
import { discard, readAnswer } from './http.ts'
import type { Ask, Session } from './session.ts'

/** A manifest as the registry keeps it. */
export type StoredManifest = { readonly bytes: Buffer; readonly digest: string; readonly mediaType: string }

/** Digest, size and media type; see `RegistryClient.headManifest`. */
export async function headManifest(
  session: Session,
  of: Repository,
  version: string,
  signal: AbortSignal | undefined,
): Promise<Descriptor | undefined> {
  const answer = await session.ask(manifestAsk('HEAD', of, version, signal))
  discard(answer)
  if (answer.statusCode === 404) return undefined
  await expectStatus(answer, [200], `manifest ${nameOf(of)} ${version}`)
  const { 'docker-content-digest': digest, 'content-type': mediaType, 'content-length': length } = answer.headers
  if (typeof digest === 'string' && parseDigest(digest) && mediaType !== undefined && length !== undefined)
    return { mediaType: mediaType.split(';')[0] ?? mediaType, digest, size: Number(length) }
  const whole = await getManifest(session, of, version, signal)
  return whole && { mediaType: whole.mediaType, digest: whole.digest, size: whole.bytes.length }
}

/** A manifest by tag or digest; see `RegistryClient.getManifest`. */
export async function getManifest(
  session: Session,
  of: Repository,
  version: string,
  signal: AbortSignal | undefined,
): Promise<StoredManifest | undefined> {
  const what = `manifest ${nameOf(of)} ${version}`
  const answer = await session.ask(manifestAsk('GET', of, version, signal))
  if (answer.statusCode === 404) {
    discard(answer)
    return undefined
  }
  await expectStatus(answer, [200], what)
  const bytes = await readAnswer(answer, LIMITS.manifestBytes, what)
  const wanted = parseDigest(version)
  const digest = digestOf(bytes, wanted?.algorithm)
  if (wanted && digest !== wanted.text)
    throw new SluiceError('DIGEST_MISMATCH', `${what} is ${digest}`, { retry: 'backoff' })
  return { bytes, digest, mediaType: (answer.headers['content-type'] ?? '').split(';')[0] ?? '' }
}

/** Puts a manifest; see `RegistryClient.putManifest`. */
export async function putManifest(
  session: Session,
  of: Repository,
  version: string,
  manifest: { readonly bytes: Uint8Array; readonly mediaType: string },
  signal: AbortSignal | undefined,
): Promise<string> {
  const answer = await session.ask({
    method: 'PUT',
    path: `${of.repository}/manifests/${version}`,
    scope: `repository:${of.repository}:pull,push`,
    headers: { 'content-type': manifest.mediaType },
    body: () => manifest.bytes,
    signal,
  })
  await expectStatus(answer, [201], `push of ${nameOf(of)}:${version}`)
  discard(answer)
  const wanted = parseDigest(version)
  return digestOf(manifest.bytes, wanted?.algorithm)
}

function manifestAsk(method: 'GET' | 'HEAD', of: Repository, version: string, signal: AbortSignal | undefined): Ask {
  const scope = `repository:${of.repository}:pull`
  return { method, path: `${of.repository}/manifests/${version}`, scope, headers: { accept: MANIFEST_ACCEPT }, signal }
}
