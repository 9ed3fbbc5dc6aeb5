import type { Controller } from '../../../engine/controller.ts'
import type { KubeObject } from '../../../lib/kube/object.ts'
import type { Bench } from '../bench.ts'
import { workloadController } from '../controller.ts'
import { revisionsLater, type Revisions } from '../history/lazy.ts'
import { keyOf, matchesSelector } from '../meta.ts'
import { indexByOwner, type OwnedIndex } from '../owned-index.ts'
import { as, type Pod } from '../shapes.ts'
import type { Write } from '../write.ts'
import { decideStatefulSet, type StatefulSetSeen } from './decide.ts'
import type { StatefulSet } from './shapes.ts'

/** The StatefulSet controller: watches StatefulSets, pods and claims; revisions once there is a StatefulSet. */
export function statefulSetController(bench: Bench): Controller<StatefulSetSeen, Write, readonly Write[]> {
  const sets = bench.cache('apps/v1', 'StatefulSet')
  const pods = bench.cache('v1', 'Pod')
  const claims = bench.cache('v1', 'PersistentVolumeClaim')
  let podsOf: OwnedIndex | undefined
  let openRevisions: (() => Promise<Revisions>) | undefined

  return workloadController<StatefulSetSeen>(bench, {
    kind: 'StatefulSet',
    component: 'statefulset-controller',
    async watch(wake) {
      await Promise.all([sets.ready, pods.ready, claims.ready])
      podsOf = indexByOwner(pods, 'StatefulSet', wake.now, (orphan) => {
        for (const set of sets.list(orphan.metadata.namespace))
          if (matchesSelector(as<StatefulSet>(set).spec.selector, orphan.metadata.labels)) wake.now(keyOf(set))
      })
      openRevisions = revisionsLater(bench, 'StatefulSet', wake.now)
      claims.onChange((claim, type) => {
        // A pod may be waiting for a former claim to be gone.
        if (type !== 'DELETED') return
        for (const set of sets.list(claim.metadata.namespace)) if (hasClaims(set)) wake.now(keyOf(set))
      })
      sets.onChange((set) => wake.now(keyOf(set)))
      for (const set of sets.list()) wake.now(keyOf(set))
    },
    async observe(key, failure) {
      const [namespace = '', name = ''] = key.split('/')
      if (!sets.get(namespace, name)) return undefined
      const revisions = await openRevisions?.()
      // Read only now: it may have changed while the copy was opened.
      const found = sets.get(namespace, name)
      if (!found || !revisions) return undefined
      const { uid = '' } = found.metadata
      return {
        set: as<StatefulSet>(found),
        candidates: podsOf?.candidates(uid, namespace).map((pod) => as<Pod>(pod)) ?? [],
        revisions: revisions.candidates(uid, namespace),
        revisionNamed: (revision) => revisions.named(namespace, revision),
        claimNamed: (claim) => claims.get(namespace, claim),
        ...(failure !== undefined && { failure }),
        nowMs: bench.clock.nowMs(),
      }
    },
    decide: decideStatefulSet,
  })
}

function hasClaims(set: KubeObject): boolean {
  return (as<StatefulSet>(set).spec.volumeClaimTemplates ?? []).length > 0
}
