import { CronError, parseSchedule } from '../../../../lib/cron/parse.ts'
import { isZone } from '../../../../lib/cron/zones.ts'
import { type JsonObject, numberOf, objectOf, stringOf } from '../../../../lib/kube/json.ts'
import { matchSelector } from '../../../../lib/kube/selector.ts'
import type { FieldError } from '../../fault.ts'
import { type Below, type Check, checkNatural, invalidValue, push, required, unsupported } from '../fault-list.ts'
import { checkFailurePolicy, checkSuccessPolicy } from './jobs/policy-checks.ts'
import { givenLabels, isReadable } from './apps-checks.ts'
import { labelError } from '../../../../lib/kube/names.ts'
import { checkPrefixed } from './networking-checks.ts'

const MOST_INDEXES = 100_000
const MANY_COMPLETIONS = 100_000
/** So many may run at once, and fail, where completions are many. */
const MOST_OF_MANY = 10_000
const LONGEST_MANAGER = 63

/** A job's name has eleven characters more. */
const LONGEST_CRON_JOB = 52

/** Checks of jobs. @see k8s.io/kubernetes/pkg/apis/batch/validation */
export const BATCH_CHECKS: Readonly<Record<string, Check>> = {
  'batch.v1.JobSpec': checkJob,
  'batch.v1.CronJobSpec': checkCronJob,
}

function checkCronJob(spec: JsonObject, path: string, errors: FieldError[], below: Below): void {
  const { schedule, timeZone, concurrencyPolicy } = spec
  const policies = ['Allow', 'Forbid', 'Replace']
  checkSchedule(stringOf(schedule), `${path}.schedule`, errors)
  checkNatural(spec.startingDeadlineSeconds, `${path}.startingDeadlineSeconds`, errors)
  checkZone(timeZone, `${path}.timeZone`, errors)
  if (concurrencyPolicy !== undefined && !policies.includes(stringOf(concurrencyPolicy)))
    unsupported(errors, `${path}.concurrencyPolicy`, concurrencyPolicy, policies)
  below('jobTemplate')
  checkNatural(spec.successfulJobsHistoryLimit, `${path}.successfulJobsHistoryLimit`, errors)
  checkNatural(spec.failedJobsHistoryLimit, `${path}.failedJobsHistoryLimit`, errors)
  if (stringOf(schedule) === '') required(errors, `${path}.schedule`)
}

/** Faults that only a new job can have. */
export function checkNewJob(job: JsonObject, errors: FieldError[]): void {
  checkGenerated(job, errors)
  checkPodNames(job, errors)
}

/** Checks of jobs that come after those of their pods. */
export const AFTER_BATCH: Readonly<Record<string, Check>> = {
  'batch.v1.CronJob': ({ metadata }, _path, errors) => {
    const name = stringOf(objectOf(metadata).name)
    if (name.length > LONGEST_CRON_JOB)
      invalidValue(errors, 'metadata.name', name, `must be no more than ${LONGEST_CRON_JOB} characters`)
  },
  'batch.v1.JobTemplateSpec': ({ spec }, path, errors) => {
    const { selector, manualSelector } = objectOf(spec)
    if (selector !== undefined)
      invalidValue(errors, `${path}.spec.selector`, selector, '`selector` will be auto-generated')
    if (manualSelector === true) unsupported(errors, `${path}.spec.manualSelector`, true, ['nil', 'false'])
  },
  'batch.v1.JobSpec': (spec, path, errors) => {
    checkRestart(spec, path, errors)
    checkSelector(spec, path, errors)
  },
}

function checkJob(spec: JsonObject, path: string, errors: FieldError[], below: Below): void {
  if (spec.maxFailedIndexes !== undefined && spec.backoffLimitPerIndex === undefined)
    required(errors, `${path}.backoffLimitPerIndex`, 'when maxFailedIndexes is specified')
  if (typeof spec.managedBy === 'string') checkManager(spec.managedBy, `${path}.managedBy`, errors)
  checkIndexes(spec, path, errors)
  checkFailurePolicy(spec, path, errors)
  checkSuccessPolicy(spec, path, errors)
  const replacement = spec.podReplacementPolicy
  const allowed = spec.podFailurePolicy === undefined ? ['Failed', 'TerminatingOrFailed'] : ['Failed']
  if (replacement !== undefined && !allowed.includes(stringOf(replacement)))
    unsupported(errors, `${path}.podReplacementPolicy`, replacement, allowed)
  below('template')
}

function checkManager(name: string, path: string, errors: FieldError[]): void {
  checkPrefixed(name, path, errors)
  if (name.length > LONGEST_MANAGER)
    push(errors, path, 'TooLong', `Too long: may not be more than ${LONGEST_MANAGER} bytes`)
}

/** How many indexes a job may have, and how many of them may fail. */
function checkIndexes(spec: JsonObject, path: string, errors: FieldError[]): void {
  const { completionMode, backoffLimitPerIndex } = spec
  const [completions, parallelism, failures] = [spec.completions, spec.parallelism, spec.maxFailedIndexes].map(numberOf)
  const tooMany = (field: string, value: number | undefined, most: number, why: string): void => {
    if ((value ?? 0) > most)
      invalidValue(errors, `${path}.${field}`, value, `must be less than or equal to ${most}${why}`)
  }
  // In the template of a cron job the mode may be left out.
  if ((completionMode ?? 'NonIndexed') === 'NonIndexed')
    for (const field of ['backoffLimitPerIndex', 'maxFailedIndexes'])
      if (spec[field] !== undefined)
        invalidValue(errors, `${path}.${field}`, spec[field], 'requires indexed completion mode')
  if (completionMode !== 'Indexed') return
  if (completions === undefined) required(errors, `${path}.completions`, 'when completion mode is Indexed')
  tooMany('parallelism', parallelism, MOST_INDEXES, ' when completion mode is Indexed')
  if (completions !== undefined && failures !== undefined && failures > completions)
    invalidValue(errors, `${path}.maxFailedIndexes`, failures, 'must be less than or equal to completions')
  tooMany('maxFailedIndexes', failures, MOST_INDEXES, '')
  if ((completions ?? 0) <= MANY_COMPLETIONS || backoffLimitPerIndex === undefined) return
  if (failures === undefined)
    required(errors, `${path}.maxFailedIndexes`, `must be specified when completions is above ${MANY_COMPLETIONS}`)
  const why = ` when completions are above ${MANY_COMPLETIONS} and used with backoff limit per index`
  tooMany('parallelism', parallelism, MOST_OF_MANY, why)
  tooMany('maxFailedIndexes', failures, MOST_OF_MANY, why)
}

function checkRestart(spec: JsonObject, path: string, errors: FieldError[]): void {
  const { restartPolicy } = objectOf(objectOf(spec.template).spec)
  const at = `${path}.template.spec.restartPolicy`
  if (restartPolicy === 'Always' || restartPolicy === undefined)
    required(errors, at, 'valid values: "OnFailure", "Never"')
  else if (restartPolicy !== 'OnFailure' && restartPolicy !== 'Never')
    unsupported(errors, at, restartPolicy, ['OnFailure', 'Never'])
  else if (spec.podFailurePolicy !== undefined && restartPolicy !== 'Never')
    invalidValue(errors, at, restartPolicy, 'only "Never" is supported when podFailurePolicy is specified')
}

/** The labels by which a job finds its pods are of its own making, unless it says otherwise. */
function checkGenerated({ metadata, spec }: JsonObject, errors: FieldError[]): void {
  const { selector, manualSelector, template } = objectOf(spec)
  const { uid, name } = objectOf(metadata)
  if (manualSelector === true || selector === undefined) return
  const { labels } = objectOf(objectOf(template).metadata)
  const own: JsonObject = { 'controller-uid': uid, 'job-name': name }
  for (const key of Object.keys(own)) own[`batch.kubernetes.io/${key}`] = own[key]
  for (const [key, value] of Object.entries(own)) {
    const at = `spec.template.metadata.labels[${key}]`
    const found = objectOf(labels)[key]
    if (found === undefined) required(errors, at, `must be '${stringOf(value)}'`)
    else if (found !== value) invalidValue(errors, at, labels, `must be '${stringOf(value)}'`)
  }
  if (!matchSelector(selector)(own)) invalidValue(errors, 'spec.selector', selector, '`selector` not auto-generated')
}

/** Pods of an indexed job have its name and their index as host name. */
function checkPodNames({ metadata, spec }: JsonObject, errors: FieldError[]): void {
  const { completionMode, completions } = objectOf(spec)
  const name = stringOf(objectOf(metadata).name)
  if (completionMode !== 'Indexed' || typeof completions !== 'number' || completions <= 0) return
  const last = `${name}-${completions - 1}`
  if (labelError(last) !== undefined)
    invalidValue(errors, 'metadata.name', name, `will not able to create pod with invalid DNS label: ${last}`)
}

/** Those of cron jobs have no selector yet. */
function checkSelector({ selector, template }: JsonObject, path: string, errors: FieldError[]): void {
  if (path.includes('jobTemplate')) return
  const { labels } = objectOf(objectOf(template).metadata)
  if (selector === undefined) required(errors, `${path}.selector`)
  if (isReadable(selector) && !matchSelector(selector)(labels))
    invalidValue(
      errors,
      `${path}.template.metadata.labels`,
      givenLabels(objectOf(template)),
      '`selector` does not match template `labels`',
    )
}

/** A text that cannot be read is told of, and a time zone in it besides. */
function checkSchedule(schedule: string, path: string, errors: FieldError[]): void {
  if (schedule === '') return
  try {
    parseSchedule(schedule)
  } catch (error) {
    if (!(error instanceof CronError)) throw error
    invalidValue(errors, path, schedule, error.message)
  }
  if (schedule.includes('TZ'))
    invalidValue(errors, path, schedule, 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead')
}

function checkZone(zone: unknown, path: string, errors: FieldError[]): void {
  if (typeof zone !== 'string') return
  if (zone === '') return invalidValue(errors, path, zone, 'timeZone must be nil or non-empty string')
  if (zone.toLowerCase() === 'local')
    return invalidValue(
      errors,
      path,
      zone,
      'timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones',
    )
  if (!isZone(zone)) invalidValue(errors, path, zone, `unknown time zone ${zone}`)
}
