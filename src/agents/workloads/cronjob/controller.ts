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
import { decideCronJob, type CronJob, type CronJobSeen, type Reference, untilNextMs } from './decide.ts'

/** The CronJob controller: watches CronJobs and their Jobs, and sleeps until the next run. */
export function cronJobController(bench: Bench): Controller<CronJobSeen, Write, readonly Write[]> {
  const cronJobs = bench.cache('batch/v1', 'CronJob')
  const jobs = bench.cache('batch/v1', 'Job')
  let jobsOf: OwnedIndex | undefined
  /** The Job that was made last, until the copy has it or the server says that there is none. */
  const unheard = new Map<string, string>()

  const controller = workloadController<CronJobSeen>(bench, {
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
      const made = unheard.get(key)
      if (!cronJob) return void unheard.delete(key)
      const known = jobsOf?.of(cronJob.metadata.uid ?? '') ?? []
      const unknown = await unknownJobs(bench, cronJob, known, made)
      if (!unknown.some(({ metadata: { name } }) => name === made)) unheard.delete(key)
      return {
        cronJob,
        jobs: [...known, ...unknown].map((job) => as<Job>(job)),
        ...(failure !== undefined && { failure }),
        nowMs: bench.clock.nowMs(),
      }
    },
    decide: decideCronJob,
  })
  return {
    ...controller,
    act(writes, seen, key) {
      for (const write of writes) if (write.do === 'create') unheard.set(key, write.object.metadata.name)
      return controller.act(writes, seen, key)
    },
  }
}

/**
 * Jobs that the copy does not have, as it may be behind, and what runs already may forbid the next run: those that the CronJob lists, and the
 * one that was made last, of which the answer may have been lost.
 */
async function unknownJobs(
  { client }: Bench,
  { metadata: { namespace = '', uid: owner }, status }: CronJob,
  known: readonly KubeObject[],
  made: string | undefined,
): Promise<KubeObject[]> {
  const uids = new Set(known.map(({ metadata }) => metadata.uid))
  const listed = (status?.active ?? []).filter(({ uid }) => !uids.has(uid))
  const isSeen =
    made === undefined || [...known.map(({ metadata }) => metadata), ...listed].some(({ name }) => name === made)
  const asked = [...listed, ...(isSeen ? [] : [{ name: made }])].map(async ({ name = '', uid }: Reference) => {
    const job = await client.get({ apiVersion: 'batch/v1', kind: 'Job', namespace, name })
    const isMeant = uid === undefined || job?.metadata.uid === uid
    return job && isMeant && controllerOf(job)?.uid === owner ? job : undefined
  })
  return (await Promise.all(asked)).filter((job) => job !== undefined)
}

function scheduleText(cronJob: KubeObject): string {
  const { schedule, timeZone = '' } = as<CronJob>(cronJob).spec
  return `${schedule} ${timeZone}`
}
