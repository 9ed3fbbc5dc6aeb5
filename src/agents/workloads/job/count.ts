import { timeMs } from '../meta.ts'
import { isActivePod, isFinishedPod, isReadyPod } from '../pods.ts'
import { refOf } from '../../../lib/kube/object.ts'
import type { Pod } from '../shapes.ts'
import type { Write } from '../write.ts'
import { isAbandoned, isHeld, TRACKING } from './ended.ts'
import { actionFor } from './failure.ts'
import { awaitingSuccessors, failedIndexes } from './index-failures.ts'
import { indexOf, parseIndexes, renderIndexes } from './indexes.ts'
import type { Job, JobStatus } from './shapes.ts'

/** So long a pod that was dropped by suspension is shown as terminating, as the original does. */
export const SHOWN_MS = 1000

/**
 * Counts finished pods exactly once, whatever is killed in between: their uids enter `uncountedTerminatedPods`, then their finalizer goes, then they
 * become numbers.
 */
export function countPods(
  job: Job,
  pods: readonly Pod[],
  nowMs: number,
): { readonly status: JobStatus; readonly release: readonly Write[] } {
  const before = job.status ?? {}
  const held = pods.filter(isHeld)
  const heldUids = new Set(held.map((pod) => pod.metadata.uid ?? ''))
  const isDropped = (pod: Pod): boolean => job.spec.suspend === true && pod.metadata.deletionTimestamp !== undefined
  const counted = settleUncounted(before, heldUids, pods, job)
  const awaiting = new Set(awaitingSuccessors(job, counted, pods).values())
  const ended = held
    .filter((pod) => isFinishedPod(pod) || isDropped(pod) || isAbandoned(job, pod))
    .filter((pod) => !awaiting.has(pod))
  const uncounted = counted.uncountedTerminatedPods ?? {}
  const known = new Set([...(uncounted.succeeded ?? []), ...(uncounted.failed ?? [])])
  const isLeftOut = (pod: Pod): boolean => (isDropped(pod) && !isFinishedPod(pod)) || !isWorthCounting(job, pod)
  const fresh = ended.filter((pod) => !known.has(pod.metadata.uid ?? '') && !isLeftOut(pod))
  const succeeded = fresh.filter((pod) => pod.status?.phase === 'Succeeded').map((pod) => pod.metadata.uid ?? '')
  const failed = fresh.filter((pod) => pod.status?.phase !== 'Succeeded').map((pod) => pod.metadata.uid ?? '')
  const next = {
    ...((uncounted.succeeded ?? []).length + succeeded.length > 0 && {
      succeeded: [...(uncounted.succeeded ?? []), ...succeeded],
    }),
    ...((uncounted.failed ?? []).length + failed.length > 0 && { failed: [...(uncounted.failed ?? []), ...failed] }),
  }
  const isNoted = (pod: Pod): boolean => known.has(pod.metadata.uid ?? '') || isLeftOut(pod)
  return {
    status: { ...counted, ...liveCounts(pods), uncountedTerminatedPods: next },
    release: ended
      .filter(isNoted)
      .filter((pod) => isFinishedPod(pod) || !isDropped(pod) || nowMs >= deletedMs(pod) + SHOWN_MS)
      .map((pod) => releaseWrite(pod)),
  }
}

/** When somebody asked for the pod's end. */
function deletedMs({ metadata }: Pod): number {
  return timeMs(metadata.deletionTimestamp) - (metadata.deletionGracePeriodSeconds ?? 0) * 1000
}

/** What is there now, besides what has ended. */
function liveCounts(pods: readonly Pod[]): JobStatus {
  const active = pods.filter(isActivePod)
  const terminating = pods.filter((pod) => pod.metadata.deletionTimestamp !== undefined && !isFinishedPod(pod))
  return { active: active.length, ready: active.filter(isReadyPod).length, terminating: terminating.length }
}

/** Failures that a rule ignores, and those of indexes that are wanted no more, are not counted. */
function isWorthCounting(job: Job, pod: Pod): boolean {
  const { completionMode, completions = 1 } = job.spec
  if (pod.status?.phase === 'Succeeded') return true
  if (completionMode === 'Indexed' && (indexOf(pod) ?? completions) >= completions) return false
  return actionFor(job, pod) !== 'Ignore'
}

/** Turns the uids of pods that have lost their finalizer into numbers. */
function settleUncounted(before: JobStatus, heldUids: ReadonlySet<string>, pods: readonly Pod[], job: Job): JobStatus {
  const { succeeded = [], failed = [] } = before.uncountedTerminatedPods ?? {}
  const done = (uids: readonly string[]): readonly string[] => uids.filter((uid) => !heldUids.has(uid))
  const rest = (uids: readonly string[]): readonly string[] => uids.filter((uid) => heldUids.has(uid))
  const indexed = job.spec.completionMode === 'Indexed'
  const indexes = parseIndexes(before.completedIndexes)
  if (indexed)
    for (const pod of pods) {
      const index = indexOf(pod)
      if (pod.status?.phase === 'Succeeded' && isHeld(pod) && index !== undefined) indexes.add(index)
    }
  // an indexed Job may want fewer than it has had
  for (const index of indexes) if (index >= (job.spec.completions ?? Infinity)) indexes.delete(index)
  const completedIndexes = renderIndexes(indexes)
  const { completedIndexes: _, ...kept } = before
  const gone = failedIndexes(job, before, pods)
  return {
    ...kept,
    succeeded: indexed ? indexes.size : (before.succeeded ?? 0) + done(succeeded).length,
    failed: (before.failed ?? 0) + done(failed).length,
    ...(completedIndexes !== '' && { completedIndexes }),
    ...(gone !== undefined && { failedIndexes: gone }),
    uncountedTerminatedPods: {
      ...(rest(succeeded).length > 0 && { succeeded: rest(succeeded) }),
      ...(rest(failed).length > 0 && { failed: rest(failed) }),
    },
  }
}

/** Takes the tracking finalizer off a pod. */
export function releaseWrite(pod: Pod): Write {
  const finalizers = (pod.metadata.finalizers ?? []).filter((finalizer) => finalizer !== TRACKING)
  const metadata = { resourceVersion: pod.metadata.resourceVersion, finalizers }
  return { do: 'patch', ref: refOf(pod), type: 'merge', body: { metadata } }
}
