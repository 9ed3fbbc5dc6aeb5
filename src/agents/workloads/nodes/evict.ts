import { type KubeObject, refOf } from '../../../lib/kube/object.ts'
import type { WorkloadDecision } from '../decision.ts'
import { tolerates } from '../fitting.ts'
import { timeText } from '../meta.ts'
import { withCondition } from '../pods.ts'
import type { Pod, Taint, Toleration } from '../shapes.ts'
import type { Write } from '../write.ts'

/** A pod whose eviction was waiting, and is no longer to be. */
export type SparedPod = { readonly spared: Pod }

/** A pod on a node with taints of the effect `NoExecute`, since when it has been seen there with them. */
export type TaintedPod = {
  readonly pod: Pod
  readonly taints: readonly Taint[]
  readonly sinceMs: number
  readonly nowMs: number
}

/**
 * Pure. Deletes the pod from its node when it does not tolerate the taints, or no longer.
 *
 * @see k8s.io/kubernetes/pkg/controller/tainteviction
 */
export function decideEviction(seen: TaintedPod | SparedPod): WorkloadDecision {
  if ('spared' in seen) return { kind: 'done', status: [tellSpared(seen.spared)] }
  const { pod, taints, sinceMs, nowMs } = seen
  if (taints.length === 0 || pod.metadata.deletionTimestamp !== undefined) return { kind: 'done', status: [] }
  const graceMs = toleratedMs(pod.spec.tolerations ?? [], taints)
  if (graceMs === Infinity) return { kind: 'done', status: [] }
  const leftMs = sinceMs + graceMs - nowMs
  if (leftMs > 0) return { kind: 'done', status: [], againAfterMs: leftMs }
  return { kind: 'done', status: evictionOf(pod, nowMs) }
}

/** Pure. Tells of a pod that was to go later, and has lost the taints of its node, or is gone by itself. */
function tellSpared(pod: Pod): Write {
  const { namespace = '', name } = pod.metadata
  const message = `Cancelling deletion of Pod ${namespace}/${name}`
  return { do: 'tell', tell: { about: named(pod), type: 'Normal', reason: 'TaintManagerEviction', message } }
}

/** How long a pod may stay: the shortest time among the tolerations that cover the taints; not at all when a taint is not covered. */
export function toleratedMs(tolerations: readonly Toleration[], taints: readonly Taint[]): number {
  const covering = taints.map((taint) => tolerations.find((toleration) => tolerates(toleration, taint)))
  if (covering.includes(undefined)) return 0
  const seconds = covering.map((toleration) => toleration?.tolerationSeconds ?? Infinity)
  return Math.max(0, Math.min(...seconds)) * 1000
}

function evictionOf(pod: Pod, nowMs: number): Write[] {
  const condition = {
    type: 'DisruptionTarget',
    status: 'True',
    lastTransitionTime: timeText(nowMs),
    reason: 'DeletionByTaintManager',
    message: 'Taint manager: deleting due to NoExecute taint',
  }
  const { namespace = '', name } = pod.metadata
  const message = `Marking for deletion Pod ${namespace}/${name}`
  return [
    {
      do: 'patch',
      ref: refOf(pod),
      type: 'strategic',
      body: { status: withCondition(pod, condition) },
      subresource: 'status',
      tell: { about: named(pod), type: 'Normal', reason: 'TaintManagerEviction', message },
    },
    { do: 'delete', object: pod },
  ]
}

/** The pod as the original knows it when it tells of it: by name alone. */
function named({ metadata: { name, namespace } }: Pod): KubeObject {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name, ...(namespace !== undefined && { namespace }) } }
}
