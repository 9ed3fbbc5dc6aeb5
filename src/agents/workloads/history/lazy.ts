import type { Bench } from '../bench.ts'
import { indexByOwner } from '../owned-index.ts'
import { as } from '../shapes.ts'
import type { ControllerRevision } from './revision.ts'

/** The revisions of one kind of owners. */
export type Revisions = {
  /** What the owner controls, and what nobody controls in its namespace. */
  readonly candidates: (uid: string, namespace: string) => ControllerRevision[]
  readonly named: (namespace: string, name: string) => ControllerRevision | undefined
}

/**
 * Revisions by owner. Their live copy opens when they are first asked for: a cluster without such owners pays nothing for it.
 *
 * @param onOwner called with the key of the owner whose revisions changed
 */
export function revisionsLater(
  bench: Bench,
  ownerKind: string,
  onOwner: (ownerKey: string) => void,
): () => Promise<Revisions> {
  let opening: Promise<Revisions> | undefined
  return () => (opening ??= openRevisions(bench, ownerKind, onOwner))
}

async function openRevisions(bench: Bench, ownerKind: string, onOwner: (ownerKey: string) => void): Promise<Revisions> {
  const cache = bench.cache('apps/v1', 'ControllerRevision')
  await cache.ready
  const index = indexByOwner(cache, ownerKind, onOwner, () => undefined)
  return {
    candidates: (uid, namespace) => index.candidates(uid, namespace).map((object) => as<ControllerRevision>(object)),
    named(namespace, name) {
      const found = cache.get(namespace, name)
      return found && as<ControllerRevision>(found)
    },
  }
}
