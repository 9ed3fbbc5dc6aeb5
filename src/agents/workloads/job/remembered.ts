import type { WatchCache } from '../../../adapters/kube/types.ts'
import { lookUp } from '../by-key.ts'
import { controllerOf } from '../meta.ts'
import type { Pod } from '../shapes.ts'
import { endedMs, isFailed, isHeld, isOver } from './ended.ts'
import { FAILURES_TO_LONGEST } from './patience.ts'
import type { Job } from './shapes.ts'

/** How a Job's pods have ended since this process looks on, whether they are still there or not. */
export type Remembered = {
  /** When pods have failed since the last success, by uid: the last `FAILURES_TO_LONGEST`, since more do not lengthen the wait. */
  readonly failures: ReadonlyMap<string, number>
  /** When the last one succeeded; 0: none has. */
  readonly successMs: number
}

/** What the Jobs remember. */
export type Memory = {
  readonly note: (pod: Pod) => void
  readonly of: (jobUid: string) => Remembered
  readonly forget: (jobUid: string) => void
}

/** Nothing has happened. */
export const NOTHING: Remembered = { failures: new Map(), successMs: 0 }

/** Nothing has happened in any Job yet. With its Job gone or over nobody asks about a pod, and nothing would make us forget. */
export function jobMemory(jobs: WatchCache): Memory {
  const byJob = new Map<string, Remembered>()
  const of = (uid: string): Remembered => byJob.get(uid) ?? NOTHING
  return {
    note(pod) {
      const { uid = '', name = '' } = controllerOf(pod) ?? {}
      const job = lookUp<Job>(jobs, `${pod.metadata.namespace ?? ''}/${name}`)
      if (isHeld(pod) && job?.metadata.uid === uid && !isOver(job)) byJob.set(uid, remember(of(uid), job, pod))
    },
    of,
    forget: (uid) => void byJob.delete(uid),
  }
}

/** That a failed pod is deleted by hand does not shorten the wait for the next. */
function remember(before: Remembered, job: Job, pod: Pod): Remembered {
  const { uid = '' } = pod.metadata
  if (before.failures.has(uid)) return before
  if (pod.status?.phase === 'Succeeded') return since(before.failures, Math.max(before.successMs, endedMs(pod)))
  return isFailed(job, pod) ? since(new Map(before.failures).set(uid, endedMs(pod)), before.successMs) : before
}

/** What has failed in the second of a success has failed before it. */
function since(failures: ReadonlyMap<string, number>, successMs: number): Remembered {
  const later = [...failures].filter(([, atMs]) => atMs > successMs).sort(([, one], [, other]) => one - other)
  return { failures: new Map(later.slice(-FAILURES_TO_LONGEST)), successMs }
}
