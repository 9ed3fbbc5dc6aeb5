import type { Pod } from '../shapes.ts'
import { isActivePod } from '../pods.ts'
import { endedMs, endingOf, isFailed, isHeld } from './ended.ts'
import { actionFor } from './failure.ts'
import { indexOf, parseIndexes, renderIndexes } from './indexes.ts'
import { patienceMs } from './patience.ts'
import type { Job, JobStatus } from './shapes.ts'

/** How many pods of the same index had failed before this one; only in Jobs that count failures per index. */
const FAILURE_COUNT = 'batch.kubernetes.io/job-index-failure-count'
/** How many of them a rule had ignored. */
const IGNORED_COUNT = 'batch.kubernetes.io/job-index-ignored-failure-count'

/** True for Jobs of which each index may fail on its own. */
export function failsPerIndex({ spec }: Job): boolean {
  return spec.backoffLimitPerIndex !== undefined
}

/** The indexes that have failed for good: too often, or by a rule that says so. `undefined` where failures are counted as a whole. */
export function failedIndexes(job: Job, before: JobStatus, pods: readonly Pod[]): string | undefined {
  const limit = job.spec.backoffLimitPerIndex
  if (limit === undefined) return undefined
  const { completions = 1 } = job.spec
  // a Job that has shrunk knows nothing of indexes beyond its end
  const failed = new Set([...parseIndexes(before.failedIndexes)].filter((index) => index < completions))
  // what the failed Job has ended itself has not failed its index
  const hasFailed = (pod: Pod): boolean =>
    endingOf(job) === 'failed' ? pod.status?.phase === 'Failed' : isFailed(job, pod)
  for (const pod of pods) {
    const index = indexOf(pod)
    if (index === undefined || index >= completions || !isHeld(pod) || !hasFailed(pod)) continue
    const action = actionFor(job, pod)
    if (action === 'FailIndex' || (action !== 'Ignore' && failuresBefore(pod) >= limit)) failed.add(index)
  }
  return renderIndexes(failed)
}

/**
 * The failed pod of each index that is to be tried again and is not yet: only its successor says how often the index has failed, and until that is
 * there the pod is neither counted nor let go.
 *
 * @see k8s.io/kubernetes/pkg/controller/job `getPodsWithDelayedDeletionPerIndex`
 */
export function awaitingSuccessors(job: Job, counted: JobStatus, pods: readonly Pod[]): ReadonlyMap<number, Pod> {
  const awaiting = new Map<number, Pod>()
  if (!failsPerIndex(job)) return awaiting
  const settled = parseIndexes(counted.completedIndexes)
  for (const index of parseIndexes(counted.failedIndexes)) settled.add(index)
  for (const pod of pods.filter(isActivePod)) settled.add(indexOf(pod) ?? -1)
  for (const pod of pods.filter((each) => isHeld(each) && isFailed(job, each))) {
    const index = indexOf(pod)
    if (index === undefined || index >= (job.spec.completions ?? 1) || settled.has(index)) continue
    const last = awaiting.get(index)
    if (!last || (failuresTill(last) <= failuresTill(pod) && endedMs(pod) >= endedMs(last))) awaiting.set(index, pod)
  }
  return awaiting
}

/** How long the next pod of an index waits for the sake of the one that failed before it. */
export function indexPatienceMs(before: Pod | undefined, nowMs: number): number {
  return before ? patienceMs(failuresTill(before) + 1, endedMs(before), nowMs) : 0
}

/** What a new pod of an index is told about those before it, as annotations. */
export function failureCounts(job: Job, before: Pod | undefined): Record<string, string> {
  if (before === undefined) return { [FAILURE_COUNT]: '0' }
  const isIgnored = actionFor(job, before) === 'Ignore'
  const ignored = ignoredBefore(before) + (isIgnored ? 1 : 0)
  return {
    [FAILURE_COUNT]: String(failuresBefore(before) + (isIgnored ? 0 : 1)),
    ...(ignored > 0 && { [IGNORED_COUNT]: String(ignored) }),
  }
}

/** Why a Job has failed by its indexes; it goes on until the last of them has ended, or too many have failed. */
export function indexFailure(
  job: Job,
  counted: JobStatus,
): { readonly reason: string; readonly message: string } | undefined {
  if (!failsPerIndex(job)) return undefined
  const failed = parseIndexes(counted.failedIndexes).size
  const { maxFailedIndexes, completions = 1 } = job.spec
  if (maxFailedIndexes !== undefined && failed > maxFailedIndexes)
    return {
      reason: 'MaxFailedIndexesExceeded',
      message: 'Job has exceeded the specified maximal number of failed indexes',
    }
  if (failed === 0 || failed + (counted.succeeded ?? 0) < completions) return undefined
  return { reason: 'FailedIndexes', message: 'Job has failed indexes' }
}

const failuresBefore = ({ metadata }: Pod): number => Number(metadata.annotations?.[FAILURE_COUNT] ?? 0) || 0

const ignoredBefore = ({ metadata }: Pod): number => Number(metadata.annotations?.[IGNORED_COUNT] ?? 0) || 0

const failuresTill = (pod: Pod): number => failuresBefore(pod) + ignoredBefore(pod)
