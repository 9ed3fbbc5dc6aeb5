import type { Controller } from '../../../engine/controller.ts'
import type { KubeObject } from '../../../lib/kube/object.ts'
import type { Bench } from '../bench.ts'
import { workloadController } from '../controller.ts'
import { revisedOwners } from '../history/owners.ts'
import { keyOf } from '../meta.ts'
import { as } from '../shapes.ts'
import type { Write } from '../write.ts'
import { decideStatefulSet, type StatefulSetSeen } from './decide.ts'
import type { StatefulSet } from './shapes.ts'

/** The StatefulSet controller: watches StatefulSets, pods and claims; revisions once there is a StatefulSet. */
export function statefulSetController(bench: Bench): Controller<StatefulSetSeen, Write, readonly Write[]> {
  const owners = revisedOwners(bench, 'StatefulSet')
  const claims = bench.cache('v1', 'PersistentVolumeClaim')

  return workloadController<StatefulSetSeen>(bench, {
    kind: 'StatefulSet',
    component: 'statefulset-controller',
    async watch(wake) {
      await Promise.all([owners.follow(wake.now), claims.ready])
      claims.onChange((claim, type) => {
        // A pod may be waiting for a former claim to be gone.
        if (type !== 'DELETED') return
        for (const set of owners.cache.list(claim.metadata.namespace)) if (hasClaims(set)) wake.now(keyOf(set))
      })
    },
    async observe(key, failure) {
      const seen = await owners.observe(key)
      if (!seen) return undefined
      const { owner, ...found } = seen
      const { namespace = '' } = owner.metadata
      return {
        set: as<StatefulSet>(owner),
        ...found,
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
