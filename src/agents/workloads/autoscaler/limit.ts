import type { Autoscaler, AutoscalerSeen, ScalingRules } from './shapes.ts'

/** A size within its limits, and what the conditions `AbleToScale` and `ScalingLimited` say of it. */
export type Limited = {
  readonly replicas: number
  readonly able: Words
  readonly limited: Words & { readonly isLimited: boolean }
}

/** A condition's reason and message. */
export type Words = { readonly reason: string; readonly message: string }

type Bounds = { readonly min: number; readonly max: number }
type Rules = Required<Omit<ScalingRules, 'tolerance'>>

const STABILIZATION_S = 300
const UP: Rules = {
  stabilizationWindowSeconds: 0,
  selectPolicy: 'Max',
  policies: [
    { type: 'Percent', value: 100, periodSeconds: 15 },
    { type: 'Pods', value: 4, periodSeconds: 15 },
  ],
}
const DOWN: Rules = {
  stabilizationWindowSeconds: STABILIZATION_S,
  selectPolicy: 'Max',
  policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }],
}
const WITHIN: Words = { reason: 'DesiredWithinRange', message: 'the desired count is within the acceptable range' }
const TOO_MANY: Words = {
  reason: 'TooManyReplicas',
  message: 'the desired replica count is more than the maximum replica count',
}
const TOO_FEW: Words = {
  reason: 'TooFewReplicas',
  message: 'the desired replica count is less than the minimum replica count',
}
const TOO_FAST_UP: Words = {
  reason: 'ScaleUpLimit',
  message: 'the desired replica count is increasing faster than the maximum scale rate',
}
const TOO_FAST_DOWN: Words = {
  reason: 'ScaleDownLimit',
  message: 'the desired replica count is decreasing faster than the maximum scale rate',
}
const READY: Words = { reason: 'ReadyForNewScale', message: 'recommended size matches current size' }
const STABLE_DOWN: Words = {
  reason: 'ScaleDownStabilized',
  message: 'recent recommendations were higher than current one, applying the highest recent recommendation',
}
const STABLE_UP: Words = {
  reason: 'ScaleUpStabilized',
  message: 'recent recommendations were lower than current one, applying the lowest recent recommendation',
}

/** The least replicas of an autoscaler. */
export function minReplicas({ spec }: Autoscaler): number {
  return spec.minReplicas ?? 1
}

/**
 * Pure. The size that metrics want, after stabilisation, rates and bounds.
 *
 * @see https://github.com/kubernetes/kubernetes/blob/v1.37.2/pkg/controller/podautoscaler/horizontal.go
 */
export function limit(seen: AutoscalerSeen, wanted: number, current: number): Limited {
  const { autoscaler } = seen
  const bounds = { min: minReplicas(autoscaler), max: autoscaler.spec.maxReplicas }
  const hasRules = autoscaler.spec.behavior !== undefined
  const calm = hasRules ? stabilizeByRules(seen, wanted, current) : Math.max(wanted, ...recent(seen, STABILIZATION_S))
  const steady = hasRules && wanted >= current ? STABLE_UP : STABLE_DOWN
  const { replicas, words } = hasRules ? paceByRules(seen, calm, current, bounds) : pace(calm, current, bounds)
  return { replicas, able: calm === wanted ? READY : steady, limited: { ...words, isLimited: replicas !== calm } }
}

/** What was recommended in the last seconds. */
function recent({ recommended, nowMs }: AutoscalerSeen, seconds: number): number[] {
  return recommended.filter(({ atMs }) => atMs > nowMs - seconds * 1000).map(({ replicas }) => replicas)
}

function stabilizeByRules(seen: AutoscalerSeen, wanted: number, current: number): number {
  const { up, down } = rulesOf(seen.autoscaler)
  const lowest = Math.min(wanted, ...recent(seen, up.stabilizationWindowSeconds))
  const highest = Math.max(wanted, ...recent(seen, down.stabilizationWindowSeconds))
  return Math.min(Math.max(current, lowest), highest)
}

type Paced = { readonly replicas: number; readonly words: Words }

/** Without rules of its own a target at most doubles, or grows to four. */
function pace(wanted: number, current: number, { min, max }: Bounds): Paced {
  const fastest = Math.max(2 * current, 4)
  if (wanted < min) return { replicas: min, words: TOO_FEW }
  if (wanted > Math.min(max, fastest))
    return max > fastest ? { replicas: fastest, words: TOO_FAST_UP } : { replicas: max, words: TOO_MANY }
  return { replicas: wanted, words: WITHIN }
}

function paceByRules(seen: AutoscalerSeen, wanted: number, current: number, { min, max }: Bounds): Paced {
  const { up, down } = rulesOf(seen.autoscaler)
  if (wanted > current) {
    const fastest = Math.max(current, rateLimit(seen, up, current, 1))
    const most = Math.min(max, fastest)
    if (wanted > most) return { replicas: most, words: max > fastest ? TOO_FAST_UP : TOO_MANY }
  } else if (wanted < current) {
    const fastest = Math.min(current, rateLimit(seen, down, current, -1))
    const least = Math.max(min, fastest)
    if (wanted < least) return { replicas: least, words: min < fastest ? TOO_FAST_DOWN : TOO_FEW }
  }
  return { replicas: wanted, words: WITHIN }
}

/** The size that the policies of one direction allow, counted from the size at the start of each one's period. */
function rateLimit({ scaled, nowMs }: AutoscalerSeen, rules: Rules, current: number, sign: 1 | -1): number {
  if (rules.selectPolicy === 'Disabled') return current
  const limits = rules.policies.map(({ type, value, periodSeconds }) => {
    const lately = scaled.filter(({ atMs }) => atMs > nowMs - periodSeconds * 1000)
    const before = lately.reduce((size, { change }) => size - change, current)
    if (type === 'Pods') return before + sign * value
    return sign > 0 ? Math.ceil(before * (1 + value / 100)) : Math.trunc(before * (1 - value / 100))
  })
  const isWidest = rules.selectPolicy !== 'Min'
  return sign > 0 === isWidest ? Math.max(...limits) : Math.min(...limits)
}

function rulesOf({ spec }: Autoscaler): { readonly up: Rules; readonly down: Rules } {
  return { up: { ...UP, ...spec.behavior?.scaleUp }, down: { ...DOWN, ...spec.behavior?.scaleDown } }
}
