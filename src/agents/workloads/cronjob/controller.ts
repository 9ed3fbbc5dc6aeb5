import type { Controller } from '../../../engine/controller.ts'
import type { KubeObject } from '../../../lib/kube/object.ts'
import type { Bench } from '../bench.ts'
import { lookUp } from '../by-key.ts'
import { workloadController } from '../controller.ts'
import type { Job } from '../job/shapes.ts'
import { controllerOf, keyOf } from '../meta.ts'
import { indexByOwner, type OwnedIndex } from '../owned-index.ts'
import { as } from '../shapes.ts'
import type { Write } from '../write.ts'
import { decideCronJob, type CronJob, type CronJobSeen, untilNextMs } from './decide.ts'

/** The CronJob controller: watches CronJobs and their Jobs, and sleeps until the next run. */
export function cronJobController(bench: Bench): Controller<CronJobSeen, Write, readonly Write[]> {
  const cronJobs = bench.cache('batch/v1', 'CronJob')
  const jobs = bench.cache('batch/v1', 'Job')
  let jobsOf: OwnedIndex | undefined

  return workloadController<CronJobSeen>(bench, {
    kind: 'CronJob',
    component: 'cronjob-controller',
    async watch(wake) {
      await Promise.all([cronJobs.ready, jobs.ready])
      jobsOf = indexByOwner(jobs, 'CronJob', wake.now, () => undefined)
      const schedules = new Map(cronJobs.list().map((cronJob) => [keyOf(cronJob), scheduleText(cronJob)]))
      cronJobs.onChange((cronJob, type) => {
        const key = keyOf(cronJob)
        const text = scheduleText(cronJob)
        const isOther = (schedules.get(key) ?? text) !== text
        if (type === 'DELETED') schedules.delete(key)
        else schedules.set(key, text)
        // a new schedule counts from now on: what it would have had before is not made up for
        if (isOther) wake.after(key, untilNextMs(as<CronJob>(cronJob), bench.clock.nowMs()))
        else wake.now(key)
      })
      for (const cronJob of cronJobs.list()) wake.now(keyOf(cronJob))
    },
    async observe(key, failure) {
      const cronJob = lookUp<CronJob>(cronJobs, key)
      if (!cronJob) return undefined
      const known = jobsOf?.of(cronJob.metadata.uid ?? '') ?? []
      return {
        cronJob,
        jobs: [...known, ...(await unknownJobs(bench, cronJob, known))].map((job) => as<Job>(job)),
        ...(failure !== undefined && { failure }),
        nowMs: bench.clock.nowMs(),
      }
    },
    decide: decideCronJob,
  })
}

/** Jobs that the CronJob lists and the copy does not have: it may be behind, and what runs already may forbid the next run. */
async function unknownJobs(
  { client }: Bench,
  { metadata: { namespace = '', uid: owner }, status }: CronJob,
  known: readonly KubeObject[],
): Promise<KubeObject[]> {
  const uids = new Set(known.map(({ metadata }) => metadata.uid))
  const unknown = (status?.active ?? []).filter(({ uid }) => !uids.has(uid))
  const asked = unknown.map(async ({ name = '', uid }) => {
    const job = await client.get({ apiVersion: 'batch/v1', kind: 'Job', namespace, name })
    return job && job.metadata.uid === uid && controllerOf(job)?.uid === owner ? job : undefined
  })
  return (await Promise.all(asked)).filter((job) => job !== undefined)
}

function scheduleText(cronJob: KubeObject): string {
  const { schedule, timeZone = '' } = as<CronJob>(cronJob).spec
  return `${schedule} ${timeZone}`
}
