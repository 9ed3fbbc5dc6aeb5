import { internalForm } from '../../../../../lib/kube-schema/go-types.ts'
import {
  isObject,
  type JsonObject,
  listOf,
  numberOf,
  objectOf,
  objectsOf,
  stringOf,
} from '../../../../../lib/kube/json.ts'
import type { FieldError } from '../../../fault.ts'
import { checkNatural, duplicate, invalidFor, invalidValue, push, required, unsupported } from '../../fault-list.ts'
import { labelKeyErrors } from '../../../../../lib/kube/names.ts'

const ACTIONS = ['Count', 'FailIndex', 'FailJob', 'Ignore']
const OPERATORS = ['In', 'NotIn']
const STATUSES = ['False', 'True', 'Unknown']

/** Faults of what a job makes of failed pods. @see k8s.io/kubernetes/pkg/apis/batch/validation validatePodFailurePolicy */
export function checkFailurePolicy(spec: JsonObject, path: string, errors: FieldError[]): void {
  const { containers, initContainers } = objectOf(objectOf(spec.template).spec)
  const names = [...objectsOf(containers), ...objectsOf(initContainers)].map(({ name }) => stringOf(name))
  const rules = objectsOf(objectOf(spec.podFailurePolicy).rules)
  limit(rules, MOST_RULES, `${path}.podFailurePolicy.rules`, errors)
  rules.forEach((rule, index) => {
    const at = `${path}.podFailurePolicy.rules[${index}]`
    if (rule.action === 'FailIndex' && spec.backoffLimitPerIndex === undefined)
      invalidValue(errors, `${at}.action`, rule.action, 'requires the backoffLimitPerIndex to be set')
    checkChoice(rule.action, `${at}.action`, ACTIONS, errors)
    const conditions = objectsOf(rule.onPodConditions)
    if (isObject(rule.onExitCodes)) checkExitCodes(rule.onExitCodes, `${at}.onExitCodes`, names, errors)
    limit(conditions, MOST_RULES, `${at}.onPodConditions`, errors)
    conditions.forEach(({ type, status }, place) => {
      const here = `${at}.onPodConditions[${place}]`
      invalidFor(errors, `${here}.type`, stringOf(type), labelKeyErrors(stringOf(type)))
      checkChoice(status, `${here}.status`, STATUSES, errors)
    })
    const choose = (why: string): void =>
      void errors.push({ field: at, type: 'Invalid', message: `Invalid value: ${why}` })
    if (rule.onExitCodes !== undefined && conditions.length > 0)
      choose('specifying both OnExitCodes and OnPodConditions is not supported')
    if (rule.onExitCodes === undefined && conditions.length === 0)
      choose('specifying one of OnExitCodes and OnPodConditions is required')
  })
}

const MOST_RULES = 20
const MOST_CODES = 255

function limit(list: readonly unknown[], most: number, path: string, errors: FieldError[]): void {
  if (list.length > most) push(errors, path, 'TooMany', `Too many: ${list.length}: must have at most ${most} items`)
}

/** A list as Go prints it. */
function checkChoice(value: unknown, path: string, allowed: readonly string[], errors: FieldError[]): void {
  if (typeof value !== 'string' || value === '')
    required(errors, path, `valid values: [${allowed.map((each) => JSON.stringify(each)).join(' ')}]`)
  else if (!allowed.includes(value)) unsupported(errors, path, value, allowed)
}

function checkExitCodes(codes: JsonObject, path: string, names: readonly string[], errors: FieldError[]): void {
  const { operator, containerName } = codes
  checkChoice(operator, `${path}.operator`, OPERATORS, errors)
  if (typeof containerName === 'string' && !names.includes(containerName))
    invalidValue(
      errors,
      `${path}.containerName`,
      containerName,
      'must be one of the container or initContainer names in the pod template',
    )
  const values = listOf(codes.values).map((each) => numberOf(each) ?? 0)
  if (values.length === 0) invalidValue(errors, `${path}.values`, codes.values, 'at least one value is required')
  limit(values, MOST_CODES, `${path}.values`, errors)
  values.forEach((value, index) => {
    const at = `${path}.values[${index}]`
    if (operator === 'In' && value === 0) invalidValue(errors, at, value, 'must not be 0 for the In operator')
    if (values.indexOf(value) < index) duplicate(errors, at, value)
  })
  if (values.some((value, index) => index > 0 && (values[index - 1] ?? 0) > value))
    invalidValue(errors, `${path}.values`, values, 'must be ordered')
}

/** Faults of when a job counts as done before all its indexes are. @see k8s.io/kubernetes/pkg/apis/batch/validation validateSuccessPolicy */
export function checkSuccessPolicy(spec: JsonObject, path: string, errors: FieldError[]): void {
  const { successPolicy: policy, completionMode, completions } = spec
  if (!isObject(policy)) return
  const at = `${path}.successPolicy`
  if (completionMode !== 'Indexed')
    return invalidValue(errors, at, internalForm('batch/SuccessPolicy', policy), 'requires indexed completion mode')
  const rules = objectsOf(policy.rules)
  if (rules.length === 0)
    required(errors, `${at}.rules`, 'at least one rules must be specified when the successPolicy is specified')
  limit(rules, MOST_RULES, `${at}.rules`, errors)
  rules.forEach((rule, index) => checkSuccessRule(rule, numberOf(completions) ?? 0, `${at}.rules[${index}]`, errors))
}

function checkSuccessRule(
  { succeededCount, succeededIndexes }: JsonObject,
  completions: number,
  path: string,
  errors: FieldError[],
): void {
  if (succeededCount === undefined && succeededIndexes === undefined)
    required(errors, path, 'at least one of succeededCount or succeededIndexes must be specified')
  const indexes = typeof succeededIndexes === 'string' ? countIndexes(succeededIndexes, completions) : 0
  if (typeof indexes === 'string')
    invalidValue(errors, `${path}.succeededIndexes`, succeededIndexes, `error parsing succeededIndexes: ${indexes}`)
  if (typeof succeededCount !== 'number') return
  const at = `${path}.succeededCount`
  checkNatural(succeededCount, at, errors)
  const atMost = (most: number, what: string): void =>
    invalidValue(errors, at, succeededCount, `must be less than or equal to ${most} (${what})`)
  if (succeededCount > completions) atMost(completions, 'the number of specified completions')
  const most = typeof indexes === 'number' ? indexes : 0
  if (succeededIndexes !== undefined && succeededCount > most)
    atMost(most, 'the number of indexes in the specified succeededIndexes field')
}

/** How many indexes a text like `0,3-5` names, or what is wrong with it. */
export function countIndexes(text: string, completions: number): number | string {
  if (text === '') return 0
  let last: number | undefined
  let total = 0
  for (const part of text.split(',')) {
    const ends = part.split('-')
    if (ends.length > 2)
      return `the fragment "${part}" violates the requirement that an index interval can have at most two parts separated by '-'`
    const [from, to] = [ends[0] ?? '', ends.at(-1) ?? '']
    for (const end of ends)
      if (!/^[+-]?\d+$/.test(end)) return `cannot convert string to integer for index: ${JSON.stringify(end)}`
    for (const end of ends) if (Number(end) >= completions) return `too large index: ${JSON.stringify(end)}`
    const [first, end] = [Number(from), Number(to)]
    if (ends.length === 2 && first >= end) return `non-increasing order, previous: ${first}, current: ${end}`
    if (last !== undefined && first <= last) return `non-increasing order, previous: ${last}, current: ${first}`
    total += end - first + 1
    last = end
  }
  return total
}
