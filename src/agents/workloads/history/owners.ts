import type { AbsorbingCache } from '../../../adapters/kube/types.ts'
import type { KubeObject } from '../../../lib/kube/object.ts'
import type { Bench } from '../bench.ts'
import { lookUp, wakeFor } from '../by-key.ts'
import { indexForOwners, type OwnedIndex } from '../owned-index.ts'
import { as, type Pod } from '../shapes.ts'
import { revisionsLater, type Revisions } from './lazy.ts'
import type { ControllerRevision } from './revision.ts'

/** An owner of pods and revisions, with what it has or may adopt. */
export type OwnerSeen = {
  readonly owner: KubeObject
  readonly candidates: Pod[]
  readonly revisions: ControllerRevision[]
  readonly revisionNamed: (name: string) => ControllerRevision | undefined
}

/** The owners of one kind that keep revisions of their template: StatefulSets, DaemonSets. */
export type RevisedOwners = {
  readonly cache: AbsorbingCache
  /** Wakes an owner when it, its pods or its revisions change. Resolves when the copies are whole. */
  readonly follow: (wake: (key: string) => void) => Promise<void>
  readonly observe: (key: string) => Promise<OwnerSeen | undefined>
}

/** Follows the owners of a kind, their pods, and their revisions once there is an owner. */
export function revisedOwners(bench: Bench, kind: string): RevisedOwners {
  const cache = bench.cache('apps/v1', kind)
  const pods = bench.cache('v1', 'Pod')
  let podsOf: OwnedIndex | undefined
  let openRevisions: (() => Promise<Revisions>) | undefined
  return {
    cache,
    async follow(wake) {
      await Promise.all([cache.ready, pods.ready])
      podsOf = indexForOwners(pods, cache, kind, wake)
      openRevisions = revisionsLater(bench, kind, wake)
      wakeFor(cache, wake)
    },
    async observe(key) {
      if (!lookUp(cache, key)) return undefined
      const revisions = await openRevisions?.()
      // Read only now: it may have changed while the copy was opened.
      const owner = lookUp(cache, key)
      if (!owner || !revisions) return undefined
      const { uid = '', namespace = '' } = owner.metadata
      return {
        owner,
        candidates: podsOf?.candidates(uid, namespace).map((pod) => as<Pod>(pod)) ?? [],
        revisions: revisions.candidates(uid, namespace),
        revisionNamed: (revision) => revisions.named(namespace, revision),
      }
    },
  }
}
