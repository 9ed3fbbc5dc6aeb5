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

/** What an ExternalArtifact may need done: an artifact fetched, or what was offered taken back. */
export type ExternalArtifactChange = ArtifactStatus | 'withdraw'

/** Decides whether an artifact must be fetched, or is offered no more; the status is what to tell, '' for nothing. */
export function decideExternalArtifact(seen: ExternalArtifactSeen): Decision<ExternalArtifactChange, string> {
  const { artifact, offeredDigest, failed } = seen
  if (!artifact && offeredDigest !== undefined) return { kind: 'act', changes: ['withdraw'] }
  if (!artifact || artifact.digest === '' || artifact.digest === offeredDigest) return { kind: 'done', status: '' }
  if (failed && failed.message !== '') return { kind: 'wait', afterMs: backoffMs(failed.count), status: failed.message }
  return { kind: 'act', changes: [artifact] }
}
