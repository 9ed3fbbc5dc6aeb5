import type { Controller } from '../../../engine/controller.ts'
import type { KubeObject } from '../../../lib/kube/object.ts'
import type { Bench } from '../bench.ts'
import { lookUp } from '../by-key.ts'
import { workloadController } from '../controller.ts'
import type { WorkloadDecision } from '../decision.ts'
import { conditionOf, keyOf, timeMs, timeText } from '../meta.ts'
import { isFinishedPod } from '../pods.ts'
import { as, type Condition, type Pod } from '../shapes.ts'
import type { Write } from '../write.ts'

/** What the decision about a pod that was to go needs. */
export type DisruptedSeen = { readonly pod: Pod; readonly nowMs: number }

const TARGET = 'DisruptionTarget'
/** A pod that was to go and is still not leaving after so long stays. */
const STALE_MS = 120_000

/**
 * Pure. Takes back `DisruptionTarget` from a pod that did not begin to leave; what the kubelet says of it stays, as its pods may take any time.
 *
 * @see k8s.io/kubernetes/pkg/controller/disruption `syncStalePodDisruption`
 */
export function decideDisrupted({ pod, nowMs }: DisruptedSeen): WorkloadDecision {
  const target = expectedToLeave(pod)
  if (target === undefined) return { kind: 'done', status: [] }
  const leftMs = timeMs(target.lastTransitionTime) + STALE_MS - nowMs
  if (leftMs > 0) return { kind: 'done', status: [], againAfterMs: leftMs }
  const { generation } = pod.metadata
  const taken: Condition = {
    type: TARGET,
    ...(generation !== undefined && { observedGeneration: generation }),
    status: 'False',
    lastProbeTime: null,
    lastTransitionTime: timeText(nowMs),
  }
  const conditions = (pod.status?.conditions ?? []).map((condition) => (condition === target ? taken : condition))
  const object = { ...pod, status: { ...pod.status, conditions } }
  return { kind: 'done', status: [{ do: 'replace', object, subresource: 'status' }] }
}

/** Watches pods that were told to go. */
export function staleDisruptions(bench: Bench): Controller<DisruptedSeen, Write, readonly Write[]> {
  const pods = bench.cache('v1', 'Pod')
  return workloadController<DisruptedSeen>(bench, {
    kind: 'stale-disruption',
    component: 'controllermanager',
    async watch(wake) {
      await pods.ready
      const look = (pod: KubeObject): void => {
        if (expectedToLeave(as<Pod>(pod)) !== undefined) wake.now(keyOf(pod))
      }
      pods.onChange((pod, type) => {
        if (type !== 'DELETED') look(pod)
      })
      pods.list().forEach(look)
    },
    observe(key) {
      const pod = lookUp<Pod>(pods, key)
      return pod && { pod, nowMs: bench.clock.nowMs() }
    },
    decide: decideDisrupted,
  })
}

/** The condition of a pod that ought to leave and does not yet. */
function expectedToLeave(pod: Pod): Condition | undefined {
  if (pod.metadata.deletionTimestamp !== undefined || isFinishedPod(pod)) return undefined
  const target = conditionOf(pod.status?.conditions, TARGET)
  return target?.status === 'True' && target.reason !== 'TerminationByKubelet' ? target : undefined
}
