import type { Controller } from '../../../engine/controller.ts'
import type { Bench } from '../bench.ts'
import { workloadController } from '../controller.ts'
import { indexForOwners, type OwnedIndex, wakeFor } from '../owned-index.ts'
import { as, type Pod } from '../shapes.ts'
import type { Write } from '../write.ts'
import { decideJob, type JobSeen } from './decide.ts'
import type { Job } from './shapes.ts'

/** The Job controller: watches Jobs and their pods. */
export function jobController(bench: Bench): Controller<JobSeen, Write, readonly Write[]> {
  const jobs = bench.cache('batch/v1', 'Job')
  const pods = bench.cache('v1', 'Pod')
  let podsOf: OwnedIndex | undefined

  return workloadController<JobSeen>(bench, {
    kind: 'Job',
    component: 'job-controller',
    async watch(wake) {
      await Promise.all([jobs.ready, pods.ready])
      podsOf = indexForOwners(pods, jobs, 'Job', wake.now)
      wakeFor(jobs, wake.now)
    },
    observe(key, failure) {
      const [namespace = '', name = ''] = key.split('/')
      const found = jobs.get(namespace, name)
      if (!found) return undefined
      return {
        job: as<Job>(found),
        candidates: podsOf?.candidates(found.metadata.uid ?? '', namespace).map((pod) => as<Pod>(pod)) ?? [],
        ...(failure !== undefined && { failure }),
        nowMs: bench.clock.nowMs(),
      }
    },
    decide: decideJob,
  })
}
