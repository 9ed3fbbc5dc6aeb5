import type { WatchCache } from '../../../adapters/kube/types.ts'
import type { Controller } from '../../../engine/controller.ts'
import type { Bench } from '../bench.ts'
import { wakeFor } from '../by-key.ts'
import { workloadController } from '../controller.ts'
import { controllerOf, keyOf } from '../meta.ts'
import { indexForOwners, type OwnedIndex } from '../owned-index.ts'
import { isFinishedPod } from '../pods.ts'
import { as, type Pod } from '../shapes.ts'
import type { Write } from '../write.ts'
import { releaseWrite } from './count.ts'
import { isHeld } from './ended.ts'
import { decideJob, type JobSeen } from './decide.ts'
import type { Job } from './shapes.ts'

/** Pods of a Job that is gone, which nobody will count any more. */
type Lost = { readonly lost: readonly Pod[] }

const FIRST_BACKOFF_MS = 1000

/** The Job controller: watches Jobs and their pods. */
export function jobController(bench: Bench): Controller<JobSeen | Lost, Write, readonly Write[]> {
  const jobs = bench.cache('batch/v1', 'Job')
  const pods = bench.cache('v1', 'Pod')
  let podsOf: OwnedIndex | undefined
  const abandoned = abandonedPods(bench, jobs)

  return workloadController<JobSeen | Lost>(bench, {
    kind: 'Job',
    component: 'job-controller',
    firstBackoffMs: FIRST_BACKOFF_MS,
    async watch(wake) {
      await Promise.all([jobs.ready, pods.ready])
      podsOf = indexForOwners(pods, jobs, 'Job', wake.now)
      wakeFor(jobs, wake.now)
      pods.onChange((pod, type) => {
        if (controllerOf(pod)?.kind === 'Job') return abandoned.note(as<Pod>(pod))
        // orphaned by the end of its Job
        if (type !== 'DELETED' && controllerOf(pod) === undefined && isHeld(pod)) wake.now(`${keyOf(pod)}/`)
      })
      jobs.onChange((job, type) => {
        if (type !== 'DELETED') return
        abandoned.forget(job.metadata.uid ?? '')
        wake.now(`${keyOf(job)}/${job.metadata.uid ?? ''}`)
      })
      for (const pod of pods.list()) {
        const owner = controllerOf(pod)
        const { namespace = '' } = pod.metadata
        if (owner?.kind === 'Job' && jobs.get(namespace, owner.name)?.metadata.uid !== owner.uid)
          wake.now(`${namespace}/${owner.name}/${owner.uid}`)
      }
    },
    observe(key, failure) {
      const [namespace = '', name = '', goneUid] = key.split('/')
      if (goneUid === '') {
        const orphan = pods.get(namespace, name)
        return orphan && isHeld(orphan) && controllerOf(orphan) === undefined ? { lost: [as<Pod>(orphan)] } : undefined
      }
      if (goneUid !== undefined) {
        const held = podsOf?.of(goneUid).filter(isHeld) ?? []
        return held.length === 0 ? undefined : { lost: held.map((pod) => as<Pod>(pod)) }
      }
      const found = jobs.get(namespace, name)
      if (!found) return undefined
      return {
        job: as<Job>(found),
        candidates: podsOf?.candidates(found.metadata.uid ?? '', namespace).map((pod) => as<Pod>(pod)) ?? [],
        ...(failure !== undefined && { failure }),
        abandonedMs: abandoned.of(found.metadata.uid ?? ''),
        nowMs: bench.clock.nowMs(),
      }
    },
    decide: (seen) => ('lost' in seen ? { kind: 'act', changes: seen.lost.map(releaseWrite) } : decideJob(seen)),
  })
}

/** Remembers when pods of Jobs were deleted that had not ended: the object tells nothing of it once they are gone. */
function abandonedPods(bench: Bench, jobs: WatchCache) {
  const byJob = new Map<string, Map<string, number>>()
  return {
    note(pod: Pod): void {
      const { uid, name = '' } = controllerOf(pod) ?? {}
      if (uid === undefined || pod.metadata.deletionTimestamp === undefined || isFinishedPod(pod) || !isHeld(pod))
        return
      const job = jobs.get(pod.metadata.namespace ?? '', name)
      // a suspended Job has ended them itself
      if (job && as<Job>(job).spec.suspend === true) return
      const ends = byJob.get(uid) ?? new Map<string, number>()
      byJob.set(uid, ends)
      if (!ends.has(pod.metadata.uid ?? '')) ends.set(pod.metadata.uid ?? '', bench.clock.nowMs())
    },
    of: (jobUid: string): readonly number[] => [...(byJob.get(jobUid)?.values() ?? [])],
    forget: (jobUid: string) => byJob.delete(jobUid),
  }
}
