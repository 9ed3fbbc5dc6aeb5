import { refOf } from '../../../lib/kube/object.ts'
import type { WorkloadDecision } from '../decision.ts'
import { conditionOf, timeMs, timeText } from '../meta.ts'
import { isFinishedPod, withCondition } from '../pods.ts'
import type { Condition, Node, Pod } from '../shapes.ts'
import type { Write } from '../write.ts'

/** What the decision about a pod that may be nobody's any more needs. */
export type PodGarbageSeen = {
  readonly pod: Pod
  /** The node that it is on; undefined also where that node is not there. */
  readonly node: Node | undefined
  /** Since when its node has been missing. */
  readonly missingSinceMs: number | undefined
  /** There were too many pods that have ended, and one of this name was among the oldest. */
  readonly isSurplus: boolean
  readonly nowMs: number
}

/** How often the original looks: until then a pod that leaves is seen leaving, and whoever holds it may let it go. */
const LOOK_EVERY_MS = 20_000
/** How long a node may be missing before its pods are given up. */
const QUARANTINE_MS = 40_000
const OUT_OF_SERVICE = 'node.kubernetes.io/out-of-service'

/**
 * Pure. Ends pods that no kubelet will ever end: of nodes that are gone or out of service, and those that leave without ever having had one; and the
 * oldest of too many that have ended.
 *
 * @see k8s.io/kubernetes/pkg/controller/podgc
 */
export function decidePodGarbage(seen: PodGarbageSeen): WorkloadDecision {
  const { pod, node, isSurplus, nowMs } = seen
  const isLeaving = pod.metadata.deletionTimestamp !== undefined
  if (isSurplus && isFinishedPod(pod)) return done(end(pod))
  if (!pod.spec.nodeName) {
    if (!isLeaving) return done([])
    const leftMs = timeMs(pod.metadata.deletionTimestamp) + LOOK_EVERY_MS - nowMs
    return leftMs > 0 ? { kind: 'done', status: [], againAfterMs: leftMs } : done(end(pod))
  }
  if (node !== undefined) return done(isLeaving && isOutOfService(node) ? end(pod) : [])
  if (isGivenUp(seen)) return done(end(pod, nodeGone(pod, nowMs)))
  return { kind: 'done', status: [], againAfterMs: quarantineLeftMs(seen) }
}

type Missing = Pick<PodGarbageSeen, 'missingSinceMs' | 'nowMs'>

/** Whether a node has been missing for so long that its pods are given up. */
export function isGivenUp(missing: Missing): boolean {
  return quarantineLeftMs(missing) <= 0
}

function quarantineLeftMs({ missingSinceMs, nowMs }: Missing): number {
  return (missingSinceMs ?? nowMs) + QUARANTINE_MS - nowMs
}

/** Whether somebody has said that a node that is not ready will not come back. */
export function isOutOfService({ spec, status }: Node): boolean {
  const isReady = conditionOf(status?.conditions, 'Ready')?.status === 'True'
  return !isReady && (spec?.taints ?? []).some(({ key }) => key === OUT_OF_SERVICE)
}

function done(status: readonly Write[]): WorkloadDecision {
  return { kind: 'done', status }
}

/** A pod is shown as failed before it goes: its owners count it. One that others hold by finalizers is asked to go only once. */
function end(pod: Pod, condition?: Condition): Write[] {
  const { generation, uid, deletionGracePeriodSeconds } = pod.metadata
  const status = {
    phase: 'Failed',
    ...(generation !== undefined && { observedGeneration: generation }),
    ...(condition && withCondition(pod, condition)),
  }
  const body = { metadata: { uid }, status }
  const isFailing: Write = { do: 'patch', ref: refOf(pod), type: 'strategic', body, subresource: 'status' }
  const isGoing: Write = { do: 'delete', object: pod, options: { gracePeriodSeconds: 0 } }
  return [...(isFinishedPod(pod) ? [] : [isFailing]), ...(deletionGracePeriodSeconds === 0 ? [] : [isGoing])]
}

function nodeGone({ metadata: { generation } }: Pod, nowMs: number): Condition {
  return {
    type: 'DisruptionTarget',
    ...(generation !== undefined && { observedGeneration: generation }),
    status: 'True',
    lastTransitionTime: timeText(nowMs),
    reason: 'DeletionByPodGC',
    message: 'PodGC: node no longer exists',
  }
}
