import { backoffMs } from '../engine/backoff.ts'
import type { Decision } from '../engine/decision.ts'
import type { ArtifactStatus } from '../kinds/source.ts'

/** Everything that the decision about an ExternalArtifact needs. */
export type ExternalArtifactSeen = {
  /** What its own controller says that it offers. */
  readonly artifact: ArtifactStatus | undefined
  /** The digest of what this engine offers already. */
  readonly offeredDigest: string | undefined
  /** The last try to fetch it failed; the message is '' once it was told. */
  readonly failed?: { readonly count: number; readonly message: string }
}

/** Decides whether an artifact must be fetched; the status is what to tell, '' for nothing. */
export function decideExternalArtifact(seen: ExternalArtifactSeen): Decision<ArtifactStatus, string> {
  const { artifact, offeredDigest, failed } = seen
  if (!artifact || artifact.digest === '' || artifact.digest === offeredDigest) return { kind: 'done', status: '' }
  if (failed && failed.message !== '') return { kind: 'wait', afterMs: backoffMs(failed.count), status: failed.message }
  return { kind: 'act', changes: [artifact] }
}
