import { addQuantities, type Quantity } from '../../../lib/kube/quantity.ts'
import { milli } from '../scheduler/resources.ts'
import type { Pod } from '../shapes.ts'
import { groupPods, milliValue, requestOf } from './samples.ts'
import type { Autoscaler, AutoscalerSeen, Measurement, MetricSpec } from './shapes.ts'
import { unofferedPrefix } from './unoffered.ts'

/** Replicas that one metric asks for; or why it asks for none: the condition's reason, its message, and how that is told among others. */
export type Recommendation =
  | { readonly reason: string; readonly error: string; readonly summary: string }
  | { readonly replicas: number; readonly current: unknown; readonly subject: string }

/** What is wanted of one resource: a share of what is asked for, or an amount a pod. */
type Wish = {
  readonly resource: string
  readonly container?: string
  readonly target: NonNullable<MetricSpec['resource']>['target']
}

/** How far usage may be from what is wanted, below and above, before anything changes. */
type Tolerances = { readonly down: number; readonly up: number }
type Measured = Extract<Measurement, { pods: unknown }>
/** How many replicas a metric asks for, of how much usage: a pod's average, and per cent of what is asked for. */
type Calculated = { readonly replicas: number; readonly average: number; readonly utilization?: number }

const TOLERANCE = 0.1
const NOT_OF_RESOURCES = 'only metrics of resources are supported here'

/** Pure. What the `at`th metric of the spec asks for. */
export function recommend(seen: AutoscalerSeen, at: number, replicas: number): Recommendation {
  const spec: MetricSpec = seen.autoscaler.spec.metrics?.[at] ?? { type: '' }
  const measured = seen.measured[at] ?? { error: NOT_OF_RESOURCES }
  const wish = wishOf(spec)
  const reason = `FailedGet${spec.type}Metric`
  if (wish === undefined) {
    const error = 'error' in measured ? measured.error : NOT_OF_RESOURCES
    return { reason, error, summary: `${unofferedPrefix(spec)}${error}` }
  }
  const { resource, container, target } = wish
  const isUsage = target.averageValue !== undefined
  const found = 'error' in measured ? measured : calculate(wish, measured, replicas, seen)
  if ('error' in found) {
    const error = `failed to get ${resource} ${isUsage ? 'usage' : 'utilization'}: ${found.error}`
    const subject = container === undefined ? `${resource} resource` : `${container} container`
    return { reason, error, summary: `failed to get ${subject} metric value: ${error}` }
  }
  const averageValue = quantityText(found.average, resource)
  const averageUtilization = found.utilization === undefined ? {} : { averageUtilization: found.utilization }
  const current = { ...averageUtilization, averageValue }
  const kind = container === undefined ? 'resource' : 'container resource'
  return {
    replicas: found.replicas,
    current:
      container === undefined
        ? { type: spec.type, resource: { name: resource, current } }
        : { type: spec.type, containerResource: { name: resource, container, current } },
    subject: isUsage ? `${resource} resource` : `${resource} ${kind} utilization (percentage of request)`,
  }
}

/** The tolerances of an autoscaler, ten per cent where it has none. */
function tolerancesOf({ spec: { behavior } }: Autoscaler): Tolerances {
  const share = (quantity: string | undefined): number => (quantity === undefined ? TOLERANCE : milli(quantity) / 1000)
  return { down: share(behavior?.scaleDown?.tolerance), up: share(behavior?.scaleUp?.tolerance) }
}

function wishOf({ resource, containerResource }: MetricSpec): Wish | undefined {
  if (resource) return { resource: resource.name, target: resource.target }
  if (containerResource)
    return {
      resource: containerResource.name,
      container: containerResource.container,
      target: containerResource.target,
    }
  return undefined
}

function calculate(
  { resource, container, target }: Wish,
  { pods, metrics }: Measured,
  current: number,
  { autoscaler, nowMs }: AutoscalerSeen,
): Calculated | { readonly error: string } {
  if (pods.length === 0) return { error: 'no pods returned by selector while calculating replica count' }
  const { measured, unready, missing } = groupPods(pods, metrics, resource, nowMs)
  if (measured.length === 0) return { error: 'did not receive metrics for targeted pods (pods might be unready)' }
  const scale =
    target.averageValue === undefined
      ? byRequests(pods, target.averageUtilization, resource, container)
      : byAmount(milliValue(target.averageValue))
  if ('error' in scale) return scale

  const usage = new Map(measured.map((pod) => [pod, metrics.get(pod.metadata.name)?.usage ?? 0]))
  const first = scale.ratioOf(usage)
  const result = { average: Math.trunc(sum(usage.values()) / usage.size), ...first.shown }
  const tolerances = tolerancesOf(autoscaler)
  const isGrowing = first.ratio > 1
  const mayGrowWithUnready = unready.length > 0 && isGrowing
  if (!mayGrowWithUnready && missing.length === 0)
    return {
      ...result,
      replicas: isWithin(first.ratio, tolerances) ? current : Math.ceil(first.ratio * measured.length),
    }

  // Growing: those without a number are taken as idle. Shrinking: as busy as they may be.
  if (first.ratio !== 1) for (const pod of missing) usage.set(pod, isGrowing ? 0 : scale.busy(pod))
  if (mayGrowWithUnready) for (const pod of unready) usage.set(pod, 0)
  const { ratio } = scale.ratioOf(usage)
  const replicas = Math.ceil(ratio * usage.size)
  const turnsAround = (first.ratio < 1 && ratio > 1) || (isGrowing && ratio < 1)
  const goesBackwards = (ratio < 1 && replicas > current) || (ratio > 1 && replicas < current)
  return { ...result, replicas: isWithin(ratio, tolerances) || turnsAround || goesBackwards ? current : replicas }
}

/** How usage is compared with what is wanted. */
type Scale = {
  readonly ratioOf: (usage: ReadonlyMap<Pod, number>) => {
    readonly ratio: number
    readonly shown: { readonly utilization?: number }
  }
  /** The usage of a pod that is as busy as it may be. */
  readonly busy: (pod: Pod) => number
}

function byRequests(
  pods: readonly Pod[],
  wanted: number,
  resource: string,
  container: string | undefined,
): Scale | { readonly error: string } {
  const requests = new Map<Pod, number>()
  for (const pod of pods) {
    const request = requestOf(pod, resource, container)
    if (typeof request !== 'number') return request
    requests.set(pod, request)
  }
  const requestBy = (pod: Pod): number => requests.get(pod) ?? 0
  if (sum(requests.values()) === 0) return { error: 'no metrics returned matched known pods' }
  return {
    ratioOf: (usage) => {
      const utilization = Math.trunc((sum(usage.values()) * 100) / sum([...usage.keys()].map(requestBy)))
      return { ratio: utilization / wanted, shown: { utilization } }
    },
    busy: (pod) => Math.trunc((requestBy(pod) * Math.max(100, wanted)) / 100),
  }
}

function byAmount(wanted: number): Scale {
  return {
    ratioOf: (usage) => ({ ratio: Math.trunc(sum(usage.values()) / usage.size) / wanted, shown: {} }),
    busy: () => wanted,
  }
}

function isWithin(ratio: number, { down, up }: Tolerances): boolean {
  return 1 - down <= ratio && ratio <= 1 + up
}

/** Thousandths as the API writes them: memory by powers of 1024. */
function quantityText(thousandths: number, resource: string): string {
  const zero: Quantity = { nano: 0n, format: 'decimal', text: '0' }
  const format = resource === 'memory' ? 'binary' : 'decimal'
  return addQuantities({ nano: BigInt(thousandths) * 1_000_000n, format, text: '' }, zero).text
}

function sum(values: Iterable<number>): number {
  let total = 0
  for (const value of values) total += value
  return total
}
