import { BACKOFF } from '../../../engine/controller.ts'
import { nextTimeMs } from '../../../lib/cron/next.ts'
import { CronError, parseSchedule, type Schedule } from '../../../lib/cron/parse.ts'
import { isZone } from '../../../lib/cron/zones.ts'
import type { KubeObject, ObjectMeta } from '../../../lib/kube/object.ts'
import type { WorkloadDecision } from '../decision.ts'
import type { Job } from '../job/shapes.ts'
import { compareText, conditionOf, controlledBy, isSame, timeMs, timeText } from '../meta.ts'
import type { Telling, Write } from '../write.ts'
import { zonedText } from './zoned-text.ts'
import { isOver } from '../job/ended.ts'

/** A CronJob. */
export type CronJob = KubeObject & {
  readonly spec: {
    readonly schedule: string
    readonly timeZone?: string
    readonly suspend?: boolean
    readonly concurrencyPolicy?: string
    readonly startingDeadlineSeconds?: number
    readonly successfulJobsHistoryLimit?: number
    readonly failedJobsHistoryLimit?: number
    readonly jobTemplate: { readonly metadata?: Partial<ObjectMeta>; readonly spec: Job['spec'] }
  }
  readonly status?: CronJobStatus
}

type CronJobStatus = {
  readonly active?: readonly Reference[]
  readonly lastScheduleTime?: string
  readonly lastSuccessfulTime?: string
}

/** What a CronJob's decision needs. */
export type CronJobSeen = {
  readonly cronJob: CronJob
  readonly jobs: readonly Job[]
  readonly failure?: string
  readonly nowMs: number
}

const MINUTE_MS = 60_000
const LOOK_BACK_MS = [60 * MINUTE_MS, 1440 * MINUTE_MS, 40 * 1440 * MINUTE_MS, 5 * 366 * 1440 * MINUTE_MS]
/** A run is made a moment after its minute has begun, as clocks differ. */
const LATE_MS = 100

/** Pure. Makes the Job whose time has come, keeps the list of running ones, and drops old ones. */
export function decideCronJob(seen: CronJobSeen): WorkloadDecision {
  const { cronJob, jobs, nowMs } = seen
  const surplus = surplusJobs(cronJob, jobs)
  const noted = statusWrites(cronJob, jobs, surplus, nowMs)
  if (noted.length > 0) return { kind: 'act', changes: noted }
  if (surplus.length > 0) return { kind: 'act', changes: surplus.map((job) => deletion(cronJob, job)) }
  const unexpected = unexpectedJobs(cronJob, jobs)
  if (cronJob.metadata.deletionTimestamp !== undefined) return { kind: 'done', status: unexpected }
  const { timeZone } = cronJob.spec
  if (timeZone !== undefined && !isZone(timeZone)) {
    const why = `invalid timeZone: "${timeZone}": unknown time zone ${timeZone}`
    return { kind: 'done', status: [...unexpected, tell(cronJob, 'Warning', 'UnknownTimeZone', why)] }
  }
  if (cronJob.spec.suspend) return { kind: 'done', status: unexpected }

  const told = [...unexpected, ...unsupported(cronJob)]
  const schedule = readSchedule(cronJob)
  if (typeof schedule === 'string')
    return { kind: 'done', status: [...told, tell(cronJob, 'Warning', 'UnparseableSchedule', schedule)] }
  const zone = timeZone ?? 'UTC'
  const nextMs = nextTimeMs(schedule, nowMs, zone)
  if (nextMs === undefined) {
    const why = `invalid schedule: ${cronJob.spec.schedule} : time difference between two schedules is less than 1 second`
    return { kind: 'done', status: [...told, tell(cronJob, 'Warning', 'InvalidSchedule', why)] }
  }
  const again = { againAfterMs: nextMs - nowMs + LATE_MS }
  const due = lastDueMs(cronJob, schedule, zone, nowMs)
  if (due === undefined || isListed(cronJob, jobName(cronJob, due))) return { kind: 'done', status: told, ...again }
  if (seen.failure !== undefined) return { kind: 'wait', afterMs: BACKOFF, status: told }
  const missed = missedWrites(cronJob, schedule, zone, nowMs)
  // the run is made up for once nothing runs any more
  if (cronJob.spec.concurrencyPolicy === 'Forbid' && (cronJob.status?.active ?? []).length > 0)
    return {
      kind: 'done',
      status: [...told, ...missed, tell(cronJob, 'Normal', 'JobAlreadyActive', FORBIDDEN)],
      ...again,
    }
  return { kind: 'act', changes: [...missed, ...startWrites(cronJob, jobs, due)] }
}

const FORBIDDEN = 'Not starting job because prior execution is running and concurrency policy is Forbid'

/** How long until a schedule's next time; not at all where it has none, so that somebody is told. */
export function untilNextMs(cronJob: CronJob, nowMs: number): number {
  const schedule = readSchedule(cronJob)
  const { timeZone = 'UTC' } = cronJob.spec
  const nextMs = typeof schedule === 'string' || !isZone(timeZone) ? undefined : nextTimeMs(schedule, nowMs, timeZone)
  return nextMs === undefined ? 0 : nextMs - nowMs + LATE_MS
}

const MOST_MISSED = 100

/** So many runs were missed that somebody ought to know; the latest is made all the same. */
function missedWrites(cronJob: CronJob, schedule: Schedule, zone: string, nowMs: number): Write[] {
  const first = nextTimeMs(schedule, fromMs(cronJob, nowMs), zone)
  const second = first === undefined ? undefined : nextTimeMs(schedule, first, zone)
  if (first === undefined || second === undefined) return []
  if (Math.floor((nowMs - first) / (second - first)) + 1 <= MOST_MISSED) return []
  const why = 'too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew'
  return [tell(cronJob, 'Warning', 'TooManyMissedTimes', why)]
}

/** Since when a run may be due: the last one, or the first moment whose deadline has not passed. */
function fromMs({ spec, status, metadata }: CronJob, nowMs: number): number {
  const since = timeMs(status?.lastScheduleTime) || timeMs(metadata.creationTimestamp)
  const { startingDeadlineSeconds: deadline } = spec
  return deadline === undefined ? since : Math.max(since, nowMs - deadline * 1000)
}

/** The latest time that has come since the last run and whose deadline has not passed. */
function lastDueMs(cronJob: CronJob, schedule: Schedule, zone: string, nowMs: number): number | undefined {
  const since = fromMs(cronJob, nowMs)
  if ('everyMs' in schedule) {
    const runs = Math.floor((nowMs - since) / schedule.everyMs)
    return runs < 1 ? undefined : Math.floor(since / 1000) * 1000 + runs * schedule.everyMs
  }
  // Looks back further and further: after a long sleep the first window has the answer already.
  for (const windowMs of LOOK_BACK_MS) {
    const due = lastWithin(schedule, zone, Math.max(since, nowMs - windowMs), nowMs)
    if (due !== undefined || nowMs - windowMs <= since) return due
  }
  return undefined
}

function lastWithin(schedule: Schedule, zone: string, sinceMs: number, nowMs: number): number | undefined {
  let due: number | undefined
  for (let next = nextTimeMs(schedule, sinceMs, zone); next !== undefined && next <= nowMs;) {
    due = next
    next = nextTimeMs(schedule, due, zone)
  }
  return due
}

function startWrites(cronJob: CronJob, jobs: readonly Job[], dueMs: number): Write[] {
  const name = jobName(cronJob, dueMs)
  const isReplaced = cronJob.spec.concurrencyPolicy === 'Replace'
  const { active = [], ...rest } = cronJob.status ?? {}
  const listed = isReplaced ? [] : active
  const status = { ...rest, ...(listed.length > 0 && { active: listed }), lastScheduleTime: timeText(dueMs) }
  const noted: Write = { do: 'replace', object: { ...cronJob, status }, subresource: 'status' }
  if (jobs.some((job) => job.metadata.name === name)) return [noted]
  const running = jobs.filter(({ metadata }) => active.some((one) => uidOf(one) === metadata.uid))
  const replaced = isReplaced ? running.map((job) => deletion(cronJob, job)) : []
  const object = jobOf(cronJob, name, dueMs)
  const created: Write = {
    do: 'create',
    object,
    tell: { about: cronJob, type: 'Normal', reason: 'SuccessfulCreate', message: `Created job ${name}` },
    tellFailure: { about: cronJob, type: 'Warning', reason: 'FailedCreate', message: 'Error creating job: {error}' },
  }
  return [...replaced, created, noted]
}

function jobOf(cronJob: CronJob, name: string, dueMs: number): Job {
  const { metadata = {}, spec } = cronJob.spec.jobTemplate
  const scheduled = { [SCHEDULED]: zonedText(dueMs, cronJob.spec.timeZone ?? 'UTC') }
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name,
      namespace: cronJob.metadata.namespace ?? '',
      ...(metadata.labels && { labels: metadata.labels }),
      annotations: { ...metadata.annotations, ...scheduled },
      ownerReferences: [controlledBy(cronJob)],
    },
    spec,
  }
}

/** When a Job was due: who has it was made by this controller. */
const SCHEDULED = 'batch.kubernetes.io/cronjob-scheduled-timestamp'

const jobName = ({ metadata }: CronJob, dueMs: number): string => `${metadata.name}-${Math.floor(dueMs / MINUTE_MS)}`

const isListed = ({ status }: CronJob, job: string): boolean => (status?.active ?? []).some(({ name }) => name === job)

/** A zone in the schedule works, but was never promised. */
function unsupported(cronJob: CronJob): Write[] {
  const { schedule } = cronJob.spec
  if (!schedule.includes('TZ')) return []
  const see = 'https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details'
  const why = `CRON_TZ or TZ used in schedule "${schedule}" is not officially supported, see ${see}`
  return [tell(cronJob, 'Warning', 'UnsupportedSchedule', why)]
}

/** Jobs that somebody else gave to the CronJob are not listed, only told of. */
function unexpectedJobs(cronJob: CronJob, jobs: readonly Job[]): Write[] {
  const listed = new Set((cronJob.status?.active ?? []).map(uidOf))
  return jobs
    .filter((job) => !isOver(job) && !listed.has(job.metadata.uid))
    .map(({ metadata: { name } }) =>
      tell(cronJob, 'Warning', 'UnexpectedJob', `Saw a job that the controller did not create or forgot: ${name}`),
    )
}

/** Jobs that have ended leave the list of active ones, and are told of once: what is dropped at the same time as dropped only. */
function statusWrites(cronJob: CronJob, jobs: readonly Job[], surplus: readonly Job[], nowMs: number): Write[] {
  const before = cronJob.status ?? {}
  const listed = new Map((before.active ?? []).map((one) => [uidOf(one), one]))
  const running = new Set(jobs.filter((job) => !isOver(job)))
  const made = [...running].filter(({ metadata }) => !listed.has(metadata.uid) && metadata.annotations?.[SCHEDULED])
  const isRunning = (one: Reference): boolean => [...running].some(({ metadata }) => metadata.uid === uidOf(one))
  const active = [...[...listed.values()].filter(isRunning), ...made.map(referenceTo)]
  const ended = jobs.filter((job) => isOver(job) && listed.has(job.metadata.uid) && !surplus.includes(job))
  const missing = [...listed.values()].filter((one) => !jobs.some(({ metadata }) => metadata.uid === uidOf(one)))
  const lastScheduleTime = lastSchedule(cronJob, jobs, nowMs)
  const lastSuccessfulTime = lastSuccess(cronJob, jobs)
  const { active: _active, ...rest } = before
  const status = {
    ...rest,
    ...(active.length > 0 && { active }),
    ...(lastScheduleTime !== undefined && { lastScheduleTime }),
    ...(lastSuccessfulTime !== '' && { lastSuccessfulTime }),
  }
  if (isSame(before, status)) return []
  const tells = ended.map((job) => {
    const outcome = conditionOf(job.status?.conditions, 'Complete') ? 'Complete' : 'Failed'
    return tell(cronJob, 'Normal', 'SawCompletedJob', `Saw completed job: ${job.metadata.name}, condition: ${outcome}`)
  })
  const lost = missing.map(({ name = '' }) => tell(cronJob, 'Normal', 'MissingJob', `Active job went missing: ${name}`))
  return [{ do: 'replace', object: { ...cronJob, status }, subresource: 'status' }, ...tells, ...lost]
}

/** A run that was made, and of which that could not be noted, is not made again when its Job is gone. */
function lastSchedule({ status }: CronJob, jobs: readonly Job[], nowMs: number): string | undefined {
  const dueMs = jobs.map(({ metadata }) => timeMs(metadata.annotations?.[SCHEDULED])).filter((atMs) => atMs <= nowMs)
  const latestMs = Math.max(0, ...dueMs)
  return latestMs > timeMs(status?.lastScheduleTime) ? timeText(latestMs) : status?.lastScheduleTime
}

function lastSuccess({ status }: CronJob, jobs: readonly Job[]): string {
  const successes = jobs.map((job) => job.status?.completionTime).filter((at) => at !== undefined)
  return [...successes, status?.lastSuccessfulTime ?? ''].sort().at(-1) ?? ''
}

function surplusJobs(cronJob: CronJob, jobs: readonly Job[]): Job[] {
  const { successfulJobsHistoryLimit = 3, failedJobsHistoryLimit = 1 } = cronJob.spec
  const present = jobs.filter((job) => job.metadata.deletionTimestamp === undefined)
  const oldest = (type: string, limit: number): Job[] => {
    const ended = present.filter((job) => conditionOf(job.status?.conditions, type)?.status === 'True').sort(byStart)
    return ended.slice(0, Math.max(ended.length - limit, 0))
  }
  return [...oldest('Complete', successfulJobsHistoryLimit), ...oldest('Failed', failedJobsHistoryLimit)]
}

/** Whoever has not started comes last; the name decides between twins. */
function byStart(a: Job, b: Job): number {
  const startMs = ({ status }: Job): number => timeMs(status?.startTime) || Infinity
  const [first, second] = [startMs(a), startMs(b)]
  return first === second ? compareText(a.metadata.name, b.metadata.name) : first - second
}

function deletion(cronJob: CronJob, job: Job): Write {
  const message = `Deleted job ${job.metadata.name}`
  return {
    do: 'delete',
    object: job,
    options: { propagationPolicy: 'Background' },
    tell: { about: cronJob, type: 'Normal', reason: 'SuccessfulDelete', message },
    tellFailure: { about: cronJob, type: 'Warning', reason: 'FailedDelete', message: 'Deleted job: {error}' },
  }
}

function readSchedule(cronJob: CronJob): Schedule | string {
  try {
    return parseSchedule(cronJob.spec.schedule)
  } catch (error) {
    if (error instanceof CronError) return `unparseable schedule: "${cronJob.spec.schedule}" : ${error.message}`
    throw error
  }
}

/** What a CronJob's status says of a Job that runs: as it was when it was listed. */
export type Reference = { readonly name?: string; readonly uid?: string }

const uidOf = ({ uid }: Reference): string | undefined => uid

function referenceTo(job: Job): Reference {
  const { name, namespace, uid, resourceVersion } = job.metadata
  return {
    ...{ kind: 'Job', namespace, resourceVersion, apiVersion: 'batch/v1' },
    name,
    ...(uid !== undefined && { uid }),
  }
}

function tell(about: KubeObject, type: Telling['type'], reason: string, message: string): Write {
  return { do: 'tell', tell: { about, type, reason, message } }
}
