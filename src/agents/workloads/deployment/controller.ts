import type { Controller } from '../../../engine/controller.ts'
import type { Bench } from '../bench.ts'
import { lookUp, wakeFor } from '../by-key.ts'
import { workloadController } from '../controller.ts'
import { indexByOwner, indexForOwners, type OwnedIndex } from '../owned-index.ts'
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
      const deployment = lookUp<Deployment>(deployments, key)
      if (!deployment) return undefined
      const { uid = '', namespace = '' } = deployment.metadata
      const candidates = setsOf?.candidates(uid, namespace).map((set) => as<ReplicaSet>(set)) ?? []
      return {
        deployment,
        candidates,
        setNamed: (name) => lookUp<ReplicaSet>(sets, `${namespace}/${name}`),
        hasRunningPods: (setUid) => podsOf?.of(setUid).some((pod) => !isFinishedPod(as<Pod>(pod))) ?? false,
        ...(failure !== undefined && { failure }),
        nowMs: bench.clock.nowMs(),
        atWorkSinceMs,
      }
    },
    decide: decideDeployment,
  })
}
