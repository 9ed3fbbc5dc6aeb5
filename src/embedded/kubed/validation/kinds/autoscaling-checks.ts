import {
  type Json,
  type JsonObject,
  listOf,
  numberOf,
  objectOf,
  objectsOf,
  stringOf,
} from '../../../../lib/kube/json.ts'
import type { FieldError } from '../../fault.ts'
import { type Check, forbid, invalidValue, required, unsupported } from '../fault-list.ts'
import { labelError, pathSegmentError } from '../../../../lib/kube/names.ts'
import { amountOf, checkContainerResource } from '../pods/resource-checks.ts'
import { own } from '../../../../lib/value/own.ts'

const SOURCES: Readonly<Record<string, string>> = {
  Object: 'object',
  External: 'external',
  Pods: 'pods',
  Resource: 'resource',
  ContainerResource: 'containerResource',
}
const TYPES = Object.keys(SOURCES).sort()
const SELECT_POLICIES = ['Disabled', 'Max', 'Min']
const LONGEST_WINDOW_SECONDS = 3600
const LONGEST_PERIOD_SECONDS = 1800

/** Checks of autoscalers, in the order of the real server. @see k8s.io/kubernetes/pkg/apis/autoscaling/validation */
export const AUTOSCALING_CHECKS: Readonly<Record<string, Check>> = {
  'autoscaling.v2.HorizontalPodAutoscalerSpec': (spec, path, errors) => {
    const least = numberOf(spec.minReplicas)
    const most = numberOf(spec.maxReplicas) ?? 0
    if (least !== undefined && most < least)
      invalidValue(errors, `${path}.maxReplicas`, most, 'must be greater than or equal to `minReplicas`')
    checkReference(objectOf(spec.scaleTargetRef), `${path}.scaleTargetRef`, errors)
    const metrics = objectsOf(spec.metrics)
    metrics.forEach((metric, index) => checkMetric(metric, `${path}.metrics[${index}]`, errors))
    if (least === 0 && !metrics.some(({ type }) => type === 'Object' || type === 'External'))
      forbid(
        errors,
        `${path}.metrics`,
        'must specify at least one Object or External metric to support scaling to zero replicas',
      )
    for (const field of ['scaleUp', 'scaleDown']) {
      const rules = objectOf(spec.behavior)[field]
      if (rules !== undefined) checkRules(objectOf(rules), `${path}.behavior.${field}`, errors)
    }
    // What the server checks from the fields' own declarations comes last.
    if (least !== undefined && least < 0)
      invalidValue(errors, `${path}.minReplicas`, least, 'must be greater than or equal to 0')
    if (most === 0) required(errors, `${path}.maxReplicas`)
    else if (most < 0) invalidValue(errors, `${path}.maxReplicas`, most, 'must be greater than or equal to 1')
  },
}

function checkReference(reference: JsonObject, path: string, errors: FieldError[], wantsGroup = true): void {
  for (const field of ['kind', 'name']) {
    const value = stringOf(reference[field])
    const why = pathSegmentError(value)
    if (value === '') required(errors, `${path}.${field}`)
    else if (why !== undefined) invalidValue(errors, `${path}.${field}`, value, why)
  }
  if (!wantsGroup) return
  const version = stringOf(reference.apiVersion)
  const slashes = version.split('/').length - 1
  if (slashes > 1) invalidValue(errors, `${path}.apiVersion`, version, `unexpected GroupVersion string: ${version}`)
  else if (slashes === 0 && (version !== 'v1' || reference.kind !== 'ReplicationController'))
    invalidValue(errors, `${path}.apiVersion`, version, 'apiVersion must specify API group')
}

function checkMetric(metric: JsonObject, path: string, errors: FieldError[]): void {
  const type = stringOf(metric.type)
  const wanted = own(SOURCES, type)
  if (type === '') required(errors, `${path}.type`, 'must specify a metric source type')
  if (wanted === undefined) unsupported(errors, `${path}.type`, type, TYPES)
  const present = Object.values(SOURCES).filter((field) => metric[field] !== undefined)
  const [first] = present
  if (first !== undefined) checkSource(first, objectOf(metric[first]), `${path}.${first}`, errors)
  if (wanted !== undefined && metric[wanted] === undefined)
    required(errors, `${path}.${wanted}`, 'must populate information for the given metric source')
  if (present.length === 1) return
  for (const field of present)
    if (field !== wanted) forbid(errors, `${path}.${field}`, 'must populate the given metric source only')
}

function checkSource(field: string, source: JsonObject, path: string, errors: FieldError[]): void {
  if (field === 'object') checkReference(objectOf(source.describedObject), `${path}.describedObject`, errors, false)
  if (field === 'resource' || field === 'containerResource') checkResourceName(field, source, path, errors)
  else checkIdentifier(objectOf(source.metric), `${path}.metric`, errors)
  if (field === 'containerResource') {
    const name = stringOf(source.container)
    const why = name === '' ? undefined : labelError(name)
    if (name === '') required(errors, `${path}.container`, 'must specify a container')
    else if (why !== undefined) invalidValue(errors, `${path}.container`, name, why)
  }
  const target = objectOf(source.target)
  const at = `${path}.target`
  checkTarget(target, at, errors)
  checkChoice(field, target, at, errors)
}

/** Which of the target's values a source takes. */
function checkChoice(field: string, target: JsonObject, path: string, errors: FieldError[]): void {
  const { value, averageValue, averageUtilization } = target
  if (field === 'object' && value === undefined && averageValue === undefined)
    required(errors, `${path}.averageValue`, 'must set either a target value or averageValue')
  if (field === 'external' && value === undefined && averageValue === undefined)
    required(errors, `${path}.averageValue`, 'must set either a target value for metric or a per-pod target')
  if (field === 'external' && value !== undefined && averageValue !== undefined)
    forbid(errors, `${path}.value`, 'may not set both a target value for metric and a per-pod target')
  if (field === 'pods' && averageValue === undefined)
    required(errors, `${path}.averageValue`, 'must specify a positive target averageValue')
  if (field !== 'resource' && field !== 'containerResource') return
  if (averageUtilization === undefined && averageValue === undefined)
    required(errors, `${path}.averageUtilization`, 'must set either a target raw value or a target utilization')
  if (averageUtilization !== undefined && averageValue !== undefined)
    forbid(errors, `${path}.averageValue`, 'may not set both a target raw value and a target utilization')
}

function checkResourceName(field: string, { name }: JsonObject, path: string, errors: FieldError[]): void {
  if (stringOf(name) === '') required(errors, `${path}.name`, 'must specify a resource name')
  else if (field === 'containerResource') checkContainerResource(stringOf(name), `${path}.name`, errors)
}

function checkIdentifier({ name }: JsonObject, path: string, errors: FieldError[]): void {
  const why = pathSegmentError(stringOf(name))
  if (stringOf(name) === '') required(errors, `${path}.name`, 'must specify a metric name')
  else if (why !== undefined) invalidValue(errors, `${path}.name`, name, why)
}

function checkTarget(target: JsonObject, path: string, errors: FieldError[]): void {
  const type = stringOf(target.type)
  if (type === '') required(errors, `${path}.type`, 'must specify a metric target type')
  if (type !== 'Utilization' && type !== 'Value' && type !== 'AverageValue')
    invalidValue(errors, `${path}.type`, type, 'must be either Utilization, Value, or AverageValue')
  for (const field of ['value', 'averageValue']) {
    const amount = target[field] === undefined ? undefined : amountOf(target[field])
    if (amount !== undefined && amount.nano <= 0n)
      invalidValue(errors, `${path}.${field}`, amount.text, 'must be positive')
  }
  const percent = numberOf(target.averageUtilization)
  if (percent !== undefined && percent < 1)
    invalidValue(errors, `${path}.averageUtilization`, percent, 'must be greater than 0')
}

function checkRules(rules: JsonObject, path: string, errors: FieldError[]): void {
  const seconds = numberOf(rules.stabilizationWindowSeconds)
  const at = `${path}.stabilizationWindowSeconds`
  if (seconds !== undefined && seconds < 0) invalidValue(errors, at, seconds, 'must be greater than or equal to zero')
  if (seconds !== undefined && seconds > LONGEST_WINDOW_SECONDS)
    invalidValue(errors, at, seconds, `must be less than or equal to ${LONGEST_WINDOW_SECONDS}`)
  const choice: Json | undefined = rules.selectPolicy
  if (choice !== undefined && !SELECT_POLICIES.includes(stringOf(choice)))
    unsupported(errors, `${path}.selectPolicy`, choice, SELECT_POLICIES)
  if (listOf(rules.policies).length === 0) required(errors, `${path}.policies`, 'must specify at least one Policy')
  objectsOf(rules.policies).forEach((policy, index) => checkPolicy(policy, `${path}.policies[${index}]`, errors))
}

function checkPolicy({ type, value, periodSeconds }: JsonObject, path: string, errors: FieldError[]): void {
  if (type !== 'Pods' && type !== 'Percent') unsupported(errors, `${path}.type`, stringOf(type), ['Percent', 'Pods'])
  const [amount, seconds] = [numberOf(value) ?? 0, numberOf(periodSeconds) ?? 0]
  if (amount <= 0) invalidValue(errors, `${path}.value`, amount, 'must be greater than zero')
  if (seconds <= 0) invalidValue(errors, `${path}.periodSeconds`, seconds, 'must be greater than zero')
  if (seconds > LONGEST_PERIOD_SECONDS)
    invalidValue(errors, `${path}.periodSeconds`, seconds, `must be less than or equal to ${LONGEST_PERIOD_SECONDS}`)
}
