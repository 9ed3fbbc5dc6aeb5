import type { Controller } from '../../../engine/controller.ts'
import type { LabelSelector } from '../../../lib/kube/label-selector.ts'
import type { Bench } from '../bench.ts'
import { lookUp, wakeFor } from '../by-key.ts'
import { workloadController } from '../controller.ts'
import { controllerOf } from '../meta.ts'
import { indexByOwner, indexForOwners, type OwnedIndex } from '../owned-index.ts'
import { isActivePod } from '../pods.ts'
import { as, type Pod, type ReplicaSet, type ReplicationController } from '../shapes.ts'
import type { Write } from '../write.ts'
import { decideReplicaSet, type ReplicaSetSeen } from './decide.ts'

/** A kind that keeps a number of pods. */
type Replicated = {
  readonly apiVersion: string
  readonly kind: string
  /** Names its controller in Events. */
  readonly component: string
  readonly selectorOf: (set: ReplicaSet) => LabelSelector
}

/** The ReplicaSet controller: watches ReplicaSets and pods. */
export function replicaSetController(bench: Bench): Controller<ReplicaSetSeen, Write, readonly Write[]> {
  return replicasController(bench, {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    component: 'replicaset-controller',
    selectorOf: (set) => set.spec.selector,
  })
}

/** The ReplicationController controller: the same work, for the older kind, whose selector is a map of labels. */
export function replicationController(bench: Bench): Controller<ReplicaSetSeen, Write, readonly Write[]> {
  return replicasController(bench, {
    apiVersion: 'v1',
    kind: 'ReplicationController',
    component: 'replication-controller',
    selectorOf: (set) => ({ matchLabels: as<ReplicationController>(set).spec.selector ?? {} }),
  })
}

function replicasController(
  bench: Bench,
  { apiVersion, kind, component, selectorOf }: Replicated,
): Controller<ReplicaSetSeen, Write, readonly Write[]> {
  const sets = bench.cache(apiVersion, kind)
  const pods = bench.cache('v1', 'Pod')
  let podsOf: OwnedIndex | undefined
  let setsOf: OwnedIndex | undefined

  const siblingsOf = (set: ReplicaSet): ReplicaSet[] => {
    const owner = controllerOf(set)
    return owner ? (setsOf?.of(owner.uid) ?? [set]).map((sibling) => as<ReplicaSet>(sibling)) : [set]
  }
  return workloadController<ReplicaSetSeen>(bench, {
    kind,
    component,
    async watch(wake) {
      await Promise.all([sets.ready, pods.ready])
      setsOf = indexByOwner(
        sets,
        'Deployment',
        () => undefined,
        () => undefined,
      )
      podsOf = indexForOwners(pods, sets, kind, wake.now, (set) => selectorOf(as<ReplicaSet>(set)))
      wakeFor(sets, wake.now)
    },
    observe(key, failure) {
      const set = lookUp<ReplicaSet>(sets, key)
      if (!set) return undefined
      const { uid = '', namespace = '' } = set.metadata
      const candidates = podsOf?.candidates(uid, namespace).map((pod) => as<Pod>(pod)) ?? []
      let siblings: readonly Pod[] | undefined
      return {
        set,
        selector: selectorOf(set),
        candidates,
        siblingsOn(nodeName) {
          siblings ??= siblingsOf(set).flatMap(
            (other) => podsOf?.of(other.metadata.uid ?? '').map((pod) => as<Pod>(pod)) ?? [],
          )
          return siblings.filter((pod) => isActivePod(pod) && pod.spec.nodeName === nodeName).length
        },
        ...(failure !== undefined && { failure }),
        nowMs: bench.clock.nowMs(),
      }
    },
    decide: decideReplicaSet,
  })
}
