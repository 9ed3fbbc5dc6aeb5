import type { LabelSelector } from '../../../lib/kube/label-selector.ts'
import type { KubeObject } from '../../../lib/kube/object.ts'
import type { WorkloadDecision } from '../decision.ts'
import { conditionOf, isSame, scaledValue, timeMs, timeText } from '../meta.ts'
import { isReadyPod } from '../pods.ts'
import type { Condition, IntOrPercent, Pod } from '../shapes.ts'
import type { Telling, Write } from '../write.ts'

/** A PodDisruptionBudget. */
export type Budget = KubeObject & {
  readonly spec: {
    readonly selector?: LabelSelector
    readonly minAvailable?: IntOrPercent
    readonly maxUnavailable?: IntOrPercent
  }
  readonly status?: {
    readonly disruptedPods?: Readonly<Record<string, string>>
    readonly observedGeneration?: number
    readonly conditions?: readonly Condition[]
    readonly [field: string]: unknown
  }
}

/** What a budget's decision needs. */
export type BudgetSeen = {
  readonly budget: Budget
  /** Matching pods, ended ones too. */
  readonly pods: readonly Pod[]
  /** Replicas that the pods' controllers ask for, or why nobody can say. */
  readonly expected: number | { readonly why: string }
  /** Some of the pods have no controller. */
  readonly hasUnmanaged: boolean
  readonly nowMs: number
}

/** A pod whose eviction was allowed is counted as gone for so long. */
const DISRUPTION_MS = 120_000

/** Pure. Keeps the status by which the API server allows or refuses evictions. */
export function decideBudget(seen: BudgetSeen): WorkloadDecision {
  const { budget, pods, nowMs } = seen
  const { minAvailable, maxUnavailable } = budget.spec
  const isCounted = maxUnavailable !== undefined || typeof minAvailable === 'string'
  // a budget that says neither counts nothing
  const expected = isCounted ? seen.expected : minAvailable === undefined ? 0 : pods.length
  const tells: Write[] = pods.length === 0 ? [tell(budget, 'Normal', 'NoPods', 'No matching pods found')] : []
  if (typeof expected === 'object') return uncountable(budget, expected.why, tells, nowMs)
  if (isCounted && seen.hasUnmanaged) tells.push(tell(budget, 'Warning', 'UnmanagedPods', unmanaged(budget)))
  const desired =
    maxUnavailable !== undefined
      ? Math.max(expected - scaledValue(maxUnavailable, expected, 'up'), 0)
      : scaledValue(minAvailable ?? 0, expected, 'up')
  const { kept: disrupted, overdue } = disruptionsOf(budget, pods, nowMs)
  tells.push(...overdue.map((pod) => tell(pod, 'Warning', 'NotDeleted', notDeleted(budget))))
  const healthy = pods.filter(
    (pod) =>
      isReadyPod(pod) &&
      pod.metadata.deletionTimestamp === undefined &&
      timeMs(disrupted[pod.metadata.name]) + DISRUPTION_MS <= nowMs,
  ).length
  const allowed = expected <= 0 ? 0 : Math.max(healthy - desired, 0)
  const status = {
    ...(Object.keys(disrupted).length > 0 && { disruptedPods: disrupted }),
    disruptionsAllowed: allowed,
    currentHealthy: healthy,
    desiredHealthy: desired,
    expectedPods: expected,
    observedGeneration: budget.metadata.generation,
    conditions: [
      condition(budget, budget.metadata.generation, allowed > 0 ? 'SufficientPods' : 'InsufficientPods', '', nowMs),
    ],
  }
  const againAfterMs = Math.min(...Object.values(disrupted).map((at) => timeMs(at) + DISRUPTION_MS - nowMs))
  return {
    kind: 'done',
    status: [...tells, ...statusWrites(budget, status)],
    ...(Number.isFinite(againAfterMs) && { againAfterMs: Math.max(againAfterMs, 1) }),
  }
}

/** Pods whose eviction was allowed and that are still there; `overdue` those of which it is not expected any more. */
function disruptionsOf(
  budget: Budget,
  pods: readonly Pod[],
  nowMs: number,
): { readonly kept: Readonly<Record<string, string>>; readonly overdue: readonly Pod[] } {
  const allowed = budget.status?.disruptedPods ?? {}
  const isOverdue = ({ metadata: { name } }: Pod): boolean => timeMs(allowed[name]) + DISRUPTION_MS < nowMs
  const present = pods.filter(({ metadata }) => !metadata.deletionTimestamp && allowed[metadata.name] !== undefined)
  const expected = present.filter((pod) => !isOverdue(pod)).map(({ metadata: { name } }) => [name, allowed[name] ?? ''])
  return { kept: Object.fromEntries(expected), overdue: present.filter(isOverdue) }
}

/** The budget allows nothing while nobody can say how many pods there ought to be; only a change of the budget or of its pods can help. */
function uncountable(budget: Budget, why: string, tells: readonly Write[], nowMs: number): WorkloadDecision {
  const message = `Failed to calculate the number of expected pods: ${why}`
  const { currentHealthy = 0, desiredHealthy = 0, expectedPods = 0, ...others } = budget.status ?? {}
  const status = {
    ...others,
    ...{ currentHealthy, desiredHealthy, expectedPods, disruptionsAllowed: 0 },
    conditions: [condition(budget, budget.status?.observedGeneration, 'SyncFailed', why, nowMs)],
  }
  const told = tell(budget, 'Warning', 'CalculateExpectedPodCountFailed', message)
  return { kind: 'done', status: [...tells, told, ...statusWrites(budget, status)] }
}

function statusWrites(budget: Budget, status: object): Write[] {
  return isSame(status, budget.status) ? [] : [{ do: 'replace', object: { ...budget, status }, subresource: 'status' }]
}

function tell(about: KubeObject, type: Telling['type'], reason: string, message: string): Write {
  return { do: 'tell', tell: { about, type, reason, message } }
}

/** The original says the namespace twice, and never the budget's name. */
function notDeleted({ metadata: { namespace = '' } }: Budget): string {
  return `Pod was expected by PDB ${namespace}/${namespace} to be deleted but it wasn't`
}

function unmanaged({ spec: { selector } }: Budget): string {
  const why =
    'As a result, the status of the PDB cannot be calculated correctly, which may result in undefined behavior.'
  const hint = 'To account for these pods please set ".spec.minAvailable" field of the PDB to an integer value.'
  const which = `Pods selected by this PodDisruptionBudget (selector: ${printSelector(selector)})`
  return `${which} were found to be unmanaged. ${why} ${hint}`
}

/** As Go prints one. */
function printSelector({ matchLabels = {}, matchExpressions = [] }: LabelSelector = {}): string {
  const labels = Object.entries(matchLabels).map(([key, value]) => `${key}: ${value},`)
  const rules = matchExpressions.map(
    ({ key, operator, values = [] }) =>
      `LabelSelectorRequirement{Key:${key},Operator:${operator},Values:[${values.join(' ')}],},`,
  )
  return `&LabelSelector{MatchLabels:map[string]string{${labels.sort().join('')}},MatchExpressions:[]LabelSelectorRequirement{${rules.join('')}},}`
}

function condition(
  budget: Budget,
  observedGeneration: number | undefined,
  reason: string,
  message: string,
  nowMs: number,
): Condition {
  const before = conditionOf(budget.status?.conditions, 'DisruptionAllowed')
  const status = reason === 'SufficientPods' ? 'True' : 'False'
  return {
    type: 'DisruptionAllowed',
    status,
    ...(observedGeneration && { observedGeneration }),
    lastTransitionTime: (before?.status === status && before.lastTransitionTime) || timeText(nowMs),
    reason,
    message,
  }
}
