import { type JsonObject, listOf, objectOf, stringOf } from '../../../lib/kube/json.ts'
import { qosClassOf } from '../defaulting/pod.ts'
import { timestamp } from '../environment.ts'
import { type Obj, specOf } from '../object.ts'
import { writeLabelKeys } from './label-keys.ts'

/** A new pod waits, in the class that its containers' resources make it. In place. */
export function startPod(pod: Obj, nowMs: number): void {
  const spec = specOf(pod)
  writeLabelKeys(pod)
  pod.status = { phase: 'Pending', qosClass: qosClassOf(spec) }
  if (listOf(spec.schedulingGates).length > 0) pod.status.conditions = [gated(nowMs)]
}

const gated = (nowMs: number): JsonObject => ({
  type: 'PodScheduled',
  status: 'False',
  lastProbeTime: null,
  lastTransitionTime: timestamp(nowMs),
  reason: 'SchedulingGated',
  message: 'Scheduling is blocked due to non-empty scheduling gates',
})

/** A pod's class of service is what it was made with. In place. */
export function keepClass(pod: Obj, before: Obj): void {
  const { qosClass } = objectOf(before.status)
  const status = objectOf(pod.status)
  if (stringOf(status.qosClass) === '' && qosClass !== undefined) pod.status = { ...status, qosClass }
}
