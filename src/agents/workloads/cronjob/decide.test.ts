import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BACKOFF } from '../../../engine/controller.ts'
import type { Job } from '../job/shapes.ts'
import { decideCronJob, untilNextMs, type CronJob } from './decide.ts'
import { zonedText } from './zoned-text.ts'

const cronJob: CronJob = {
  apiVersion: 'batch/v1',
  kind: 'CronJob',
  metadata: { name: 'report', namespace: 'a', uid: 'c', creationTimestamp: '2026-11-23T04:00:30Z' },
  spec: { schedule: '* * * * *', jobTemplate: { spec: { template: { spec: { containers: [{ name: 'c' }] } } } } },
}
const at = (time: string) => ({ cronJob, jobs: [], nowMs: Date.parse(time) })

test('a CronJob waits for its minute, then makes one Job named after it', () => {
  const early = decideCronJob(at('2026-11-23T04:00:40Z'))
  assert.deepEqual(early, { kind: 'done', status: [], againAfterMs: 20_100 })
  const due = decideCronJob(at('2026-11-23T04:01:00Z'))
  assert.ok(due.kind === 'act' && due.changes[0]?.do === 'create')
  assert.equal(due.changes[0].object.metadata.name, `report-${Date.parse('2026-11-23T04:01:00Z') / 60_000}`)
})

test('after a long sleep only the last run is made up for', () => {
  const late = decideCronJob(at('2027-03-01T00:00:10Z'))
  assert.ok(late.kind === 'act')
  const made = late.changes.filter((write) => write.do === 'create')
  assert.deepEqual(
    made.map((write) => write.do === 'create' && write.object.metadata.name),
    [`report-${Date.parse('2027-03-01T00:00:00Z') / 60_000}`],
  )
})

const job = (name: string, more: Partial<Job> = {}): Job => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name, namespace: 'a', uid: name },
  spec: cronJob.spec.jobTemplate.spec,
  ...more,
})
const ended = { conditions: [{ type: 'Complete', status: 'True' }] }
const running = { name: 'old', uid: 'old' }

function decided(spec: Partial<CronJob['spec']>, status: CronJob['status'], jobs: readonly Job[]): string[] {
  const own = { ...cronJob, spec: { ...cronJob.spec, ...spec }, ...(status && { status }) }
  const decision = decideCronJob({ cronJob: own, jobs, nowMs: Date.parse('2026-11-23T06:01:00Z') })
  const writes = decision.kind === 'act' ? decision.changes : decision.status
  return [
    decision.kind,
    ...writes.map((write) =>
      write.do === 'tell'
        ? write.tell.reason
        : 'object' in write
          ? `${write.do} ${write.object.metadata.name}`
          : write.do,
    ),
  ]
}

test('a run that may not start beside another is told of, and made up for later', () => {
  const status = { active: [running], lastScheduleTime: '2026-11-23T06:00:00Z' }
  assert.deepEqual(decided({ concurrencyPolicy: 'Forbid' }, status, [job('old')]), ['done', 'JobAlreadyActive'])
})

test('a run that replaces another ends what is listed', () => {
  const status = { active: [running], lastScheduleTime: '2026-11-23T06:00:00Z' }
  const name = `report-${Date.parse('2026-11-23T06:01:00Z') / 60_000}`
  const steps = decided({ concurrencyPolicy: 'Replace' }, status, [job('old'), job('by-hand')])
  assert.deepEqual(steps, ['act', 'delete old', `create ${name}`, 'replace report'])
})

test('a run that could not be made is tried again soon, not at the next time', () => {
  const spec = { ...cronJob.spec, schedule: '0 6 * * *' }
  const seen = { cronJob: { ...cronJob, spec }, jobs: [], nowMs: Date.parse('2026-11-23T06:01:00Z') }
  assert.deepEqual(decideCronJob({ ...seen, failure: 'exceeded quota' }), {
    ...{ kind: 'wait', afterMs: BACKOFF, status: [] },
  })
})

// a status that was refused after the creation, a Job that is dropped as soon as it has ended
test('a run that was made is noted by its Job, before that may go', () => {
  const dueAt = (time: string): Partial<Job> => ({
    metadata: { name: 'run', uid: 'run', annotations: { 'batch.kubernetes.io/cronjob-scheduled-timestamp': time } },
    status: ended,
  })
  const noted = (time: string, before?: string): string | undefined => {
    const own = { ...cronJob, ...(before !== undefined && { status: { lastScheduleTime: before } }) }
    const decision = decideCronJob({
      cronJob: { ...own, spec: { ...own.spec, suspend: true } },
      jobs: [job('run', dueAt(time))],
      nowMs: Date.parse('2026-11-23T06:01:00Z'),
    })
    const [write] = decision.kind === 'act' ? decision.changes : []
    return write?.do === 'replace' ? (write.object as CronJob).status?.lastScheduleTime : before
  }
  assert.equal(noted('2026-11-23T15:01:00+09:00'), '2026-11-23T06:01:00Z')
  assert.equal(noted('2026-11-23T05:00:00Z', '2026-11-23T06:00:00Z'), '2026-11-23T06:00:00Z')
  assert.equal(noted('2026-11-23T07:00:00Z', '2026-11-23T06:00:00Z'), '2026-11-23T06:00:00Z', 'not come yet')
  assert.equal(noted('soon', '2026-11-23T06:00:00Z'), '2026-11-23T06:00:00Z')
})

test('a Job that somebody else made is told of, not listed', () => {
  assert.deepEqual(decided({ suspend: true }, {}, [job('by-hand')]), ['done', 'UnexpectedJob'])
  assert.deepEqual(decided({ suspend: true }, {}, [job('by-hand', { status: ended })]), ['done'])
})

// the Events of Kubernetes 1.37
test('a Job that has ended is told of, unless it is dropped at the same time', () => {
  const jobs = [job('old', { status: ended })]
  const spec = { suspend: true, successfulJobsHistoryLimit: 0 }
  assert.deepEqual(decided({ suspend: true }, { active: [running] }, jobs), [
    'act',
    'replace report',
    'SawCompletedJob',
  ])
  assert.deepEqual(decided(spec, { active: [running] }, jobs), ['act', 'replace report'])
  assert.deepEqual(decided(spec, {}, jobs), ['act', 'delete old'])
})

test('of the Jobs that have ended the first to start are dropped, by name where they started at once', () => {
  const started = (name: string, startTime?: string) =>
    job(name, { status: { ...ended, ...(startTime !== undefined && { startTime }) } })
  const jobs = [started('d'), started('c', '2026-11-23T05:00:01Z'), ...['b', 'a'].map((name) => started(name, FIRST))]
  assert.deepEqual(decided({ suspend: true, successfulJobsHistoryLimit: 1 }, {}, jobs), [
    ...['act', 'delete a', 'delete b', 'delete c'],
  ])
})
const FIRST = '2026-11-23T05:00:00Z'

test('a CronJob of a zone that nobody knows says so and rests', () => {
  assert.deepEqual(decided({ timeZone: 'Nowhere/Land' }, {}, []), ['done', 'UnknownTimeZone'])
  assert.equal(untilNextMs({ ...cronJob, spec: { ...cronJob.spec, timeZone: 'Nowhere/Land' } }, 0), 0)
})

test('a zone in the schedule is told of, and used', () => {
  const [kind, said] = decided({ schedule: 'TZ=UTC * * * * *' }, { lastScheduleTime: '2026-11-23T06:01:00Z' }, [])
  assert.deepEqual([kind, said], ['done', 'UnsupportedSchedule'])
})

test('runs of an interval are counted from the last one', () => {
  const status = { lastScheduleTime: '2026-11-23T02:40:10Z' }
  const name = `report-${Date.parse('2026-11-23T05:40:00Z') / 60_000}`
  assert.deepEqual(decided({ schedule: '@every 30m' }, status, []), ['act', `create ${name}`, 'replace report'])
})

for (const [zone, want] of [
  ['UTC', '2026-11-27T13:37:00Z'],
  ['Asia/Tokyo', '2026-11-27T22:37:00+09:00'],
  ['America/St_Johns', '2026-11-27T10:07:00-03:30'],
] as const)
  test(`a moment in ${zone}`, () => assert.equal(zonedText(Date.parse('2026-11-27T13:37:00Z'), zone), want))
