import type { KubeObject } from '../../../lib/kube/object.ts'
import { conditionOf, timeMs } from '../meta.ts'
import { isTerminatingPod } from '../pods.ts'
import type { Pod } from '../shapes.ts'
import type { Job } from './shapes.ts'

/** Holds a finished pod until the Job has counted it. */
export const TRACKING = 'batch.kubernetes.io/job-tracking'

/** Whether the Job has yet to count a pod. */
export function isHeld({ metadata }: KubeObject): boolean {
  return metadata.finalizers?.includes(TRACKING) === true
}

/** How a Job ends. */
export type Ending = 'complete' | 'failed' | 'deleted'

/** How a Job has begun to end; `undefined` while it goes on. What it holds then is let go, whatever it does. */
export function endingOf({ metadata, status }: Job): Ending | undefined {
  const isTrue = (type: string): boolean => conditionOf(status?.conditions, type)?.status === 'True'
  if (isTrue('SuccessCriteriaMet')) return 'complete'
  if (isTrue('FailureTarget')) return 'failed'
  return metadata.deletionTimestamp !== undefined ? 'deleted' : undefined
}

/** Whether a Job has come to its end, good or bad. */
export function isOver(job: Job): boolean {
  return ['Complete', 'Failed'].some((type) => conditionOf(job.status?.conditions, type)?.status === 'True')
}

/** Whether a pod has failed: also one that was deleted before it could end, unless only those that have ended are replaced. */
export function isFailed(job: Job, pod: Pod): boolean {
  return pod.status?.phase === 'Failed' || isAbandoned(job, pod)
}

/** A pod that was deleted before it could end has failed at once, unless only those that have ended are replaced. */
export function isAbandoned({ spec }: Job, pod: Pod): boolean {
  return isTerminatingPod(pod) && spec.podReplacementPolicy !== 'Failed'
}

/** When a pod ended: with its last container, sidecars included, or when it was not ready any more, or when somebody deleted it. */
export function endedMs({ metadata, spec, status }: Pod): number {
  const sidecars = new Set((spec.initContainers ?? []).filter(isSidecar).map(({ name }) => name))
  const besides = (status?.initContainerStatuses ?? []).filter(({ name }) => sidecars.has(name))
  const ends = [...(status?.containerStatuses ?? []), ...besides].map(({ state }) =>
    timeMs(state?.terminated?.finishedAt),
  )
  if (ends.length > 0 && ends.every((atMs) => atMs > 0)) return Math.max(...ends)
  const ready = status?.conditions?.find(({ type }) => type === 'Ready')
  const unreadyMs = ready?.status === 'False' ? timeMs(ready.lastTransitionTime) : 0
  if (unreadyMs > 0) return unreadyMs
  if (metadata.deletionTimestamp === undefined) return timeMs(metadata.creationTimestamp)
  return timeMs(metadata.deletionTimestamp) - (metadata.deletionGracePeriodSeconds ?? 0) * 1000
}

const isSidecar = ({ restartPolicy }: { readonly restartPolicy?: string }): boolean => restartPolicy === 'Always'
