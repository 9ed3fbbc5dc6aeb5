import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  forSeeds,
  type RunOptions,
  servedKind,
  simulateCluster,
  type SimulatedCluster,
  START_MS,
} from '../../../../tests/support/simulated-cluster.ts'
import { untilSettled, workInTrouble } from '../../../../tests/support/until-settled.ts'
import { nextTimeMs } from '../../../lib/cron/next.ts'
import { parseSchedule } from '../../../lib/cron/parse.ts'
import type { KubeObject } from '../../../lib/kube/object.ts'
import { isOver } from '../job/ended.ts'
import type { Job } from '../job/shapes.ts'
import { conditionOf, controlledBy, controllerOf, timeMs, timeText } from '../meta.ts'
import { cronJobController } from './controller.ts'
import type { CronJob } from './decide.ts'

// not at the full minute, at which schedules are due
const BEGIN_MS = START_MS + 10_000
const kinds = [servedKind('batch/v1', 'CronJob', 'cronjobs'), servedKind('batch/v1', 'Job', 'jobs')]
const MINUTE_MS = 60_000

const cronJobOf = (cluster: SimulatedCluster): CronJob => cluster.store.of<CronJob>('CronJob')[0] as CronJob
const mineOf = (cluster: SimulatedCluster): Job[] =>
  cluster.store.of<Job>('Job').filter((job) => controllerOf(job)?.uid === 'c')

function anyCronJob({ chance: { pick, int, is } }: SimulatedCluster): CronJob {
  const jobTemplate = { spec: { template: { spec: { containers: [] } } } }
  const active = ['c-1', 'gone', 's-0', 's-1', 's-2'].filter(() => is(0.3))
  return {
    ...{ apiVersion: 'batch/v1', kind: 'CronJob' },
    metadata: { name: 'c', namespace: 'a', uid: 'c', creationTimestamp: timeText(BEGIN_MS - 3 * 60 * MINUTE_MS) },
    spec: {
      schedule: pick(['* * * * *', '*/2 * * * *', '*/5 3-5 * * *', '@every 1h', '0 4 * * *']),
      ...(is(0.3) && { timeZone: pick(['Etc/UTC', 'Asia/Kolkata']) }),
      concurrencyPolicy: pick(['Allow', 'Forbid', 'Replace']),
      ...(is(0.3) && { startingDeadlineSeconds: 20 + int(300) }),
      successfulJobsHistoryLimit: int(2),
      failedJobsHistoryLimit: int(2),
      suspend: is(0.1),
      jobTemplate,
    },
    status: {
      ...(active.length > 0 && { active: active.map((name) => ({ name, namespace: 'a', uid: name, kind: 'Job' })) }),
      ...(is(0.7) && { lastScheduleTime: timeText(BEGIN_MS - int(3 * 3600) * 1000) }),
      ...(is(0.3) && { lastSuccessfulTime: timeText(BEGIN_MS - int(3600) * 1000) }),
    },
  }
}

/** Jobs in any state, of the CronJob and of nobody, of another and of a former one of its name. */
function anyJobs(cluster: SimulatedCluster, cronJob: CronJob): void {
  const { pick, int, is } = cluster.chance
  for (let at = 0; at < int(5); at++) {
    const owner = pick([cronJob, cronJob, undefined, { ...cronJob, metadata: { ...cronJob.metadata, uid: 'former' } }])
    const dueMs = BEGIN_MS - int(180) * MINUTE_MS
    cluster.store.put({
      ...{ apiVersion: 'batch/v1', kind: 'Job', spec: cronJob.spec.jobTemplate.spec },
      metadata: {
        ...{ name: `s-${at}`, namespace: 'a', uid: `s-${at}` },
        ...(is(0.6) && { annotations: { 'batch.kubernetes.io/cronjob-scheduled-timestamp': timeText(dueMs) } }),
        ...(owner && { ownerReferences: [controlledBy(owner)] }),
        ...(is(0.1) && { deletionTimestamp: timeText(BEGIN_MS), finalizers: ['held'] }),
      },
      status: pick([{}, { startTime: timeText(dueMs) }, ended(dueMs, 'Complete'), ended(dueMs, 'Failed')]),
    })
  }
}

const dueOf = ({ metadata }: KubeObject): number =>
  timeMs(metadata.annotations?.['batch.kubernetes.io/cronjob-scheduled-timestamp'])

function ended(atMs: number, type: string): Job['status'] {
  const at = timeText(atMs)
  return {
    startTime: at,
    ...(type === 'Complete' && { completionTime: at }),
    conditions: [{ type, status: 'True', lastTransitionTime: at }],
  }
}

/** Jobs run for a while and end. */
function others({ chance: { is }, clock, store }: SimulatedCluster): boolean {
  let isBusy = false
  for (const job of store.of<Job>('Job').filter((each) => !isOver(each))) {
    isBusy = true
    if (is(0.8)) continue
    store.put({ ...job, status: ended(clock.nowMs(), is(0.7) ? 'Complete' : 'Failed') } as KubeObject)
  }
  return isBusy
}

/** What holds of each Job that is made: its time has come, and comes once, and what runs already does not forbid it. */
function mayRun(cluster: SimulatedCluster, made: Set<string>, job: KubeObject): void {
  const { name } = job.metadata
  const { concurrencyPolicy, startingDeadlineSeconds = Infinity, suspend } = cronJobOf(cluster).spec
  const lateMs = cluster.clock.nowMs() - dueOf(job)
  assert.ok(!suspend && lateMs >= 0 && lateMs <= startingDeadlineSeconds * 1000, `${name} is ${lateMs} ms late`)
  assert.ok(!made.has(name), `${name} runs twice`)
  const running = mineOf(cluster).filter((other) => made.has(other.metadata.name) && !isOver(other))
  if (concurrencyPolicy !== 'Allow')
    assert.deepEqual(
      running.map(({ metadata }) => metadata.name),
      [],
      concurrencyPolicy,
    )
  made.add(name)
}

function holds(cluster: SimulatedCluster): void {
  const { spec, status = {} } = cronJobOf(cluster)
  const { suspend, schedule, timeZone = 'UTC', startingDeadlineSeconds } = spec
  const mine = mineOf(cluster).filter(({ metadata }) => metadata.deletionTimestamp === undefined)
  const kept = (type: string): number => mine.filter((job) => conditionOf(job.status?.conditions, type)).length
  assert.ok(kept('Complete') <= (spec.successfulJobsHistoryLimit ?? 3))
  assert.ok(kept('Failed') <= (spec.failedJobsHistoryLimit ?? 1))
  assert.deepEqual(status.active ?? [], [], 'what has ended is listed')
  const { lastScheduleTime } = status
  if (suspend || startingDeadlineSeconds !== undefined) return
  const since = timeMs(lastScheduleTime) || timeMs(cronJobOf(cluster).metadata.creationTimestamp)
  const next = nextTimeMs(parseSchedule(schedule), since, timeZone) ?? 0
  assert.ok(next > cluster.clock.nowMs(), `the run of ${timeText(next)} was left out`)
}

test('a CronJob runs every time once, as its policy says, from any state, and a second run writes nothing', () =>
  forSeeds(12, async (seed) => {
    const cluster = simulateCluster(seed, kinds, BEGIN_MS)
    const { clock } = cluster
    const given = anyCronJob(cluster)
    cluster.store.put(given)
    anyJobs(cluster, given)
    const made = new Set<string>()
    const times = new Set(mineOf(cluster).map(dueOf))
    const options: RunOptions = {
      onWrite({ verb, args: [job] }) {
        if (verb !== 'create' || cluster.store.get('Job', 'a', job.metadata.name)) return
        mayRun(cluster, made, job)
        times.add(dueOf(job))
      },
      round() {
        const at = cronJobOf(cluster).status?.lastScheduleTime
        assert.ok(
          at === given.status?.lastScheduleTime || times.has(timeMs(at)),
          `the run of ${at} was noted, not made`,
        )
        return others(cluster)
      },
      roundMs: 20_000,
    }
    await workInTrouble(cluster, (bench) => [cronJobController(bench)], options, 160)
    // then no time comes any more: between two minutes all is quiet
    clock.turnTo(clock.nowMs() + MINUTE_MS - (clock.nowMs() % MINUTE_MS) + 10_000)
    await untilSettled(cluster, (bench) => [cronJobController(bench)], { ...options, roundMs: 100, quietMs: 2000 })
    holds(cluster)
  }))
