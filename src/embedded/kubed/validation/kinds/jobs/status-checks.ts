import {
  equal,
  type Json,
  type JsonObject,
  listOf,
  numberOf,
  objectOf,
  objectsOf,
  stringOf,
} from '../../../../../lib/kube/json.ts'
import type { FieldError } from '../../../fault.ts'
import { type Obj, specOf } from '../../../object.ts'
import { invalidValue, required } from '../../fault-list.ts'
import { countIndexes } from './policy-checks.ts'

/** A Job's status as it is to be, and as it was. */
type Transition = {
  readonly job: Obj
  readonly status: JsonObject
  readonly had: JsonObject
  readonly errors: FieldError[]
}

/** What a status says and which rules look at it: a rule holds only where something of it changes, as a spec may have changed before. */
type Rule = (of: Transition) => void

/**
 * What a Job's status must be, and which ways it may go, in the order in which the server tells of it.
 *
 * @see k8s.io/kubernetes/pkg/apis/batch/validation `validateJobStatus`, `ValidateJobStatusUpdate`
 */
export function checkJobStatus(job: Obj, before: Obj | undefined, errors: FieldError[]): void {
  const of = { job, status: objectOf(job.status), had: objectOf(before?.status), errors }
  for (const rule of RULES) rule(of)
}

const RULES: readonly Rule[] = [
  checkUncounted,
  checkEnds,
  checkFinished,
  checkIndexes,
  checkAtTheEnd,
  checkTerminal,
  checkCounters,
  checkTimes,
  checkSuccess,
]

const isTrue = (status: JsonObject, type: string): boolean =>
  objectsOf(status.conditions).some((each) => each.type === type && each.status === 'True')
const isFinished = (status: JsonObject): boolean => isTrue(status, 'Complete') || isTrue(status, 'Failed')
const countOf = (status: JsonObject, field: string): number => numberOf(status[field]) ?? 0

/** Whether a field, or what the conditions say, is another than before. */
function isChanged(
  { status, had }: Transition,
  ...what: readonly (string | ((status: JsonObject) => unknown))[]
): boolean {
  return what.some((each) =>
    typeof each === 'string' ? !equal(status[each] ?? null, had[each] ?? null) : each(status) !== each(had),
  )
}
const is =
  (type: string) =>
  (status: JsonObject): boolean =>
    isTrue(status, type)

/** A fault of the conditions as a whole. */
function wrongConditions(errors: FieldError[], why: string): void {
  errors.push({ field: 'status.conditions', type: 'Invalid', message: `Invalid value: ${why}` })
}

function checkUncounted({ status, errors }: Transition): void {
  const seen = new Set<Json>()
  for (const field of ['succeeded', 'failed'])
    listOf(objectOf(status.uncountedTerminatedPods)[field]).forEach((uid, index) => {
      const at = `status.uncountedTerminatedPods.${field}[${index}]`
      if (uid === '') invalidValue(errors, at, uid, 'must not be empty')
      else if (seen.has(uid))
        errors.push({ field: at, type: 'Duplicate', message: `Duplicate value: ${JSON.stringify(uid)}` })
      seen.add(uid)
    })
}

function checkEnds(of: Transition): void {
  const { status, errors } = of
  const { startTime, completionTime } = status
  const isComplete = isTrue(status, 'Complete')
  const isFailed = isTrue(status, 'Failed')
  if (isChanged(of, is('Complete'), is('Failed')) && isComplete && isFailed)
    wrongConditions(errors, 'cannot set Complete=True and Failed=true conditions')
  if (isChanged(of, is('Complete'), is('FailureTarget')) && isComplete && isTrue(status, 'FailureTarget'))
    wrongConditions(errors, 'cannot set Complete=True and FailureTarget=true conditions')
  if (isChanged(of, is('Complete'), 'completionTime')) {
    const why = 'cannot set completionTime when there is no Complete=True condition'
    if (completionTime !== undefined && !isComplete) invalidValue(errors, 'status.completionTime', completionTime, why)
    if (completionTime === undefined && isComplete)
      required(errors, 'status.completionTime', 'completionTime is required for Complete jobs')
  }
  const isBefore = Date.parse(stringOf(completionTime)) < Date.parse(stringOf(startTime))
  if (isChanged(of, 'startTime', 'completionTime') && isBefore)
    invalidValue(errors, 'status.completionTime', completionTime, 'must be equal to or after `startTime`')
  if (isChanged(of, is('Failed'), 'failedIndexes') && isFailed && !isTrue(status, 'FailureTarget'))
    wrongConditions(errors, 'cannot set Failed=True condition without the FailureTarget=true condition')
  if (isChanged(of, is('Complete'), is('SuccessCriteriaMet')) && isComplete && !isTrue(status, 'SuccessCriteriaMet'))
    wrongConditions(errors, 'cannot set Complete=True condition without the SuccessCriteriaMet=true condition')
}

function checkFinished(of: Transition): void {
  const { job, status, errors } = of
  if (!isFinished(status)) return
  const active = countOf(status, 'active')
  if (isChanged(of, isFinished, 'active') && active > 0)
    invalidValue(errors, 'status.active', active, 'active>0 is invalid for finished job')
  const { suspend, completions } = specOf(job)
  const isNothing = suspend === true && completions === 0
  if (isChanged(of, isFinished, 'startTime') && !isNothing && status.startTime === undefined)
    required(errors, 'status.startTime', 'startTime is required for finished job')
  const uncounted = objectOf(status.uncountedTerminatedPods)
  const isUncounted = [...listOf(uncounted.succeeded), ...listOf(uncounted.failed)].length > 0
  if (isChanged(of, isFinished, 'uncountedTerminatedPods') && isUncounted)
    invalidValue(
      errors,
      'status.uncountedTerminatedPods',
      { Succeeded: uncounted.succeeded ?? null, Failed: uncounted.failed ?? null },
      'must be empty for finished job',
    )
}

function checkIndexes(of: Transition): void {
  const { job, status, errors } = of
  const { completions, completionMode, backoffLimitPerIndex } = specOf(job)
  const wanted = numberOf(completions)
  const completed = stringOf(status.completedIndexes)
  const failed = stringOf(status.failedIndexes)
  const [isCompleted, isFailed] = [isChanged(of, 'completedIndexes'), isChanged(of, 'failedIndexes')]
  const hasFailed = status.failedIndexes !== undefined
  const checkFormat = (field: string, text: string): void => {
    const why = countIndexes(text, wanted ?? 0)
    if (typeof why === 'string') invalidValue(errors, `status.${field}`, text, `error parsing ${field}: ${why}`)
  }
  if (isCompleted && wanted !== undefined) checkFormat('completedIndexes', completed)
  if (isFailed && wanted !== undefined && hasFailed && backoffLimitPerIndex !== undefined)
    checkFormat('failedIndexes', failed)
  if (isCompleted && completed !== '' && completionMode !== 'Indexed')
    invalidValue(errors, 'status.completedIndexes', completed, NOT_INDEXED)
  if (isFailed && hasFailed && backoffLimitPerIndex === undefined)
    invalidValue(errors, 'status.failedIndexes', failed, NOT_PER_INDEX)
  const both =
    (isFailed || isCompleted) && hasFailed && wanted !== undefined ? overlapOf(completed, failed, wanted) : undefined
  if (both !== undefined)
    invalidValue(errors, 'status.failedIndexes', failed, `failedIndexes and completedIndexes overlap at index: ${both}`)
}

const NOT_INDEXED = 'cannot set non-empty completedIndexes when non-indexed completion mode'
const NOT_PER_INDEX = 'cannot set non-null failedIndexes when backoffLimitPerIndex is null'

/** The first index that two texts like `0,3-5` both name, as the original finds it: both are in order, and parts that cannot be read do not count. */
function overlapOf(a: string, b: string, completions: number): number | undefined {
  const intervals = (text: string): (readonly [from: number, to: number])[] =>
    text.split(',').flatMap((part) => {
      if (part === '' || typeof countIndexes(part, completions) === 'string') return []
      const ends = part.split('-').map(Number)
      return [[ends[0] ?? 0, ends.at(-1) ?? 0] as const]
    })
  const [ours, theirs] = [intervals(a), intervals(b)]
  for (let mine = ours.shift(), other = theirs.shift(); mine && other;) {
    if (mine[0] <= other[1] && other[0] <= mine[1]) return Math.max(mine[0], other[0])
    if (mine[0] <= other[0]) mine = ours.shift()
    else other = theirs.shift()
  }
  return undefined
}

function checkAtTheEnd(of: Transition): void {
  const { job, status, errors } = of
  const terminating = countOf(status, 'terminating')
  if (isChanged(of, isFinished, 'terminating') && terminating > 0 && isFinished(status))
    invalidValue(errors, 'status.terminating', terminating, 'terminating>0 is invalid for finished job')
  const isTooReady = typeof status.ready === 'number' && status.ready > countOf(status, 'active')
  if (isChanged(of, 'ready', 'active') && isTooReady)
    invalidValue(errors, 'status.ready', status.ready, 'cannot set more ready pods than active')
  if (isTrue(status, 'SuccessCriteriaMet') && isTrue(status, 'Failed'))
    wrongConditions(errors, 'cannot set SuccessCriteriaMet=True and Failed=true conditions')
  if (isTrue(status, 'SuccessCriteriaMet') && isTrue(status, 'FailureTarget'))
    wrongConditions(errors, 'cannot set SuccessCriteriaMet=True and FailureTarget=true conditions')
  if (specOf(job).successPolicy !== undefined && !isTrue(status, 'SuccessCriteriaMet') && isTrue(status, 'Complete'))
    wrongConditions(errors, 'cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True')
}

function checkTerminal({ status, had, errors }: Transition): void {
  for (const type of ['Failed', 'Complete', 'FailureTarget'])
    if (isTrue(had, type) && !isTrue(status, type))
      wrongConditions(errors, `cannot disable the terminal ${type}=True condition`)
}

/** An indexed Job that may shrink forgets what was beyond. */
function checkCounters({ job, status, had, errors }: Transition): void {
  const { completionMode, completions, parallelism } = specOf(job)
  const mayShrink = completionMode === 'Indexed' && completions === parallelism
  for (const field of mayShrink ? ['failed'] : ['failed', 'succeeded'])
    if (countOf(status, field) < countOf(had, field))
      invalidValue(errors, `status.${field}`, countOf(status, field), `cannot decrease the ${field} counter`)
}

function checkTimes({ job, status, had, errors }: Transition): void {
  const { startTime, completionTime } = status
  const isOther =
    completionTime !== undefined && had.completionTime !== undefined && completionTime !== had.completionTime
  if (isOther) invalidValue(errors, 'status.completionTime', completionTime, 'field is immutable')
  const isSuspended = (of: JsonObject, state: string): boolean =>
    objectsOf(of.conditions).some((each) => each.type === 'Suspended' && each.status === state)
  const isResuming = isSuspended(had, 'True') && isSuspended(status, 'False')
  const isMoved = had.startTime !== undefined && had.startTime !== startTime
  if (isMoved && !isResuming && specOf(job).suspend !== true)
    invalidValue(errors, 'status.startTime', startTime ?? null, 'field is immutable for unsuspended job once set')
}

function checkSuccess({ status, had, errors }: Transition): void {
  if (isTrue(had, 'SuccessCriteriaMet') && !isTrue(status, 'SuccessCriteriaMet'))
    wrongConditions(errors, 'cannot disable the SuccessCriteriaMet=True condition')
  if (isTrue(had, 'Complete') && !isTrue(had, 'SuccessCriteriaMet') && isTrue(status, 'SuccessCriteriaMet'))
    wrongConditions(errors, 'cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions')
}
