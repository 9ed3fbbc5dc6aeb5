import { milli } from '../scheduler/resources.ts'
import type { Autoscaler, AutoscalerSeen, Measurement, MetricSpec, ScalingRules } from './shapes.ts'

/** Replicas that one metric asks for. */
export type Recommendation =
  { readonly error: string } | { readonly replicas: number; readonly current: unknown; readonly subject: string }

const TOLERANCE = 0.1
const DEFAULT_UP: ScalingRules = {
  stabilizationWindowSeconds: 0,
  selectPolicy: 'Max',
  policies: [
    { type: 'Percent', value: 100, periodSeconds: 15 },
    { type: 'Pods', value: 4, periodSeconds: 15 },
  ],
}
const DEFAULT_DOWN: ScalingRules = {
  stabilizationWindowSeconds: 300,
  selectPolicy: 'Max',
  policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }],
}

/** What a metric asks for: `ceil(pods * used / wanted)`, unchanged within 10 %, cautious about pods that are not ready or not measured. */
export function recommend(spec: MetricSpec, measured: Measurement, current: number): Recommendation {
  if ('error' in measured) return measured
  const target = spec.resource?.target
  const name = spec.resource?.name ?? ''
  const isUtilization = target?.type === 'Utilization'
  const wantedOf = (pod: { readonly request: number }): number =>
    isUtilization ? (pod.request * (target?.averageUtilization ?? 80)) / 100 : milli(target?.averageValue ?? '0')
  const ready = measured.pods.filter((pod) => pod.usage !== undefined && pod.isReady)
  if (ready.length === 0)
    return { error: `unable to get metrics for resource ${name}: no metrics returned from resource metrics API` }
  if (isUtilization && ready.some((pod) => pod.request === 0))
    return { error: `failed to get ${name} utilization: missing request for ${name}` }

  const used = sum(ready.map((pod) => pod.usage ?? 0))
  const ratio = used / sum(ready.map(wantedOf))
  const others = measured.pods.filter((pod) => !ready.includes(pod))
  const unmeasured = others.filter((pod) => pod.usage === undefined)
  // Growing: those without a number are taken as idle. Shrinking: as busy as wanted.
  const counted = ratio > 1 ? [...ready, ...others] : [...ready, ...unmeasured]
  const assumed = ratio > 1 ? used : used + sum(unmeasured.map(wantedOf))
  const careful = counted.length === ready.length ? ratio : assumed / sum(counted.map(wantedOf))
  const isWithin = Math.abs(careful - 1) <= TOLERANCE || Math.abs(ratio - 1) <= TOLERANCE || ratio > 1 !== careful > 1
  const average = Math.round(used / ready.length)
  const utilization = Math.round((used * 100) / Math.max(sum(ready.map((pod) => pod.request)), 1))
  const value = `${average}m`
  return {
    replicas: isWithin ? current : Math.ceil(careful * counted.length),
    current: {
      type: 'Resource',
      resource: { name, current: { averageValue: value, ...(isUtilization && { averageUtilization: utilization }) } },
    },
    subject: isUtilization ? `${name} resource utilization (percentage of request)` : `${name} resource`,
  }
}

/** The size after stabilisation, policies and bounds, with the reason that limits it. */
export function limited(
  seen: AutoscalerSeen,
  wanted: number,
  current: number,
): {
  readonly replicas: number
  readonly stabilized: boolean
  readonly limit: 'TooManyReplicas' | 'TooFewReplicas' | undefined
} {
  const { spec } = seen.autoscaler
  const calm = stabilize(seen, wanted, current)
  const paced = pace(seen, calm, current)
  const replicas = Math.min(Math.max(paced, minReplicas(seen.autoscaler)), spec.maxReplicas)
  const limit =
    paced > spec.maxReplicas ? 'TooManyReplicas' : paced < minReplicas(seen.autoscaler) ? 'TooFewReplicas' : undefined
  return { replicas, stabilized: calm !== wanted, limit }
}

/** The least replicas of an autoscaler. */
export function minReplicas({ spec }: Autoscaler): number {
  return spec.minReplicas ?? 1
}

function stabilize({ autoscaler, recommended, nowMs }: AutoscalerSeen, wanted: number, current: number): number {
  const { up, down } = rulesOf(autoscaler)
  const within = (rules: ScalingRules): number[] =>
    recommended
      .filter(({ atMs }) => atMs >= nowMs - (rules.stabilizationWindowSeconds ?? 0) * 1000)
      .map(({ replicas }) => replicas)
  const lowest = Math.min(wanted, ...within(up))
  const highest = Math.max(wanted, ...within(down))
  if (current < lowest) return lowest
  return current > highest ? highest : current
}

function pace({ autoscaler, scaled, nowMs }: AutoscalerSeen, wanted: number, current: number): number {
  if (wanted === current) return wanted
  const isUp = wanted > current
  const rules = isUp ? rulesOf(autoscaler).up : rulesOf(autoscaler).down
  if (rules.selectPolicy === 'Disabled') return current
  const sign = isUp ? 1 : -1
  const limits = (rules.policies ?? []).map(({ type, value, periodSeconds }) => {
    const lately = scaled.filter(({ atMs, change }) => atMs >= nowMs - periodSeconds * 1000 && change * sign > 0)
    const before = current - sum(lately.map(({ change }) => change))
    if (type === 'Pods') return before + sign * value
    return isUp ? Math.ceil(before * (1 + value / 100)) : Math.floor(before * (1 - value / 100))
  })
  const isWidest = rules.selectPolicy !== 'Min'
  const limit = isUp === isWidest ? Math.max(...limits) : Math.min(...limits)
  return isUp ? Math.min(wanted, limit) : Math.max(wanted, limit)
}

function rulesOf({ spec }: Autoscaler): { readonly up: ScalingRules; readonly down: ScalingRules } {
  return { up: { ...DEFAULT_UP, ...spec.behavior?.scaleUp }, down: { ...DEFAULT_DOWN, ...spec.behavior?.scaleDown } }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
