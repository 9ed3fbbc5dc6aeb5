import type { Controller } from '../../../engine/controller.ts'
import type { Bench } from '../bench.ts'
import { workloadController } from '../controller.ts'
import { controllerOf, keyOf } from '../meta.ts'
import { indexForOwners, type OwnedIndex, wakeFor } from '../owned-index.ts'
import { as, type Pod } from '../shapes.ts'
import type { Write } from '../write.ts'
import { releaseWrite, TRACKING } from './count.ts'
import { decideJob, type JobSeen } from './decide.ts'
import type { Job } from './shapes.ts'

/** Pods of a Job that is gone, which nobody will count any more. */
type Lost = { readonly lost: readonly Pod[] }

/** The Job controller: watches Jobs and their pods. */
export function jobController(bench: Bench): Controller<JobSeen | Lost, Write, readonly Write[]> {
  const jobs = bench.cache('batch/v1', 'Job')
  const pods = bench.cache('v1', 'Pod')
  let podsOf: OwnedIndex | undefined

  return workloadController<JobSeen | Lost>(bench, {
    kind: 'Job',
    component: 'job-controller',
    async watch(wake) {
      await Promise.all([jobs.ready, pods.ready])
      podsOf = indexForOwners(pods, jobs, 'Job', wake.now)
      wakeFor(jobs, wake.now)
      jobs.onChange((job, type) => {
        if (type === 'DELETED') wake.now(`${keyOf(job)}/${job.metadata.uid ?? ''}`)
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
      if (goneUid !== undefined) {
        const held = podsOf?.of(goneUid).filter(({ metadata }) => metadata.finalizers?.includes(TRACKING)) ?? []
        return held.length === 0 ? undefined : { lost: held.map((pod) => as<Pod>(pod)) }
      }
      const found = jobs.get(namespace, name)
      if (!found) return undefined
      return {
        job: as<Job>(found),
        candidates: podsOf?.candidates(found.metadata.uid ?? '', namespace).map((pod) => as<Pod>(pod)) ?? [],
        ...(failure !== undefined && { failure }),
        nowMs: bench.clock.nowMs(),
      }
    },
    decide: (seen) => ('lost' in seen ? { kind: 'act', changes: seen.lost.map(releaseWrite) } : decideJob(seen)),
  })
}
