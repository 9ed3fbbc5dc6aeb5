import type { Controller } from '../../../engine/controller.ts'
import type { KubeObject } from '../../../lib/kube/object.ts'
import type { Bench } from '../bench.ts'
import { workloadController } from '../controller.ts'
import { openLater, revisionsLater } from '../history/lazy.ts'
import { keyOf, matchesSelector } from '../meta.ts'
import { indexByOwner, type OwnedIndex } from '../owned-index.ts'
import { as, type Pod } from '../shapes.ts'
import type { Write } from '../write.ts'
import { decideStatefulSet, type StatefulSetSeen } from './decide.ts'
import type { StatefulSet } from './shapes.ts'

/** The StatefulSet controller: watches StatefulSets and pods; revisions and claims once a StatefulSet has some. */
export function statefulSetController(bench: Bench): Controller<StatefulSetSeen, Write, readonly Write[]> {
  const sets = bench.cache('apps/v1', 'StatefulSet')
  const pods = bench.cache('v1', 'Pod')
  const revisions = revisionsLater(bench, 'StatefulSet')
  const claims = openLater(bench, 'v1', 'PersistentVolumeClaim')
  let podsOf: OwnedIndex | undefined

  return workloadController<StatefulSetSeen>(bench, {
    kind: 'StatefulSet',
    component: 'statefulset-controller',
    async watch(wake) {
      await Promise.all([sets.ready, pods.ready])
      podsOf = indexByOwner(pods, 'StatefulSet', wake.now, (orphan) => {
        for (const set of sets.list(orphan.metadata.namespace))
          if (matchesSelector(as<StatefulSet>(set).spec.selector, orphan.metadata.labels)) wake.now(keyOf(set))
      })
      revisions.onOwner(wake.now)
      claims.onOpen((cache) =>
        cache.onChange((claim, type) => {
          // A pod may be waiting for a former claim to be gone.
          if (type !== 'DELETED') return
          for (const set of sets.list(claim.metadata.namespace)) if (hasClaims(set)) wake.now(keyOf(set))
        }),
      )
      sets.onChange((set) => wake.now(keyOf(set)))
      for (const set of sets.list()) wake.now(keyOf(set))
    },
    async observe(key, failure) {
      const [namespace = '', name = ''] = key.split('/')
      const known = sets.get(namespace, name)
      if (!known) return undefined
      const history = await revisions.open()
      const claimed = hasClaims(known) ? await claims.open() : undefined
      // Read only now: it may have changed while the copies were opened.
      const found = sets.get(namespace, name) ?? known
      const { uid = '' } = found.metadata
      return {
        set: as<StatefulSet>(found),
        candidates: podsOf?.candidates(uid, namespace).map((pod) => as<Pod>(pod)) ?? [],
        revisions: history.candidates(uid, namespace),
        revisionNamed: (revision) => history.named(namespace, revision),
        claimNamed: (claim) => claimed?.get(namespace, claim),
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
