import type { Controller } from '../../../engine/controller.ts'
import { matchesSelector } from '../../../lib/kube/label-selector.ts'
import type { KubeObject } from '../../../lib/kube/object.ts'
import type { Bench } from '../bench.ts'
import { lookUp, wakeFor } from '../by-key.ts'
import { workloadController } from '../controller.ts'
import { compareText, controllerOf, keyOf } from '../meta.ts'
import { as, type Pod } from '../shapes.ts'
import type { Telling, Write } from '../write.ts'
import { decideBudget, type Budget, type BudgetSeen } from './decide.ts'
import { scaleOf } from './scale.ts'

const COMPONENT = 'controllermanager'

/** The disruption controller: watches budgets, pods, and what scales them. */
export function budgetController(bench: Bench): Controller<BudgetSeen, Write, readonly Write[]> {
  const budgets = bench.cache('policy/v1', 'PodDisruptionBudget')
  const pods = bench.cache('v1', 'Pod')
  const sets = bench.cache('apps/v1', 'ReplicaSet')
  const deployments = bench.cache('apps/v1', 'Deployment')
  const budgetsOf = (pod: KubeObject): readonly KubeObject[] =>
    budgets
      .list(pod.metadata.namespace)
      .filter((budget) => matchesSelector(as<Budget>(budget).spec.selector, pod.metadata.labels))

  return workloadController<BudgetSeen>(bench, {
    kind: 'PodDisruptionBudget',
    component: COMPONENT,
    async watch(wake) {
      await Promise.all([budgets, pods, sets, deployments].map((cache) => cache.ready))
      pods.onChange((pod) => {
        const matching = budgetsOf(pod)
        if (matching.length > 1) bench.tell(COMPONENT, severalBudgets(pod, matching))
        for (const budget of matching) wake.now(keyOf(budget))
      })
      deployments.onChange((deployment, type) => {
        if (type === 'MODIFIED')
          for (const budget of budgets.list(deployment.metadata.namespace)) wake.now(keyOf(budget))
      })
      wakeFor(budgets, wake.now)
    },
    async observe(key) {
      const budget = lookUp<Budget>(budgets, key)
      if (!budget) return undefined
      const matching = pods
        .list(budget.metadata.namespace)
        .filter((pod) => matchesSelector(budget.spec.selector, pod.metadata.labels))
        .map((pod) => as<Pod>(pod))
      return {
        budget,
        pods: matching,
        expected: await expectedFor(bench, matching),
        hasUnmanaged: matching.some((pod) => controllerOf(pod) === undefined),
        nowMs: bench.clock.nowMs(),
      }
    },
    decide: decideBudget,
  })
}

/** Replicas that the pods' controllers ask for, each once. */
async function expectedFor(bench: Bench, matching: readonly Pod[]): Promise<BudgetSeen['expected']> {
  const known = new Set<string>()
  const counts = new Map<string, number>()
  for (const pod of matching) {
    const owner = controllerOf(pod)
    if (!owner || known.has(owner.uid)) continue
    const scale = await scaleOf(bench, owner, pod.metadata.namespace ?? '')
    if (scale === undefined) return { why: `found no controllers for pod "${pod.metadata.name}"` }
    if ('why' in scale) return scale
    known.add(owner.uid)
    counts.set(scale.uid, scale.replicas)
  }
  return [...counts.values()].reduce((sum, count) => sum + count, 0)
}

/** An eviction of such a pod is refused: nobody can say which budget counts. */
function severalBudgets(pod: KubeObject, budgets: readonly KubeObject[]): Telling {
  const { namespace = '', name } = pod.metadata
  const [first = ''] = budgets.map(({ metadata }) => metadata.name).sort(compareText)
  const message = `Pod "${namespace}"/"${name}" matches multiple PodDisruptionBudgets.  Chose "${first}" arbitrarily.`
  return { about: pod, type: 'Warning', reason: 'MultiplePodDisruptionBudgets', message }
}
