import type { LabelSelector } from '../../../lib/kube/label-selector.ts'
import type { KubeObject } from '../../../lib/kube/object.ts'
import type { WorkloadDecision } from '../decision.ts'
import { conditionOf, isSame, scaledValue, timeMs, timeText } from '../meta.ts'
import { isReadyPod } from '../pods.ts'
import type { Condition, IntOrPercent, Pod } from '../shapes.ts'

/** A PodDisruptionBudget. */
export type Budget = KubeObject & {
  readonly spec: {
    readonly selector?: LabelSelector
    readonly minAvailable?: IntOrPercent
    readonly maxUnavailable?: IntOrPercent
  }
  readonly status?: {
    readonly disruptedPods?: Readonly<Record<string, string>>
    readonly conditions?: readonly Condition[]
    readonly [field: string]: unknown
  }
}

/** What a budget's decision needs. */
export type BudgetSeen = {
  readonly budget: Budget
  /** Matching pods that have not ended. */
  readonly pods: readonly Pod[]
  /** Replicas that the pods' controllers ask for. */
  readonly expected: number
  readonly nowMs: number
}

/** A pod whose eviction was allowed is counted as gone for so long. */
const DISRUPTION_MS = 120_000

/** Pure. Keeps the status by which the API server allows or refuses evictions. */
export function decideBudget({ budget, pods, expected: scale, nowMs }: BudgetSeen): WorkloadDecision {
  const { minAvailable, maxUnavailable } = budget.spec
  const isCounted = maxUnavailable !== undefined || typeof minAvailable === 'string'
  const expected = isCounted ? scale : pods.length
  const desired =
    maxUnavailable !== undefined
      ? Math.max(expected - scaledValue(maxUnavailable, expected, 'up'), 0)
      : scaledValue(minAvailable ?? 1, expected, 'up')
  const disrupted = stillDisrupted(budget, pods, nowMs)
  const healthy = pods.filter(
    (pod) =>
      isReadyPod(pod) && pod.metadata.deletionTimestamp === undefined && disrupted[pod.metadata.name] === undefined,
  ).length
  const allowed = expected <= 0 ? 0 : Math.max(healthy - desired, 0)
  const status = {
    ...(Object.keys(disrupted).length > 0 && { disruptedPods: disrupted }),
    disruptionsAllowed: allowed,
    currentHealthy: healthy,
    desiredHealthy: desired,
    expectedPods: expected,
    observedGeneration: budget.metadata.generation,
    conditions: conditions(budget, allowed > 0, nowMs),
  }
  const isChanged = !isSame(status, budget.status)
  return {
    kind: 'done',
    status: isChanged ? [{ do: 'replace', object: { ...budget, status }, subresource: 'status' }] : [],
    ...(Object.keys(disrupted).length > 0 && { againAfterMs: DISRUPTION_MS }),
  }
}

function stillDisrupted(budget: Budget, pods: readonly Pod[], nowMs: number): Record<string, string> {
  const present = new Set(pods.filter((pod) => !pod.metadata.deletionTimestamp).map((pod) => pod.metadata.name))
  const entries = Object.entries(budget.status?.disruptedPods ?? {})
  return Object.fromEntries(entries.filter(([name, at]) => present.has(name) && timeMs(at) + DISRUPTION_MS > nowMs))
}

function conditions(budget: Budget, isAllowed: boolean, nowMs: number): Condition[] {
  const before = conditionOf(budget.status?.conditions, 'DisruptionAllowed')
  const status = isAllowed ? 'True' : 'False'
  return [
    {
      type: 'DisruptionAllowed',
      status,
      ...(budget.metadata.generation !== undefined && { observedGeneration: budget.metadata.generation }),
      lastTransitionTime: (before?.status === status && before.lastTransitionTime) || timeText(nowMs),
      reason: isAllowed ? 'SufficientPods' : 'InsufficientPods',
      message: '',
    },
  ]
}
