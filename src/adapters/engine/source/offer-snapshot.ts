import type { EngineContext } from '../context.ts'
import type { SourceSnapshot } from '../source-store.ts'

/**
 * Hands a snapshot to the users of its source, and tells of it first: they are at work as soon as it is there, long before the status is written.
 *
 * @param before the revision that the source's status shows: offered once more, it is no news
 */
export function offerSnapshot(
  { report, sources }: EngineContext,
  snapshot: SourceSnapshot,
  before: string | undefined,
): void {
  const { key, revision } = snapshot
  const commit = revision.slice(revision.lastIndexOf(':') + 1)
  if (revision !== before) void report({ kind: 'source', source: key, revision, commit })
  sources.put(snapshot)
}
