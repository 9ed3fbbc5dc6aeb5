import type { ArtifactStatus, SourceObject } from '../../../kinds/source.ts'
import { describeError, SluiceError } from '../../../lib/error/sluice-error.ts'
import { digestOf, parseDigest } from '../../../lib/oci/digest.ts'
import type { EngineContext } from '../context.ts'
import { sourceKey } from '../source-store.ts'
import { openArchiveSnapshot } from './archive-snapshot.ts'
import { offerSnapshot } from './offer-snapshot.ts'
import type { Unpacked } from './unpack.ts'

/** Where an OCI artifact says of which commit it was made. */
export const ORIGIN_REVISION = 'org.opencontainers.image.revision'

/**
 * After a restart: offers what was stored last, so that a remote that cannot be reached stops nobody. What is not whole any more is removed, as
 * Flux does, and fetched again.
 */
export async function offerStored(context: EngineContext, source: SourceObject): Promise<void> {
  const { artifacts, sources } = context
  const { artifact, kind, namespace, name } = source
  if (!artifact || sources.get(kind, namespace, name) || !artifacts.has(artifact.path)) return
  const bytes = await artifacts.read(artifact.path).catch((error: unknown) => {
    context.log(`${sourceKey(kind, namespace, name)}: what was stored last is not offered: ${describeError(error)}`)
  })
  if (bytes === undefined) return
  const digest = digestOf(bytes, parseDigest(artifact.digest)?.algorithm)
  if (digest === artifact.digest) await offerArtifact(context, source, artifact)
  else await artifacts.remove(artifact.path)
}

/** Offers the files of an artifact. One that is no archive, such as a layer that was copied, offers none: nobody may take it for an empty folder. */
export async function offerArtifact(
  context: EngineContext,
  { kind, namespace, name, artifact }: SourceObject,
  { path, revision, metadata }: ArtifactStatus,
  known?: Unpacked,
): Promise<void> {
  const key = sourceKey(kind, namespace, name)
  const of = { key, revision, path, originRevision: metadata?.[ORIGIN_REVISION] }
  try {
    offerSnapshot(context, await openArchiveSnapshot(context, of, known), artifact?.revision)
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error
    context.log(`${key}: ${error.message}`)
    context.sources.remove(key)
  }
}
