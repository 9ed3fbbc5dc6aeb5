import { SluiceError } from '../../../lib/error/sluice-error.ts'
import type { KubeObject, ObjectMeta } from '../../../lib/kube/object.ts'
import type { WorkloadDecision } from '../decision.ts'
import type { Job } from '../job/shapes.ts'
import { byCreation, conditionOf, controlledBy, isSame, timeMs, timeText } from '../meta.ts'
import type { Telling, Write } from '../write.ts'
import { nextTimeMs, parseSchedule, type Schedule, zonedText } from './schedule.ts'
import { isOver } from '../job/decide.ts'

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
  if (cronJob.metadata.deletionTimestamp !== undefined) return { kind: 'done', status: [] }
  const surplus = surplusJobs(cronJob, jobs)
  if (surplus.length > 0) return { kind: 'act', changes: [...surplus, ...successWrites(cronJob, jobs)] }
  const noted = statusWrites(cronJob, jobs)
  if (noted.length > 0) return { kind: 'act', changes: noted }
  if (cronJob.spec.suspend) return { kind: 'done', status: [] }

  const schedule = readSchedule(cronJob)
  if (typeof schedule === 'string')
    return { kind: 'done', status: [tell(cronJob, 'Warning', 'UnparseableSchedule', schedule)] }
  const zone = cronJob.spec.timeZone ?? 'UTC'
  const nextMs = nextTimeMs(schedule, nowMs, zone)
  if (nextMs === undefined) {
    const why = `invalid schedule: ${cronJob.spec.schedule} : time difference between two schedules is less than 1 second`
    return { kind: 'done', status: [tell(cronJob, 'Warning', 'InvalidSchedule', why)] }
  }
  const again = { againAfterMs: nextMs - nowMs + LATE_MS }
  const due = seen.failure === undefined ? lastDueMs(cronJob, schedule, zone, nowMs) : undefined
  const start =
    due === undefined ? [] : [...missedWrites(cronJob, schedule, zone, nowMs), ...startWrites(cronJob, jobs, due)]
  return start.length > 0 ? { kind: 'act', changes: start } : { kind: 'done', status: [], ...again }
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
  const name = `${cronJob.metadata.name}-${Math.floor(dueMs / MINUTE_MS)}`
  const running = jobs.filter((job) => !isOver(job))
  const isReplaced = cronJob.spec.concurrencyPolicy === 'Replace' && running.length > 0
  const { active = [], ...rest } = cronJob.status ?? {}
  const listed = isReplaced
    ? active.filter((one) => !running.some(({ metadata }) => metadata.uid === uidOf(one)))
    : active
  const status = { ...rest, ...(listed.length > 0 && { active: listed }), lastScheduleTime: timeText(dueMs) }
  const noted: Write = { do: 'replace', object: { ...cronJob, status }, subresource: 'status' }
  if (jobs.some((job) => job.metadata.name === name)) return [noted]
  if (cronJob.spec.concurrencyPolicy === 'Forbid' && running.length > 0) {
    const message = 'Not starting job because prior execution is running and concurrency policy is Forbid'
    return [tell(cronJob, 'Normal', 'JobAlreadyActive', message), noted]
  }
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
  const scheduled = {
    'batch.kubernetes.io/cronjob-scheduled-timestamp': zonedText(dueMs, cronJob.spec.timeZone ?? 'UTC'),
  }
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

/** Jobs that have ended leave the list of active ones, and are told of once. */
function statusWrites(cronJob: CronJob, jobs: readonly Job[]): Write[] {
  const before = cronJob.status ?? {}
  const listed = new Map((before.active ?? []).map((one) => [uidOf(one), one]))
  const active = jobs.filter((job) => !isOver(job)).map((job) => listed.get(job.metadata.uid) ?? referenceTo(job))
  const ended = jobs.filter((job) => isOver(job) && listed.has(job.metadata.uid))
  const missing = [...listed.values()].filter((one) => !jobs.some(({ metadata }) => metadata.uid === uidOf(one)))
  const lastSuccessfulTime = lastSuccess(cronJob, jobs)
  const { active: _active, ...rest } = before
  const status = {
    ...rest,
    ...(active.length > 0 && { active }),
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

function lastSuccess({ status }: CronJob, jobs: readonly Job[]): string {
  const successes = jobs.map((job) => job.status?.completionTime).filter((at) => at !== undefined)
  return [...successes, status?.lastSuccessfulTime ?? ''].sort().at(-1) ?? ''
}

/** Notes the success of Jobs that go before they are looked at. */
function successWrites(cronJob: CronJob, jobs: readonly Job[]): Write[] {
  const lastSuccessfulTime = lastSuccess(cronJob, jobs)
  if (lastSuccessfulTime === (cronJob.status?.lastSuccessfulTime ?? '')) return []
  const status = { ...cronJob.status, lastSuccessfulTime }
  return [{ do: 'replace', object: { ...cronJob, status }, subresource: 'status' }]
}

function surplusJobs(cronJob: CronJob, jobs: readonly Job[]): Write[] {
  const { successfulJobsHistoryLimit = 3, failedJobsHistoryLimit = 1 } = cronJob.spec
  const present = jobs.filter((job) => job.metadata.deletionTimestamp === undefined)
  const oldest = (type: string, limit: number): Job[] => {
    const ended = present.filter((job) => conditionOf(job.status?.conditions, type)?.status === 'True').sort(byCreation)
    return ended.slice(0, Math.max(ended.length - limit, 0))
  }
  return [...oldest('Complete', successfulJobsHistoryLimit), ...oldest('Failed', failedJobsHistoryLimit)].map((job) =>
    deletion(cronJob, job),
  )
}

function deletion(cronJob: CronJob, job: Job): Write {
  const message = `Deleted job ${job.metadata.name}`
  return {
    do: 'delete',
    object: job,
    options: { propagationPolicy: 'Background' },
    tell: { about: cronJob, type: 'Normal', reason: 'SuccessfulDelete', message },
  }
}

function readSchedule(cronJob: CronJob): Schedule | string {
  try {
    return parseSchedule(cronJob.spec.schedule)
  } catch (error) {
    if (error instanceof SluiceError) return `unparseable schedule: "${cronJob.spec.schedule}" : ${error.message}`
    throw error
  }
}

/** What a CronJob's status says of a Job that runs: as it was when it was listed. */
type Reference = { readonly name?: string; readonly uid?: string }

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
