import { isSame, timeText } from '../meta.ts'
import type { Condition } from '../shapes.ts'
import { limited, minReplicas, recommend, type Recommendation } from './recommend.ts'
import type { Autoscaler, AutoscalerSeen, AutoscalerStatus } from './shapes.ts'

/** What an autoscaler does now: the size to set, the status to show, what to tell. */
export type AutoscalerPlan = {
  readonly resizeTo?: number
  /** What the metrics asked for, remembered for stabilisation. */
  readonly recommendation?: number
  readonly status: AutoscalerStatus
  readonly tell?: { readonly type: 'Normal' | 'Warning'; readonly reason: string; readonly message: string }
}

const GOT_SCALE = "the HPA controller was able to get the target's current scale"

/** Pure. One look of a HorizontalPodAutoscaler at its target: bounds first, then metrics, and the truth when there are none. */
export function decideAutoscaler(seen: AutoscalerSeen): AutoscalerPlan {
  const { autoscaler, scale } = seen
  if ('error' in scale) {
    const message = `the HPA controller was unable to get the target's current scale: ${scale.error}`
    return {
      status: statusOf(seen, {}, [say('AbleToScale', false, 'FailedGetScale', message)]),
      tell: { type: 'Warning', reason: 'FailedGetScale', message: scale.error },
    }
  }
  const ableToScale = say('AbleToScale', true, 'SucceededGetScale', GOT_SCALE)
  const { replicas } = scale
  if (replicas === 0) {
    const message = 'scaling is disabled since the replica count of the target is zero'
    const disabled = say('ScalingActive', false, 'ScalingDisabled', message)
    return { status: statusOf(seen, { currentReplicas: scale.current, desiredReplicas: 0 }, [ableToScale, disabled]) }
  }
  if (replicas > autoscaler.spec.maxReplicas)
    return rescale(seen, autoscaler.spec.maxReplicas, 'Current number of replicas above Spec.MaxReplicas', [])
  if (replicas < minReplicas(autoscaler))
    return rescale(seen, minReplicas(autoscaler), 'Current number of replicas below Spec.MinReplicas', [])
  return byMetrics(seen, scale, ableToScale)
}

function byMetrics(
  seen: AutoscalerSeen,
  scale: { readonly replicas: number; readonly current: number },
  ableToScale: Condition,
): AutoscalerPlan {
  const specs = seen.autoscaler.spec.metrics ?? []
  const found = specs.map((spec, at) => recommend(spec, seen.measured[at] ?? { error: 'not measured' }, scale.replicas))
  const good = found.filter((one): one is Extract<Recommendation, { replicas: number }> => 'replicas' in one)
  const best = [...good].sort((a, b) => b.replicas - a.replicas)[0]
  const failed = found.find((one) => 'error' in one)
  // One broken metric may not shrink the target.
  if (!best || (failed && best.replicas < scale.replicas)) return noMetrics(seen, scale, failed, ableToScale)

  const { replicas, stabilized, limit } = limited(seen, best.replicas, scale.replicas)
  const active = say(
    'ScalingActive',
    true,
    'ValidMetricFound',
    `the HPA was able to successfully calculate a replica count from ${best.subject}`,
  )
  const conditions = [active, limitCondition(limit)]
  const currentMetrics = good.map(({ current }) => current)
  const plan =
    replicas === scale.replicas
      ? { status: statusOf(seen, counts(scale, replicas, currentMetrics), [steady(stabilized), ...conditions]) }
      : rescale(
          seen,
          replicas,
          replicas > scale.replicas ? `${best.subject} above target` : 'All metrics below target',
          conditions,
          currentMetrics,
        )
  return { ...plan, recommendation: best.replicas }
}

function noMetrics(
  seen: AutoscalerSeen,
  scale: { readonly replicas: number; readonly current: number },
  failed: Recommendation | undefined,
  ableToScale: Condition,
): AutoscalerPlan {
  const error = failed && 'error' in failed ? failed.error : 'no metrics are configured'
  const message = `the HPA was unable to compute the replica count: ${error}`
  const inactive = say('ScalingActive', false, 'FailedGetResourceMetric', message)
  const before = seen.autoscaler.status?.desiredReplicas ?? 0
  const blank = (seen.autoscaler.spec.metrics ?? []).map(() => ({ type: '' }))
  return {
    status: statusOf(seen, counts(scale, before, blank), [ableToScale, inactive]),
    tell: { type: 'Warning', reason: 'FailedGetResourceMetric', message: error },
  }
}

function rescale(
  seen: AutoscalerSeen,
  to: number,
  reason: string,
  conditions: readonly Condition[],
  currentMetrics?: readonly unknown[],
): AutoscalerPlan {
  const current = 'error' in seen.scale ? 0 : seen.scale.current
  const message = `the HPA controller was able to update the target scale to ${to}`
  const fields: AutoscalerStatus = {
    currentReplicas: current,
    desiredReplicas: to,
    lastScaleTime: timeText(seen.nowMs),
    ...(currentMetrics && { currentMetrics }),
  }
  return {
    resizeTo: to,
    status: statusOf(seen, fields, [say('AbleToScale', true, 'SucceededRescale', message), ...conditions]),
    tell: { type: 'Normal', reason: 'SuccessfulRescale', message: `New size: ${to}; reason: ${reason}` },
  }
}

function counts(
  scale: { readonly current: number },
  desired: number,
  currentMetrics: readonly unknown[],
): AutoscalerStatus {
  return { currentReplicas: scale.current, desiredReplicas: desired, currentMetrics }
}

function statusOf(seen: AutoscalerSeen, fields: AutoscalerStatus, conditions: readonly Condition[]): AutoscalerStatus {
  const { autoscaler, nowMs } = seen
  const before = autoscaler.status?.conditions ?? []
  const set = conditions.map((condition) => {
    const old = before.find(({ type }) => type === condition.type)
    const lastTransitionTime = (old?.status === condition.status && old.lastTransitionTime) || timeText(nowMs)
    return {
      type: condition.type,
      status: condition.status,
      lastTransitionTime,
      reason: condition.reason,
      message: condition.message,
    }
  })
  const merged = before.filter(({ type }) => !set.some((condition) => condition.type === type))
  const { lastScaleTime } = autoscaler.status ?? {}
  const { currentReplicas = 0, desiredReplicas = 0, currentMetrics = null } = fields
  return {
    ...(lastScaleTime !== undefined && { lastScaleTime }),
    ...fields,
    currentReplicas,
    desiredReplicas,
    currentMetrics,
    conditions: inOrder([...merged, ...set] as Condition[]),
  }
}

/** The same status, but for times that did not change: then nothing is written. */
export function isSameStatus(autoscaler: Autoscaler, status: AutoscalerStatus): boolean {
  const { currentMetrics: before, ...rest } = autoscaler.status ?? {}
  const { currentMetrics: after, ...wanted } = status
  return isSame({ currentReplicas: 0, ...rest }, wanted) && isSame(before ?? [], after ?? [])
}

const ORDER = ['AbleToScale', 'ScalingActive', 'ScalingLimited']

function inOrder(conditions: readonly Condition[]): Condition[] {
  return [...conditions].sort((a, b) => ORDER.indexOf(a.type) - ORDER.indexOf(b.type))
}

function limitCondition(limit: 'TooManyReplicas' | 'TooFewReplicas' | undefined): Condition {
  switch (limit) {
    case 'TooManyReplicas':
      return say('ScalingLimited', true, limit, 'the desired replica count is more than the maximum replica count')
    case 'TooFewReplicas':
      return say('ScalingLimited', true, limit, 'the desired replica count is less than the minimum replica count')
    case undefined:
      return say('ScalingLimited', false, 'DesiredWithinRange', 'the desired count is within the acceptable range')
  }
}

function steady(isStabilized: boolean): Condition {
  return isStabilized
    ? say(
        'AbleToScale',
        true,
        'ScaleDownStabilized',
        'recent recommendations were higher than current one, applying the highest recent recommendation',
      )
    : say('AbleToScale', true, 'ReadyForNewScale', 'recommended size matches current size')
}

function say(type: string, isTrue: boolean, reason: string, message: string): Condition {
  return { type, status: isTrue ? 'True' : 'False', reason, message }
}
