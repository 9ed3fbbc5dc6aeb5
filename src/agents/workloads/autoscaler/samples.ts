import { parseDurationMs } from '../../../kinds/duration.ts'
import { asJson, objectOf } from '../../../lib/kube/json.ts'
import { podResources } from '../../../lib/kube/quota.ts'
import { conditionOf, timeMs } from '../meta.ts'
import { milli } from '../scheduler/resources.ts'
import type { Pod } from '../shapes.ts'
import type { PodMetric } from './shapes.ts'

/** What metrics.k8s.io answers of pods. */
export type PodMetricsList = {
  readonly items?: readonly {
    readonly metadata: { readonly name: string }
    readonly timestamp: string
    readonly window: string
    readonly containers?: readonly { readonly name: string; readonly usage?: Readonly<Record<string, string>> }[]
  }[]
}

/** Pure. What was measured of each pod, of all its containers or one; a pod that lacks a number is left out. */
export function metricsByPod(
  items: NonNullable<PodMetricsList['items']>,
  resource: string,
  container: string | undefined,
): Map<string, PodMetric> {
  const found = new Map<string, PodMetric>()
  for (const { metadata, timestamp, window, containers = [] } of items) {
    const chosen = container === undefined ? containers : containers.filter(({ name }) => name === container)
    const usages = chosen.map(({ usage }) => usage?.[resource])
    if (usages.length === 0 || usages.includes(undefined)) continue
    const usage = usages.reduce<number>((sum, each = '0') => sum + milliValue(each), 0)
    found.set(metadata.name, { usage, atMs: timeMs(timestamp), windowMs: parseDurationMs(window) ?? 0 })
  }
  return found
}

/** The target's pods in three groups: measured, too young to be believed, and not measured at all. */
export type Groups = {
  readonly measured: readonly Pod[]
  readonly unready: readonly Pod[]
  readonly missing: readonly Pod[]
}

/** For so long after its start the processor time of a pod may be that of its start. */
const INITIALIZATION_MS = 300_000
/** Who turned not ready within so long of its start, and still is, has never been ready. */
const FIRST_READINESS_MS = 30_000

/**
 * Pure. Groups pods as the original does: those that leave or have failed count nowhere; the processor time of a pod's first five minutes counts only
 * once a whole window was measured since it became ready.
 *
 * @see https://github.com/kubernetes/kubernetes/blob/v1.37.2/pkg/controller/podautoscaler/replica_calculator.go
 */
export function groupPods(
  pods: readonly Pod[],
  metrics: ReadonlyMap<string, PodMetric>,
  resource: string,
  nowMs: number,
): Groups {
  const groups = { measured: new Array<Pod>(), unready: new Array<Pod>(), missing: new Array<Pod>() }
  for (const pod of pods) {
    if (pod.metadata.deletionTimestamp !== undefined || pod.status?.phase === 'Failed') continue
    const metric = metrics.get(pod.metadata.name)
    if (pod.status?.phase === 'Pending') groups.unready.push(pod)
    else if (metric === undefined) groups.missing.push(pod)
    else if (resource === 'cpu' && isStarting(pod, metric, nowMs)) groups.unready.push(pod)
    else groups.measured.push(pod)
  }
  return groups
}

function isStarting({ status }: Pod, metric: PodMetric, nowMs: number): boolean {
  const ready = conditionOf(status?.conditions, 'Ready')
  if (ready === undefined || status?.startTime === undefined) return true
  const [startedMs, turnedMs] = [timeMs(status.startTime), timeMs(ready.lastTransitionTime)]
  if (startedMs + INITIALIZATION_MS > nowMs) return ready.status === 'False' || metric.atMs < turnedMs + metric.windowMs
  return ready.status === 'False' && startedMs + FIRST_READINESS_MS > turnedMs
}

/**
 * What a pod asks for of a resource, in thousandths: as a whole where it says so, else in the containers that run on, or in one of them. The error, in the
 * original's words, where it does not say.
 */
export function requestOf({ metadata, spec }: Pod, resource: string, container?: string): number | { error: string } {
  if (container === undefined && Object.keys(spec.resources?.requests ?? {}).length > 0) {
    const asked = podResources(objectOf(asJson({ spec }))).requests.get(resource)
    if (asked === undefined) return { error: `missing pod-level request for ${resource} in Pod ${metadata.name}` }
    return milliValue(asked.text)
  }
  const sidecars = (spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always')
  const running = [...spec.containers, ...sidecars]
  const chosen = container === undefined ? running : running.filter(({ name }) => name === container)
  if (chosen.length === 0) return { error: `container ${container} not found in Pod ${metadata.name}` }
  let sum = 0
  for (const { name, resources } of chosen) {
    const asked = resources?.requests?.[resource]
    if (asked === undefined)
      return { error: `missing request for ${resource} in container ${name} of Pod ${metadata.name}` }
    sum += milliValue(asked)
  }
  return sum
}

/** A quantity in whole thousandths, rounded up as the API's own arithmetic does. */
export function milliValue(quantity: string | number): number {
  return Math.ceil(milli(quantity))
}
