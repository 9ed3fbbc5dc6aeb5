import { isSame } from '../meta.ts'
import { isActivePod, isFinishedPod, isReadyPod, isTerminatingPod } from '../pods.ts'
import { refOf } from '../../../lib/kube/object.ts'
import type { Pod } from '../shapes.ts'
import type { Write } from '../write.ts'
import { type Ending, isAbandoned, isFailed, isHeld, TRACKING } from './ended.ts'
import { actionFor } from './failure.ts'
import { awaitingSuccessors, failedIndexes } from './index-failures.ts'
import { indexOf, parseIndexes, renderIndexes } from './indexes.ts'
import type { Job, JobStatus, Uncounted } from './shapes.ts'

/**
 * Counts finished pods exactly once, whatever is killed in between: their uids enter `uncountedTerminatedPods` (the success of an index needs no more
 * than `completedIndexes`), then their finalizer goes, then they become numbers. Of a Job that ends every pod is let go; if it has failed, each of them
 * has failed with it.
 *
 * @returns `isNews` where the status is to be written before anything is let go
 */
export function countPods(
  job: Job,
  pods: readonly Pod[],
  ending: Ending | undefined,
): { readonly status: JobStatus; readonly isNews: boolean; readonly release: readonly Write[] } {
  const before = job.status ?? {}
  const held = pods.filter(isHeld)
  const heldUids = new Set(held.map(uidOf))
  const counted = settleUncounted(before, heldUids, pods, job)
  const awaiting = new Set(ending ? [] : awaitingSuccessors(job, counted, pods).values())
  const ended = held
    .filter((pod) => ending || isFinishedPod(pod) || isAbandoned(job, pod))
    .filter((pod) => !awaiting.has(pod))
  const { succeeded = [], failed = [] } = counted.uncountedTerminatedPods ?? {}
  const known = new Set([...succeeded, ...failed])
  const indexed = job.spec.completionMode === 'Indexed'
  const isSuccess = (pod: Pod): boolean => pod.status?.phase === 'Succeeded'
  const isLoss = (pod: Pod): boolean =>
    !isSuccess(pod) && (ending === 'failed' || isFailed(job, pod)) && isWorthCounting(job, pod)
  const fresh = ended.filter((pod) => !known.has(uidOf(pod)))
  const next = {
    succeeded: [...succeeded, ...fresh.filter((pod) => isSuccess(pod) && !indexed).map(uidOf)],
    failed: [...failed, ...fresh.filter(isLoss).map(uidOf)],
  }
  const isKept = !indexed || (before.completedIndexes ?? '') === (counted.completedIndexes ?? '')
  return {
    status: { ...counted, ...liveCounts(pods), uncountedTerminatedPods: withoutEmpty(next) },
    isNews: !isKept || !isSame(withoutEmpty(next), before.uncountedTerminatedPods ?? {}),
    release: ended.map(releaseWrite),
  }
}

const uidOf = ({ metadata }: Pod): string => metadata.uid ?? ''

function withoutEmpty({ succeeded, failed }: Record<'succeeded' | 'failed', readonly string[]>): Uncounted {
  return { ...(succeeded.length > 0 && { succeeded }), ...(failed.length > 0 && { failed }) }
}

/** What is there now, besides what has ended. */
function liveCounts(pods: readonly Pod[]): JobStatus {
  const active = pods.filter(isActivePod)
  const terminating = pods.filter(isTerminatingPod)
  return { active: active.length, ready: active.filter(isReadyPod).length, terminating: terminating.length }
}

/** Failures that a rule ignores, and those of indexes that are wanted no more, are not counted. */
function isWorthCounting(job: Job, pod: Pod): boolean {
  const { completionMode, completions = 1 } = job.spec
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
    uncountedTerminatedPods: withoutEmpty({ succeeded: rest(succeeded), failed: rest(failed) }),
  }
}

/** Takes the tracking finalizer off a pod. */
export function releaseWrite(pod: Pod): Write {
  const finalizers = (pod.metadata.finalizers ?? []).filter((finalizer) => finalizer !== TRACKING)
  const metadata = { resourceVersion: pod.metadata.resourceVersion, finalizers }
  return { do: 'patch', ref: refOf(pod), type: 'merge', body: { metadata } }
}
