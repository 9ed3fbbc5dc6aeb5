import type { Pod } from '../shapes.ts'
import { actionFor } from './failure.ts'
import { indexOf, parseIndexes, renderIndexes } from './indexes.ts'
import type { Job, JobStatus } from './shapes.ts'

/** How many pods of the same index had failed before this one; only in Jobs that count failures per index. */
export const FAILURE_COUNT = 'batch.kubernetes.io/job-index-failure-count'

/** True for Jobs of which each index may fail on its own. */
export function failsPerIndex({ spec }: Job): boolean {
  return spec.backoffLimitPerIndex !== undefined
}

/** The indexes that have failed for good: too often, or by a rule that says so. `undefined` where failures are counted as a whole. */
export function failedIndexes(job: Job, before: JobStatus, pods: readonly Pod[]): string | undefined {
  const limit = job.spec.backoffLimitPerIndex
  if (limit === undefined) return undefined
  const failed = parseIndexes(before.failedIndexes)
  for (const pod of pods) {
    const index = indexOf(pod)
    if (index === undefined || pod.status?.phase !== 'Failed') continue
    const action = actionFor(job, pod)
    if (action === 'FailIndex' || (action !== 'Ignore' && failuresBefore(pod) >= limit)) failed.add(index)
  }
  return renderIndexes(failed)
}

/** What a new pod of an index is told about those before it. */
export function failureCountFor(job: Job, index: number, pods: readonly Pod[]): number {
  const counts = pods
    .filter((pod) => indexOf(pod) === index && pod.status?.phase === 'Failed')
    .map((pod) => failuresBefore(pod) + (actionFor(job, pod) === 'Ignore' ? 0 : 1))
  return Math.max(0, ...counts)
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

function failuresBefore({ metadata }: Pod): number {
  return Number(metadata.annotations?.[FAILURE_COUNT] ?? 0) || 0
}
