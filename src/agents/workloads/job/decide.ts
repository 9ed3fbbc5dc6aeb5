import { BACKOFF } from '../../../engine/controller.ts'
import { claim } from '../claim.ts'
import type { WorkloadDecision } from '../decision.ts'
import { conditionOf, isSame, timeMs, timeText } from '../meta.ts'
import { isActivePod } from '../pods.ts'
import type { Condition, Pod } from '../shapes.ts'
import type { Telling, Write } from '../write.ts'
import { countPods, releaseWrite } from './count.ts'
import { endingOf, isHeld, isOver, TRACKING } from './ended.ts'
import { failureOf, retryAfterMs } from './failure.ts'
import { indexFailure } from './index-failures.ts'
import { parseIndexes } from './indexes.ts'
import { missingPods } from './pods.ts'
import type { Remembered } from './remembered.ts'
import { successOf } from './success.ts'
import { surplusPods } from './surplus.ts'
import type { Job, JobStatus } from './shapes.ts'

/** What a Job's decision needs. */
export type JobSeen = {
  readonly job: Job
  readonly candidates: readonly Pod[]
  readonly failure?: string
  readonly remembered: Remembered
  readonly nowMs: number
}

const SELF = 'kubernetes.io/job-controller'

/** So long the pods that suspension has ended are shown as terminating: the original looks at pods once a second. Times are in whole seconds. */
const SHOWN_MS = 2000

/** Pure. Runs a Job's pods to completion, or to the failure that its limits name. */
export function decideJob(seen: JobSeen): WorkloadDecision {
  const { job, nowMs } = seen
  if ((job.spec.managedBy ?? SELF) !== SELF) return isOver(job) ? expiry(job, nowMs) : { kind: 'done', status: [] }
  const { mine, writes } = claim(job, job.spec.selector ?? {}, seen.candidates, TRACKING)
  if (writes.length > 0) return act(writes)
  if (isOver(job)) return afterTheEnd(job, mine, nowMs)
  const ending = endingOf(job)
  if (ending && ending !== 'deleted') {
    const active = mine.filter(isActivePod)
    if (active.length > 0)
      return act(ending === 'complete' ? drop(job, active) : active.map((pod) => deletion(job, pod)))
  }
  const { status: counted, isNews, release } = countPods(job, mine, ending)
  if (isNews) return act([statusWrite(job, counted)])
  if (release.length > 0) return act(release)
  const isAllCounted = Object.keys(counted.uncountedTerminatedPods ?? {}).length === 0

  const ended = endOf(job, mine, counted, nowMs)
  if (ended) return finish(seen, counted, ended, isAllCounted)
  if (job.metadata.deletionTimestamp !== undefined) return settled(job, counted)
  if (job.spec.suspend) return suspended(seen, mine, counted)
  const resumed = resumption(job, counted, nowMs)
  return resumed ? act([statusWrite(job, resumed.status, resumed.tell)]) : running(seen, mine, counted)
}

function running(seen: JobSeen, mine: readonly Pod[], counted: JobStatus): WorkloadDecision {
  const { job, nowMs } = seen
  if (counted.startTime === undefined) return act([statusWrite(job, { ...counted, startTime: timeText(nowMs) })])
  const active = mine.filter(isActivePod)
  const wanted = wantedActive(job, counted, active.length)
  const surplus = surplusPods(job, active, wanted, nowMs)
  if (surplus.length > 0) return act(drop(job, surplus))
  const deadlineMs = deadlineAfterMs(job, counted, nowMs)
  const leaving = job.spec.podReplacementPolicy === 'Failed' ? (counted.terminating ?? 0) : 0
  const count = Math.max(wanted - active.length - leaving, 0)
  const { writes, waitMs } = missingPods(job, mine, counted, {
    ...{ count, nowMs },
    waitMs: retryAfterMs(mine, seen.remembered, nowMs),
  })
  if (writes.length > 0 && seen.failure === undefined) return act(writes)
  const again = [...(count > 0 && waitMs > 0 ? [waitMs] : []), ...(deadlineMs !== undefined ? [deadlineMs] : [])]
  const decision = settled(job, counted)
  if (seen.failure !== undefined && decision.kind === 'done')
    return { kind: 'wait', afterMs: BACKOFF, status: decision.status }
  return again.length > 0 && decision.kind === 'done'
    ? { ...decision, againAfterMs: Math.max(Math.min(...again), 1) }
    : decision
}

function wantedActive(job: Job, counted: JobStatus, active: number): number {
  const { completions, parallelism = 1 } = job.spec
  const succeeded = counted.succeeded ?? 0
  if (completions === undefined) return succeeded > 0 ? active : parallelism
  const failed = parseIndexes(counted.failedIndexes).size
  return Math.max(Math.min(completions - succeeded - failed, parallelism), 0)
}

/** The conditions that say why the Job ends; `undefined` while it goes on. */
function endOf(
  job: Job,
  mine: readonly Pod[],
  counted: JobStatus,
  nowMs: number,
): { target: Condition; final: string } | undefined {
  const before = job.status?.conditions
  const failing = conditionOf(before, 'FailureTarget')
  if (failing) return { target: failing, final: 'Failed' }
  const meeting = conditionOf(before, 'SuccessCriteriaMet')
  if (meeting) return { target: meeting, final: 'Complete' }
  const failure = failureOf(job, mine, counted, nowMs) ?? indexFailure(job, counted)
  if (failure) return { target: condition('FailureTarget', failure.reason, failure.message, nowMs), final: 'Failed' }
  const success = successOf(job, counted)
  if (success !== undefined)
    return { target: condition('SuccessCriteriaMet', 'SuccessPolicy', success, nowMs), final: 'Complete' }
  const { completions } = job.spec
  const succeeded = (counted.succeeded ?? 0) + (counted.uncountedTerminatedPods?.succeeded ?? []).length
  const isMet = completions === undefined ? succeeded > 0 && counted.active === 0 : succeeded >= completions
  if (!isMet) return undefined
  const message = 'Reached expected number of succeeded pods'
  return { target: condition('SuccessCriteriaMet', 'CompletionsReached', message, nowMs), final: 'Complete' }
}

function finish(
  { job, nowMs }: JobSeen,
  counted: JobStatus,
  { target, final }: { readonly target: Condition; readonly final: string },
  isAllCounted: boolean,
): WorkloadDecision {
  const others = (job.status?.conditions ?? []).filter(({ type }) => type !== target.type && type !== final)
  const startTime = counted.startTime ?? (job.spec.suspend === true ? undefined : timeText(nowMs))
  const aiming = { ...counted, ...(startTime !== undefined && { startTime }), conditions: [...others, target] }
  if (!conditionOf(job.status?.conditions, target.type)) return act([statusWrite(job, aiming)])
  if (!isAllCounted || (counted.terminating ?? 0) > 0) return settled(job, aiming)

  const isComplete = final === 'Complete'
  const { reason = '', message = '' } = target
  const ended: JobStatus = {
    ...aiming,
    ...(isComplete && { completionTime: timeText(nowMs) }),
    conditions: [...aiming.conditions, condition(final, reason, message, nowMs)],
  }
  const tell: Telling = isComplete
    ? { about: job, type: 'Normal', reason: 'Completed', message: 'Job completed' }
    : { about: job, type: 'Warning', reason, message }
  const isTooMany = isComplete && (ended.succeeded ?? 0) > (job.spec.completions ?? Infinity)
  return act([...(isTooMany ? [tooManySucceeded(job)] : []), statusWrite(job, ended, tell)])
}

function tooManySucceeded(job: Job): Write {
  const message = 'Too many succeeded pods running after completion count reached'
  return { do: 'tell', tell: { about: job, type: 'Warning', reason: 'TooManySucceededPods', message } }
}

function resumption(job: Job, counted: JobStatus, nowMs: number): { status: JobStatus; tell: Telling } | undefined {
  if (!isSuspended(job)) return undefined
  const entry = { ...condition('Suspended', 'JobResumed', 'Job resumed', nowMs), status: 'False' }
  const tell: Telling = { about: job, type: 'Normal', reason: 'Resumed', message: 'Job resumed' }
  return { status: { ...withSuspended(counted, entry), startTime: timeText(nowMs) }, tell }
}

/** Ends the pods of a suspended Job without counting them, and says with their end that it is suspended. */
function suspended({ job, nowMs }: JobSeen, mine: readonly Pod[], counted: JobStatus): WorkloadDecision {
  const active = mine.filter(isActivePod)
  if (active.some(isHeld)) return act(active.filter(isHeld).map(releaseWrite))
  const deletions = active.map((pod) => deletion(job, pod))
  const ended = { ...counted, active: 0, ready: 0, terminating: (counted.terminating ?? 0) + active.length }
  if (endOf(job, mine, ended, nowMs)) return act(deletions)
  if (!isSuspended(job)) {
    const { startTime: _start, ...rest } = ended
    const entry = condition('Suspended', 'JobSuspended', 'Job suspended', nowMs)
    const tell: Telling = { about: job, type: 'Normal', reason: 'Suspended', message: 'Job suspended' }
    return act([...deletions, statusWrite(job, withSuspended(rest, entry), tell)])
  }
  if (deletions.length > 0) return act([...deletions, statusWrite(job, ended)])
  const sinceMs = timeMs(conditionOf(job.status?.conditions, 'Suspended')?.lastTransitionTime)
  const shown = job.status?.terminating ?? 0
  if (nowMs >= sinceMs + SHOWN_MS || shown <= (counted.terminating ?? 0)) return settled(job, counted)
  const decision = settled(job, { ...counted, terminating: shown })
  return decision.kind === 'done' ? { ...decision, againAfterMs: sinceMs + SHOWN_MS - nowMs } : decision
}

function isSuspended({ status }: Job): boolean {
  return conditionOf(status?.conditions, 'Suspended')?.status === 'True'
}

function withSuspended(status: JobStatus, entry: Condition): JobStatus {
  return { ...status, conditions: [...(status.conditions ?? []).filter(({ type }) => type !== 'Suspended'), entry] }
}

function afterTheEnd(job: Job, mine: readonly Pod[], nowMs: number): WorkloadDecision {
  const held = mine.filter(isHeld)
  if (held.length > 0) return act(held.map(releaseWrite))
  return expiry(job, nowMs)
}

function expiry(job: Job, nowMs: number): WorkloadDecision {
  const { ttlSecondsAfterFinished: ttl } = job.spec
  if (ttl === undefined || job.metadata.deletionTimestamp !== undefined) return { kind: 'done', status: [] }
  const end = (job.status?.conditions ?? []).find(({ type }) => type === 'Complete' || type === 'Failed')
  const againAfterMs = timeMs(end?.lastTransitionTime) + ttl * 1000 - nowMs
  if (againAfterMs > 0) return { kind: 'done', status: [], againAfterMs }
  const { resourceVersion } = job.metadata
  // as it was seen: somebody may have let it live longer meanwhile
  const options = {
    propagationPolicy: 'Foreground',
    ...(resourceVersion !== undefined && { resourceVersion }),
  } as const
  return act([{ do: 'delete', object: job, options }])
}

function deadlineAfterMs(job: Job, { startTime }: JobStatus, nowMs: number): number | undefined {
  const { activeDeadlineSeconds } = job.spec
  if (activeDeadlineSeconds === undefined || startTime === undefined) return undefined
  return Math.max(timeMs(startTime) + activeDeadlineSeconds * 1000 - nowMs, 1)
}

/** Pods that are wanted no more are let go before they are deleted, so that nobody counts them as failed. */
function drop(job: Job, pods: readonly Pod[]): Write[] {
  const held = pods.filter(isHeld)
  return held.length > 0 ? held.map(releaseWrite) : pods.map((pod) => deletion(job, pod))
}

function deletion(job: Job, pod: Pod): Write {
  const message = `Deleted pod: ${pod.metadata.name}`
  return { do: 'delete', object: pod, tell: { about: job, type: 'Normal', reason: 'SuccessfulDelete', message } }
}

function settled(job: Job, status: JobStatus): WorkloadDecision {
  const shown = shownStatus(status)
  return { kind: 'done', status: isSame(shown, job.status ?? {}) ? [] : [statusWrite(job, status)] }
}

/** Leaves out what the API leaves out: counts of nought, but for `ready` and `terminating`. */
function shownStatus({ active, succeeded, failed, ...rest }: JobStatus): JobStatus {
  return { ...rest, ...(active && { active }), ...(succeeded && { succeeded }), ...(failed && { failed }) }
}

function statusWrite(job: Job, status: JobStatus, tell?: Telling): Write {
  return {
    do: 'replace',
    object: { ...job, status: shownStatus(status) },
    subresource: 'status',
    ...(tell && { tell }),
  }
}

function condition(type: string, reason: string, message: string, nowMs: number): Condition {
  const now = timeText(nowMs)
  return { type, status: 'True', lastProbeTime: now, lastTransitionTime: now, reason, message }
}

function act(changes: readonly Write[]): WorkloadDecision {
  return { kind: 'act', changes }
}
