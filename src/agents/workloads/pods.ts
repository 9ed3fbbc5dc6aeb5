import { conditionOf, timeMs } from './meta.ts'
import type { Condition, Pod } from './shapes.ts'

/** Whether the pod counts as a replica: neither finished nor leaving. */
export function isActivePod(pod: Pod): boolean {
  return !isFinishedPod(pod) && pod.metadata.deletionTimestamp === undefined
}

/** Whether the pod has ended for good. */
export function isFinishedPod(pod: Pod): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed'
}

/** Whether the pod has ended, or is leaving and runs nothing any more. @see k8s.io/kubernetes/pkg/volume/util IsPodTerminated */
export function isStoppedPod(pod: Pod): boolean {
  const isStopped = (pod.status?.containerStatuses ?? []).every(({ state }) => state?.terminated || state?.waiting)
  return isFinishedPod(pod) || (pod.metadata.deletionTimestamp !== undefined && isStopped)
}

/** Whether somebody has asked for the pod's end, and it has not come yet. */
export function isTerminatingPod(pod: Pod): boolean {
  return !isFinishedPod(pod) && pod.metadata.deletionTimestamp !== undefined
}

/** Whether the pod takes traffic. */
export function isReadyPod(pod: Pod): boolean {
  return conditionOf(pod.status?.conditions, 'Ready')?.status === 'True'
}

/** Since when the pod is ready; 0 when it is not. */
function readySinceMs(pod: Pod): number {
  const ready = conditionOf(pod.status?.conditions, 'Ready')
  return ready?.status === 'True' ? timeMs(ready.lastTransitionTime) : 0
}

/** Whether the pod has been ready for `minReadySeconds`. */
export function isAvailablePod(pod: Pod, minReadySeconds: number, nowMs: number): boolean {
  if (!isReadyPod(pod)) return false
  return minReadySeconds === 0 || readySinceMs(pod) + minReadySeconds * 1000 <= nowMs
}

/** How long until a ready pod among these becomes available; `undefined` when none is on its way. */
export function nextAvailableAfterMs(pods: readonly Pod[], minReadySeconds: number, nowMs: number): number | undefined {
  if (minReadySeconds === 0) return undefined
  const waits = pods
    .filter((pod) => isReadyPod(pod) && !isAvailablePod(pod, minReadySeconds, nowMs))
    .map((pod) => readySinceMs(pod) + minReadySeconds * 1000 - nowMs)
  return waits.length === 0 ? undefined : Math.max(Math.min(...waits), 1)
}

/** `status` of a strategic patch that sets one condition of a pod: in its place, or behind the others. */
export function withCondition({ status }: Pod, condition: Condition): object {
  const types = (status?.conditions ?? []).map(({ type }) => ({ type }))
  const isNew = types.every(({ type }) => type !== condition.type)
  const order = isNew ? [...types, { type: condition.type }] : types
  return { '$setElementOrder/conditions': order, conditions: [condition] }
}

/** Which pod goes first when some must: the one whose loss hurts least. */
export type Doomed = { readonly pod: Pod; /** Siblings on the same node. */ readonly rank: number }

/**
 * Orders pods for deletion: without a node, Pending, not ready, lower deletion cost, more siblings on the node, ready for a shorter time, more
 * restarts, younger. Times of ready and creation are compared by powers of two, so that the choice among old pods is spread (by uid).
 */
export function compareForDeletion(a: Doomed, b: Doomed, nowMs: number): number {
  const [left, right] = [a.pod, b.pod]
  return (
    Number(Boolean(left.spec.nodeName)) - Number(Boolean(right.spec.nodeName)) ||
    phaseRank(left) - phaseRank(right) ||
    Number(isReadyPod(left)) - Number(isReadyPod(right)) ||
    deletionCost(left) - deletionCost(right) ||
    b.rank - a.rank ||
    compareAges(readySinceMs(left), readySinceMs(right), left, right, nowMs) ||
    restarts(right) - restarts(left) ||
    sidecarRestarts(right) - sidecarRestarts(left) ||
    compareAges(timeMs(left.metadata.creationTimestamp), timeMs(right.metadata.creationTimestamp), left, right, nowMs)
  )
}

function phaseRank(pod: Pod): number {
  return { Pending: 0, Unknown: 1, Running: 2 }[pod.status?.phase ?? 'Pending'] ?? 0
}

function deletionCost(pod: Pod): number {
  const text = pod.metadata.annotations?.['controller.kubernetes.io/pod-deletion-cost'] ?? '0'
  const cost = Number(text)
  // A whole number of 32 bits as Go reads it; anything else is none.
  return /^(?:0|[1-9]\d*|-\d+)$/.test(text) && cost === (cost | 0) ? cost : 0
}

function sidecarRestarts({ spec, status }: Pod): number {
  const sidecars = (spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always')
  const names = new Set(sidecars.map(({ name }) => name))
  const own = (status?.initContainerStatuses ?? []).filter(({ name }) => names.has(name))
  return Math.max(0, ...own.map(({ restartCount }) => restartCount ?? 0))
}

function restarts(pod: Pod): number {
  return Math.max(0, ...(pod.status?.containerStatuses ?? []).map((status) => status.restartCount ?? 0))
}

function compareAges(aMs: number, bMs: number, a: Pod, b: Pod, nowMs: number): number {
  if (aMs === bMs) return 0
  if (aMs === 0 || bMs === 0) return aMs === 0 ? -1 : 1
  const difference = ageClass(aMs, nowMs) - ageClass(bMs, nowMs)
  if (difference !== 0) return difference
  return (a.metadata.uid ?? '') < (b.metadata.uid ?? '') ? -1 : 1
}

function ageClass(sinceMs: number, nowMs: number): number {
  return nowMs <= sinceMs ? -1 : Math.floor(Math.log2((nowMs - sinceMs) * 1e6))
}
