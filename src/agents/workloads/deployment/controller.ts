import type { Controller } from '../../../engine/controller.ts'
import { refOf } from '../../../lib/kube/object.ts'
import type { Bench } from '../bench.ts'
import { workloadController } from '../controller.ts'
import { indexByOwner, indexForOwners, type OwnedIndex, wakeFor } from '../owned-index.ts'
import { isFinishedPod } from '../pods.ts'
import { as, type Deployment, type Pod, type ReplicaSet } from '../shapes.ts'
import type { Write } from '../write.ts'
import { decideDeployment, type DeploymentSeen } from './decide.ts'

/** The Deployment controller: watches Deployments, their ReplicaSets and those sets' pods. */
export function deploymentController(bench: Bench): Controller<DeploymentSeen, Write, readonly Write[]> {
  const deployments = bench.cache('apps/v1', 'Deployment')
  const sets = bench.cache('apps/v1', 'ReplicaSet')
  const pods = bench.cache('v1', 'Pod')
  const atWorkSinceMs = bench.clock.nowMs()
  let setsOf: OwnedIndex | undefined
  let podsOf: OwnedIndex | undefined

  return workloadController<DeploymentSeen>(bench, {
    kind: 'Deployment',
    component: 'deployment-controller',
    async watch(wake) {
      await Promise.all([deployments.ready, sets.ready, pods.ready])
      podsOf = indexByOwner(
        pods,
        'ReplicaSet',
        () => undefined,
        () => undefined,
      )
      setsOf = indexForOwners(sets, deployments, 'Deployment', wake.now)
      wakeFor(deployments, wake.now)
    },
    observe(key, failure) {
      const [namespace = '', name = ''] = key.split('/')
      const found = deployments.get(namespace, name)
      if (!found) return undefined
      const deployment = as<Deployment>(found)
      const candidates = setsOf?.candidates(found.metadata.uid ?? '', namespace).map((set) => as<ReplicaSet>(set)) ?? []
      return {
        deployment,
        candidates,
        setNamed(setName) {
          const set = sets.get(refOf(found).namespace, setName)
          return set && as<ReplicaSet>(set)
        },
        hasRunningPods: (uid) => podsOf?.of(uid).some((pod) => !isFinishedPod(as<Pod>(pod))) ?? false,
        ...(failure !== undefined && { failure }),
        nowMs: bench.clock.nowMs(),
        atWorkSinceMs,
      }
    },
    decide: decideDeployment,
  })
}
