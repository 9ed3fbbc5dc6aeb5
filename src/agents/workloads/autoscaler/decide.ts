import { conditionOf, isSame, timeText } from '../meta.ts'
import type { Condition } from '../shapes.ts'
import type { Telling } from '../write.ts'
import { limit, minReplicas } from './limit.ts'
import { recommend, type Recommendation } from './recommend.ts'
import type { Autoscaler, AutoscalerSeen, AutoscalerStatus, Selection } from './shapes.ts'

/** What an autoscaler does now: the size to set, the status to show, what to tell. */
export type AutoscalerPlan = {
  readonly resizeTo?: number
  /** What the metrics asked for, remembered for stabilisation. */
  readonly recommendation?: number
  readonly status: AutoscalerStatus
  readonly tell: readonly Omit<Telling, 'about'>[]
}

type Failed = Extract<Recommendation, { error: string }>
type Found = Exclude<Recommendation, Failed>

const GOT_SCALE = "the HPA controller was able to get the target's current scale"

/** Pure. One look of a HorizontalPodAutoscaler at its target: bounds first, then metrics, and the truth when there are none. */
export function decideAutoscaler(seen: AutoscalerSeen): AutoscalerPlan {
  const { autoscaler, scale } = seen
  if ('error' in scale) {
    const message = `the HPA controller was unable to get the target's current scale: ${scale.error}`
    const status = withConditions(seen, autoscaler.status ?? {}, [say('AbleToScale', false, 'FailedGetScale', message)])
    return { status, tell: [warning('FailedGetScale', scale.error)] }
  }
  const { replicas } = scale
  if (replicas === 0 && !mayLeaveZero(autoscaler)) {
    const message = 'scaling is disabled since the replica count of the target is zero'
    const conditions = [gotScale(), say('ScalingActive', false, 'ScalingDisabled', message)]
    return { status: statusOf(seen, { currentReplicas: 0, desiredReplicas: 0 }, conditions), tell: [] }
  }
  if (replicas > autoscaler.spec.maxReplicas)
    return rescale(seen, replicas, autoscaler.spec.maxReplicas, 'Current number of replicas above Spec.MaxReplicas')
  if (replicas > 0 && replicas < minReplicas(autoscaler))
    return rescale(seen, replicas, minReplicas(autoscaler), 'Current number of replicas below Spec.MinReplicas')
  return unselected(seen, replicas, scale.selection) ?? byMetrics(seen, replicas)
}

/** Who was made nothing by an autoscaler is woken by it; who was made nothing by hand is left alone. */
function mayLeaveZero(autoscaler: Autoscaler): boolean {
  const wasScaledToZero = conditionOf(autoscaler.status?.conditions, 'ScaledToZero')?.status === 'True'
  const follows = (autoscaler.spec.metrics ?? []).some(({ type }) => type === 'Object' || type === 'External')
  return wasScaledToZero && (minReplicas(autoscaler) !== 0 || follows)
}

/** Nothing is measured where it is not clear whose pods these are. */
function unselected(seen: AutoscalerSeen, replicas: number, selection: Selection): AutoscalerPlan | undefined {
  const fault = selectionFault(seen.autoscaler, selection)
  if (fault === undefined) return undefined
  const { reason, error, message = error } = fault
  return inactive(seen, replicas, say('ScalingActive', false, reason, message), null, [
    warning(fault.told ?? reason, error),
    warning('FailedComputeMetricsReplicas', error),
  ])
}

type Fault = { readonly reason: string; readonly error: string; readonly message?: string; readonly told?: string }

function selectionFault({ metadata: { namespace } }: Autoscaler, selection: Selection): Fault | undefined {
  const { selector } = selection
  if (selector === '') {
    const message = "the HPA target's scale is missing a selector"
    return { reason: 'InvalidSelector', error: 'selector is required', message, told: 'SelectorRequired' }
  }
  if ('error' in selection) {
    const error = `couldn't convert selector into a corresponding internal selector object: ${selection.error}`
    return { reason: 'InvalidSelector', error }
  }
  if (selection.rivals.length < 2) return undefined
  const rivals = selection.rivals.slice(0, 2).map((name) => `${namespace}/${name}`)
  const error = `pods by selector ${selector} are controlled by more than one HPA (e.g. [${rivals.join(' ')}])`
  return { reason: 'AmbiguousSelector', error }
}

function inactive(
  seen: AutoscalerSeen,
  replicas: number,
  condition: Condition,
  currentMetrics: readonly unknown[] | null,
  tell: AutoscalerPlan['tell'],
): AutoscalerPlan {
  const { desiredReplicas = 0 } = seen.autoscaler.status ?? {}
  const fields = { currentReplicas: replicas, desiredReplicas, currentMetrics }
  return { status: statusOf(seen, fields, [gotScale(), condition]), tell }
}

function byMetrics(seen: AutoscalerSeen, replicas: number): AutoscalerPlan {
  const all = (seen.autoscaler.spec.metrics ?? []).map((_, at) => recommend(seen, at, replicas))
  const failed = all.filter((one): one is Failed => 'error' in one)
  const found = all.filter((one): one is Found => 'replicas' in one)
  const tell = failed.map(({ reason, error }) => warning(reason, error))
  const currentMetrics = all.map((one) => ('error' in one ? { type: '' } : one.current))
  const best = found.reduce<Found | undefined>(
    (most, one) => (most && most.replicas > 0 && most.replicas >= one.replicas ? most : one),
    undefined,
  )
  const [first] = failed
  // One broken metric may not shrink the target.
  if (best === undefined || (first && best.replicas < replicas)) {
    const { reason, error, summary } = first ?? NO_METRICS
    const message = `the HPA was unable to compute the replica count: ${error}`
    const count = `${failed.length} invalid out of ${all.length}`
    const invalid = `invalid metrics (${count}), first error is: ${summary}`
    return inactive(seen, replicas, say('ScalingActive', false, reason, message), currentMetrics, [
      ...tell,
      warning('FailedComputeMetricsReplicas', invalid),
    ])
  }
  return within(seen, replicas, best, currentMetrics, tell)
}

/** What is said where a spec has no metrics at all, which the API does not let through. */
const NO_METRICS: Failed = { reason: 'InvalidMetricSourceType', error: 'no metrics', summary: 'no metrics' }

function within(
  seen: AutoscalerSeen,
  current: number,
  best: Found,
  currentMetrics: readonly unknown[],
  tell: AutoscalerPlan['tell'],
): AutoscalerPlan {
  const { replicas: paced, able, limited } = limit(seen, best.replicas, current)
  // who is woken is given its least at once
  const replicas = current === 0 ? Math.max(paced, minReplicas(seen.autoscaler)) : paced
  const message = `the HPA was able to successfully calculate a replica count from ${best.subject}`
  const conditions = [
    say('AbleToScale', true, able.reason, able.message),
    say('ScalingActive', true, 'ValidMetricFound', message),
    say('ScalingLimited', limited.isLimited, limited.reason, limited.message),
  ]
  const recommendation = best.replicas
  if (replicas === current) {
    const fields = { currentReplicas: current, desiredReplicas: current, currentMetrics }
    return { recommendation, status: statusOf(seen, fields, conditions), tell }
  }
  const woken = current === 0 && paced < replicas ? 'Current number of replicas below Spec.MinReplicas' : ''
  const reason =
    best.replicas > current
      ? `${best.subject} above target`
      : best.replicas < current
        ? 'All metrics below target'
        : woken
  const plan = rescale(seen, current, replicas, reason, conditions, currentMetrics)
  return { ...plan, recommendation, tell: [...tell, ...plan.tell] }
}

function rescale(
  seen: AutoscalerSeen,
  current: number,
  to: number,
  reason: string,
  conditions: readonly Condition[] = [],
  currentMetrics?: readonly unknown[],
): AutoscalerPlan {
  const fields: AutoscalerStatus = {
    currentReplicas: current,
    desiredReplicas: to,
    lastScaleTime: timeText(seen.nowMs),
    ...(currentMetrics && { currentMetrics }),
  }
  const scaled = [
    say('AbleToScale', true, 'SucceededRescale', `the HPA controller was able to update the target scale to ${to}`),
    say('ScaledToZero', false, 'NotScaledToZero', 'the HPA controller did not scale the workload to zero'),
  ]
  return {
    resizeTo: to,
    status: statusOf(seen, fields, [...conditions.filter(({ type }) => type !== 'AbleToScale'), ...scaled]),
    tell: [{ type: 'Normal', reason: 'SuccessfulRescale', message: `New size: ${to}; reason: ${reason}` }],
  }
}

/** Pure. What is shown and told instead where the target could not be resized. */
export function afterFailedRescale(
  seen: AutoscalerSeen,
  { status, tell }: AutoscalerPlan,
  error: string,
): AutoscalerPlan {
  const message = `the HPA controller was unable to update the target scale: ${error}`
  const { lastScaleTime, desiredReplicas = 0 } = seen.autoscaler.status ?? {}
  const { lastScaleTime: _, conditions = [], ...rest } = status
  const fields = { ...rest, desiredReplicas, ...(lastScaleTime !== undefined && { lastScaleTime }) }
  const others = conditions.filter(({ type }) => type === 'ScalingActive' || type === 'ScalingLimited')
  return {
    status: withConditions(seen, fields, [say('AbleToScale', false, 'FailedUpdateScale', message), ...others]),
    tell: tell.map((telling) =>
      telling.reason === 'SuccessfulRescale'
        ? warning('FailedRescale', `${telling.message}; error: ${error}`)
        : telling,
    ),
  }
}

function statusOf(seen: AutoscalerSeen, fields: AutoscalerStatus, conditions: readonly Condition[]): AutoscalerStatus {
  const { generation } = seen.autoscaler.metadata
  const { lastScaleTime } = seen.autoscaler.status ?? {}
  return withConditions(
    seen,
    {
      ...(generation !== undefined && { observedGeneration: generation }),
      ...(lastScaleTime !== undefined && { lastScaleTime }),
      ...fields,
    },
    conditions,
  )
}

function withConditions(
  { autoscaler, nowMs }: AutoscalerSeen,
  { currentReplicas = 0, desiredReplicas = 0, currentMetrics = null, ...rest }: AutoscalerStatus,
  conditions: readonly Condition[],
): AutoscalerStatus {
  const before = autoscaler.status?.conditions ?? []
  const set = conditions.map(({ type, status, reason, message }): Condition => {
    const old = before.find((condition) => condition.type === type)
    const lastTransitionTime = (old?.status === status && old.lastTransitionTime) || timeText(nowMs)
    return { type, status, lastTransitionTime, reason, message }
  })
  // what is told stays in its place, what is new comes behind it
  const kept = before.map((old) => set.find(({ type }) => type === old.type) ?? old)
  const added = set.filter(({ type }) => !before.some((old) => old.type === type))
  return { ...rest, currentReplicas, desiredReplicas, currentMetrics, conditions: [...kept, ...inOrder(added)] }
}

/** The same status, but for times that did not change: then nothing is written. */
export function isSameStatus(autoscaler: Autoscaler, status: AutoscalerStatus): boolean {
  const { currentMetrics: before, ...rest } = autoscaler.status ?? {}
  const { currentMetrics: after, ...wanted } = status
  return isSame({ currentReplicas: 0, ...rest }, wanted) && isSame(before ?? [], after ?? [])
}

const ORDER = ['AbleToScale', 'ScalingActive', 'ScalingLimited', 'ScaledToZero']

function inOrder(conditions: readonly Condition[]): Condition[] {
  return [...conditions].sort((a, b) => ORDER.indexOf(a.type) - ORDER.indexOf(b.type))
}

function gotScale(): Condition {
  return say('AbleToScale', true, 'SucceededGetScale', GOT_SCALE)
}

function say(type: string, isTrue: boolean, reason: string, message: string): Condition {
  return { type, status: isTrue ? 'True' : 'False', reason, message }
}

function warning(reason: string, message: string): AutoscalerPlan['tell'][number] {
  return { type: 'Warning', reason, message }
}
