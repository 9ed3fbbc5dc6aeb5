import type { Controller } from '../../../engine/controller.ts'
import { matchesSelector } from '../../../lib/kube/label-selector.ts'
import type { Bench } from '../bench.ts'
import { workloadController } from '../controller.ts'
import { controllerOf, keyOf } from '../meta.ts'
import { isFinishedPod } from '../pods.ts'
import { as, type Pod, type ReplicaSet } from '../shapes.ts'
import type { Write } from '../write.ts'
import { decideBudget, type Budget, type BudgetSeen } from './decide.ts'

/** Kinds whose `spec.replicas` says how many pods there ought to be. */
const SCALED = new Set(['ReplicaSet', 'StatefulSet', 'ReplicationController'])
/** Kinds that have no scale. */
const UNSCALED: Readonly<Record<string, string>> = { DaemonSet: 'daemonsets.apps', Job: 'jobs.batch' }

/** The disruption controller: watches budgets, pods, and what scales them. */
export function budgetController(bench: Bench): Controller<BudgetSeen, Write, readonly Write[]> {
  const budgets = bench.cache('policy/v1', 'PodDisruptionBudget')
  const pods = bench.cache('v1', 'Pod')
  const sets = bench.cache('apps/v1', 'ReplicaSet')
  const deployments = bench.cache('apps/v1', 'Deployment')

  /** Replicas that the pods' controllers want: of the Deployment where a ReplicaSet belongs to one. */
  const expectedFor = async (matching: readonly Pod[]): Promise<BudgetSeen['expected']> => {
    const counts = new Map<string, number>()
    const unscaled = matching.map((pod) => UNSCALED[controllerOf(pod)?.kind ?? '']).find((name) => name !== undefined)
    if (unscaled !== undefined) return { why: `${unscaled} does not implement the scale subresource` }
    for (const pod of matching) {
      const owner = controllerOf(pod)
      const { namespace = '' } = pod.metadata
      if (!owner || !SCALED.has(owner.kind) || counts.has(owner.uid)) continue
      const set =
        owner.kind === 'ReplicaSet' ? sets.get(namespace, owner.name) : await bench.client.get({ ...owner, namespace })
      const above = set && controllerOf(set)
      const top = above?.kind === 'Deployment' ? deployments.get(namespace, above.name) : set
      if (top) counts.set(top === set ? owner.uid : (above?.uid ?? owner.uid), as<ReplicaSet>(top).spec.replicas ?? 1)
    }
    return [...counts.values()].reduce((sum, count) => sum + count, 0)
  }
  return workloadController<BudgetSeen>(bench, {
    kind: 'PodDisruptionBudget',
    component: 'controllermanager',
    async watch(wake) {
      await Promise.all([budgets, pods, sets, deployments].map((cache) => cache.ready))
      budgets.onChange((budget) => wake.now(keyOf(budget)))
      pods.onChange((pod) => {
        for (const budget of budgets.list(pod.metadata.namespace))
          if (matchesSelector(as<Budget>(budget).spec.selector, pod.metadata.labels)) wake.now(keyOf(budget))
      })
      deployments.onChange((deployment, type) => {
        if (type === 'MODIFIED')
          for (const budget of budgets.list(deployment.metadata.namespace)) wake.now(keyOf(budget))
      })
      for (const budget of budgets.list()) wake.now(keyOf(budget))
    },
    async observe(key) {
      const [namespace = '', name = ''] = key.split('/')
      const found = budgets.get(namespace, name)
      if (!found) return undefined
      const budget = as<Budget>(found)
      const matching = pods
        .list(namespace)
        .filter((pod) => matchesSelector(budget.spec.selector, pod.metadata.labels))
        .map((pod) => as<Pod>(pod))
        .filter((pod) => !isFinishedPod(pod))
      return {
        budget,
        pods: matching,
        expected: await expectedFor(matching),
        hasUnmanaged: matching.some((pod) => controllerOf(pod) === undefined),
        nowMs: bench.clock.nowMs(),
      }
    },
    decide: decideBudget,
  })
}
