import { type Json, type JsonObject, listOf, objectOf, objectsOf, stringOf } from '../../../lib/kube/json.ts'
import type { FieldError } from '../fault.ts'
import { checkAddress } from './addresses.ts'
import { type Check, duplicate, forbid, invalidFor, invalidValue, required, unsupported } from './fault-list.ts'
import { checkLabels } from './meta.ts'
import { labelKeyErrors, labelValueErrors, subdomainError } from './names.ts'
import { checkSpreads } from './placement-checks.ts'

const SYSCTL = /^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$/
const SYSCTL_TEXT = '^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$'
const EFFECTS = ['NoSchedule', 'PreferNoSchedule', 'NoExecute']
const MOST_NAMESERVERS = 3
const MOST_SEARCHES = 32

/** Checks of what a pod says beside its containers and volumes. @see k8s.io/kubernetes/pkg/apis/core/validation ValidatePodSpec */
export const POD_CHECKS: Readonly<Record<string, Check>> = {
  'core.v1.PodSpec': checkPod,
  'core.v1.PodSecurityContext': ({ sysctls }, path, errors) => {
    const names = new Set<string>()
    objectsOf(sysctls).forEach(({ name }, index) => {
      const text = stringOf(name)
      const at = `${path}.sysctls[${index}].name`
      if (text === '') required(errors, at)
      else if (text.length > 253 || !SYSCTL.test(text))
        invalidValue(errors, at, text, `must have at most 253 characters and match regex ${SYSCTL_TEXT}`)
      else if (names.has(text)) duplicate(errors, at, text)
      names.add(text)
    })
  },
  'core.v1.Toleration': checkToleration,
  'core.v1.Taint': ({ key, value, effect }, path, errors) => {
    const at = path.replace(/^spec\./, 'metadata.')
    invalidFor(errors, `${at}.key`, key, labelKeyErrors(stringOf(key)))
    const reasons = labelValueErrors(stringOf(value))
    if (reasons.length > 0) invalidValue(errors, `${at}.value`, value, reasons.join(';'))
    checkEffect(effect, `${at}.effect`, errors)
  },
  'core.v1.HostAlias': ({ ip, hostnames }, path, errors) => {
    checkAddress(ip, `${path}.ip`, errors)
    listOf(hostnames).forEach((name, index) => {
      const why = subdomainError(stringOf(name))
      if (why !== undefined) invalidValue(errors, `${path}.hostnames[${index}]`, name, why)
    })
  },
}

function checkPod(spec: JsonObject, path: string, errors: FieldError[]): void {
  checkLabels(spec.nodeSelector, `${path}.nodeSelector`, errors)
  if (spec.shareProcessNamespace === true && spec.hostPID === true)
    invalidValue(
      errors,
      `${path}.shareProcessNamespace`,
      true,
      'ShareProcessNamespace and HostPID cannot both be enabled',
    )
  checkDns(spec, `${path}.dnsConfig`, errors)
  checkGates(objectsOf(spec.schedulingGates), `${path}.schedulingGates`, errors)
  checkSpreads(objectsOf(spec.topologySpreadConstraints), `${path}.topologySpreadConstraints`, errors)
  checkPreemption(spec.preemptionPolicy, `${path}.preemptionPolicy`, errors)
  for (const field of ['runtimeClassName', 'priorityClassName']) {
    const name = stringOf(spec[field])
    const why = name === '' ? undefined : subdomainError(name)
    if (why !== undefined) invalidValue(errors, `${path}.${field}`, name, why)
  }
}

/** Whether a pod may push others aside. */
export function checkPreemption(policy: Json | undefined, path: string, errors: FieldError[]): void {
  if (policy === '') required(errors, path)
  else if (policy !== undefined && policy !== 'Never' && policy !== 'PreemptLowerPriority')
    unsupported(errors, path, policy, ['PreemptLowerPriority', 'Never'])
}

function checkGates(gates: readonly JsonObject[], path: string, errors: FieldError[]): void {
  gates.forEach(({ name }, index) => {
    invalidFor(errors, `${path}[${index}]`, stringOf(name), labelKeyErrors(stringOf(name)))
    if (gates.findIndex((each) => each.name === name) < index) duplicate(errors, `${path}[${index}]`, name)
  })
}

function checkDns({ dnsPolicy, dnsConfig }: JsonObject, path: string, errors: FieldError[]): void {
  const { nameservers, searches, options } = objectOf(dnsConfig)
  const servers = listOf(nameservers)
  if (dnsPolicy === 'None' && dnsConfig === undefined)
    return required(errors, path, 'must provide `dnsConfig` when `dnsPolicy` is None')
  if (dnsPolicy === 'None' && servers.length === 0)
    return required(errors, `${path}.nameservers`, 'must provide at least one DNS nameserver when `dnsPolicy` is None')
  if (servers.length > MOST_NAMESERVERS)
    invalidValue(errors, `${path}.nameservers`, servers, `must not have more than ${MOST_NAMESERVERS} nameservers`)
  servers.forEach((server, index) => void checkAddress(server, `${path}.nameservers[${index}]`, errors))
  if (listOf(searches).length > MOST_SEARCHES)
    invalidValue(errors, `${path}.searches`, searches, `must not have more than ${MOST_SEARCHES} search paths`)
  objectsOf(options).forEach(({ name }, index) => {
    if (stringOf(name) === '') required(errors, `${path}.options[${index}]`, 'must not be empty')
  })
}

function checkToleration(toleration: JsonObject, path: string, errors: FieldError[]): void {
  const { effect, tolerationSeconds } = toleration
  const [key, operator, value] = [toleration.key, toleration.operator, toleration.value].map(stringOf)
  if (key !== '') invalidFor(errors, `${path}.key`, key, labelKeyErrors(key ?? ''))
  if (key === '' && operator !== 'Exists')
    invalidValue(
      errors,
      `${path}.operator`,
      operator,
      'operator must be Exists when `key` is empty, which means "match all values and all keys"',
    )
  if (tolerationSeconds !== undefined && effect !== 'NoExecute')
    invalidValue(
      errors,
      `${path}.effect`,
      stringOf(effect),
      "effect must be 'NoExecute' when `tolerationSeconds` is set",
    )
  const reasons = labelValueErrors(value ?? '')
  if (operator === '' || operator === 'Equal') {
    if (reasons.length > 0) invalidValue(errors, `${path}.operator`, value, reasons.join(';'))
  } else if (operator === 'Exists') {
    if (value !== '') invalidValue(errors, `${path}.operator`, value, "value must be empty when `operator` is 'Exists'")
  } else unsupported(errors, `${path}.operator`, operator, ['Equal', 'Exists'])
  if (stringOf(effect) !== '') checkEffect(effect, `${path}.effect`, errors)
}

function checkEffect(effect: Json | undefined, path: string, errors: FieldError[]): void {
  if (stringOf(effect) === '') required(errors, path)
  else if (!EFFECTS.includes(stringOf(effect))) unsupported(errors, path, effect, EFFECTS)
}

/** Faults that only a new pod can have. */
export function checkNewPod({ spec }: JsonObject, errors: FieldError[]): void {
  const { ephemeralContainers, nodeName, schedulingGates } = objectOf(spec)
  if (listOf(ephemeralContainers).length > 0) forbid(errors, 'spec.ephemeralContainers', 'cannot be set on create')
  if (stringOf(nodeName) !== '' && listOf(schedulingGates).length > 0)
    forbid(errors, 'spec.nodeName', 'cannot be set until all schedulingGates have been cleared')
}
