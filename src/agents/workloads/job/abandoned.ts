import type { WatchCache } from '../../../adapters/kube/types.ts'
import type { Clock } from '../../../engine/clock.ts'
import { controllerOf, keyOf } from '../meta.ts'
import { lookUp } from '../by-key.ts'
import { isFinishedPod } from '../pods.ts'
import type { Pod } from '../shapes.ts'
import { isHeld } from './ended.ts'
import type { Job } from './shapes.ts'

/** When pods of Jobs were deleted that had not ended: their objects tell nothing of it once they are gone. */
export type AbandonedPods = {
  readonly note: (pod: Pod) => void
  /** @returns milliseconds since the epoch, one for each pod of the Job with that uid */
  readonly of: (jobUid: string) => readonly number[]
  readonly forget: (jobUid: string) => void
}

/** No pods yet. */
export function abandonedPods(jobs: WatchCache, clock: Pick<Clock, 'nowMs'>): AbandonedPods {
  const byJob = new Map<string, Map<string, number>>()
  return {
    note(pod) {
      const { uid: podUid = '', namespace, deletionTimestamp } = pod.metadata
      if (deletionTimestamp === undefined || isFinishedPod(pod) || !isHeld(pod)) return
      const { uid, name = '' } = controllerOf(pod) ?? {}
      const job = lookUp<Job>(jobs, keyOf({ metadata: { name, ...(namespace !== undefined && { namespace }) } }))
      // with its Job gone, nobody asks any more and nothing would make us forget
      if (uid === undefined || job?.metadata.uid !== uid) return
      // a suspended Job has ended them itself
      if (job.spec.suspend === true) return
      const ends = byJob.get(uid) ?? new Map<string, number>()
      byJob.set(uid, ends)
      if (!ends.has(podUid)) ends.set(podUid, clock.nowMs())
    },
    of: (jobUid) => [...(byJob.get(jobUid)?.values() ?? [])],
    forget: (jobUid) => void byJob.delete(jobUid),
  }
}
