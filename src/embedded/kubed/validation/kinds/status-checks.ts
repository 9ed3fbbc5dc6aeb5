import { isIP } from 'node:net'
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
import { checkConditionWords } from '../condition-words.ts'
import { type Obj, specOf } from '../../object.ts'
import type { Resource } from '../../resources/resource.ts'
import { checkAddress } from '../addresses.ts'
import { checkName, checkNatural, forbid, invalidFor, invalidValue, required, unsupported } from '../fault-list.ts'
import { checkClaimStatus, checkNodeStatus } from './amount-status-checks.ts'
import { checkQuotaAmounts } from '../pods/resource-checks.ts'
import { checkJobStatus } from './jobs/status-checks.ts'
import { labelKeyErrors, subdomainError } from '../../../../lib/kube/names.ts'

/** What the counts of a status must be. Fields are in the order in which the server tells of them. */
type Counts = {
  /** 0 or more. */
  readonly natural: readonly string[]
  /** Not above `replicas`, which is not above what is ready. */
  readonly parts?: readonly string[]
  /** How the server names the field of what is ready. */
  readonly ready?: string
}

const COUNTS: Readonly<Record<string, Counts>> = {
  'apps/deployments': {
    natural: [
      ...['observedGeneration', 'replicas', 'updatedReplicas', 'readyReplicas', 'availableReplicas'],
      ...['unavailableReplicas', 'terminatingReplicas', 'collisionCount'],
    ],
    parts: ['updatedReplicas', 'readyReplicas', 'availableReplicas'],
    ready: 'readyReplicas',
  },
  'apps/replicasets': {
    natural: [
      ...['replicas', 'fullyLabeledReplicas', 'readyReplicas', 'availableReplicas', 'observedGeneration'],
      'terminatingReplicas',
    ],
    parts: ['fullyLabeledReplicas', 'readyReplicas', 'availableReplicas'],
    ready: 'readyReplicas',
  },
  '/replicationcontrollers': {
    natural: ['replicas', 'fullyLabeledReplicas', 'readyReplicas', 'availableReplicas', 'observedGeneration'],
    parts: ['fullyLabeledReplicas', 'readyReplicas', 'availableReplicas'],
    ready: 'readyReplicas',
  },
  'apps/statefulsets': {
    natural: [
      ...['replicas', 'readyReplicas', 'currentReplicas', 'updatedReplicas', 'availableReplicas'],
      ...['observedGeneration', 'collisionCount'],
    ],
    parts: ['readyReplicas', 'currentReplicas', 'updatedReplicas', 'availableReplicas'],
    ready: 'status.readyReplicas',
  },
  'apps/daemonsets': {
    natural: [
      ...['currentNumberScheduled', 'numberMisscheduled', 'desiredNumberScheduled', 'numberReady'],
      ...['observedGeneration', 'updatedNumberScheduled', 'numberAvailable', 'numberUnavailable', 'collisionCount'],
    ],
  },
  'policy/poddisruptionbudgets': {
    natural: ['disruptionsAllowed', 'currentHealthy', 'desiredHealthy', 'expectedPods'],
  },
  'batch/jobs': { natural: ['active', 'succeeded', 'failed', 'ready', 'terminating'] },
  'autoscaling/horizontalpodautoscalers': { natural: ['currentReplicas', 'desiredReplicas'] },
}
/** Statuses that only one who has seen the last one may write down. */
const DECREASING = ['apps/deployments', 'apps/statefulsets', 'apps/daemonsets']

type Check = (object: Obj, before: Obj | undefined, errors: FieldError[]) => void

const CHECKS: Readonly<Record<string, Check>> = {
  '/services': checkBalanced,
  'networking.k8s.io/ingresses': checkBalanced,
  '/pods': checkPodStatus,
  '/namespaces': ({ metadata, status }, _before, errors) => {
    const { phase } = objectOf(status)
    const [wanted, why] =
      metadata.deletionTimestamp === undefined ? ['Active', 'is empty'] : ['Terminating', 'is not empty']
    if (phase !== wanted)
      invalidValue(errors, 'status.Phase', phase, `may only be '${wanted}' if \`deletionTimestamp\` ${why}`)
  },
  'batch/jobs': checkJobStatus,
  '/resourcequotas': ({ status }, _before, errors) => {
    for (const field of ['hard', 'used'])
      checkQuotaAmounts(objectOf(objectOf(status)[field]), `status.${field}`, errors)
  },
  '/nodes': (node, _before, errors) => checkNodeStatus(node, errors),
  '/persistentvolumeclaims': (claim, _before, errors) => checkClaimStatus(claim, errors),
}

/** Faults of a status that is written. */
export function validateStatus({ storageKey }: Resource, object: Obj, before: Obj | undefined): FieldError[] {
  const errors: FieldError[] = []
  const counts = COUNTS[storageKey]
  // Conditions are told before the counts, other faults after them.
  if (storageKey === 'policy/poddisruptionbudgets') checkConditions(object, errors)
  if (counts !== undefined) checkCounts(objectOf(object.status), counts, errors)
  if (DECREASING.includes(storageKey)) checkCollisions(objectOf(object.status), objectOf(before?.status), errors)
  CHECKS[storageKey]?.(object, before, errors)
  return errors
}

function checkCounts(status: JsonObject, { natural, parts = [], ready }: Counts, errors: FieldError[]): void {
  for (const field of natural) checkNatural(status[field], `status.${field}`, errors)
  const countOf = (field: string): number => numberOf(status[field]) ?? 0
  for (const field of parts)
    if (countOf(field) > countOf('replicas'))
      invalidValue(errors, `status.${field}`, countOf(field), 'cannot be greater than status.replicas')
  if (ready !== undefined && countOf('availableReplicas') > countOf('readyReplicas'))
    invalidValue(errors, 'status.availableReplicas', countOf('availableReplicas'), `cannot be greater than ${ready}`)
}

function checkCollisions(status: JsonObject, old: JsonObject, errors: FieldError[]): void {
  const had = numberOf(old.collisionCount)
  const now = numberOf(status.collisionCount)
  if (had === undefined || (now !== undefined && now >= had)) return
  invalidValue(errors, 'status.collisionCount', now ?? 0, 'cannot be decremented')
}

/** @see k8s.io/kubernetes/pkg/apis/core/validation ValidateLoadBalancerStatus */
function checkBalanced(object: Obj, _before: Obj | undefined, errors: FieldError[]): void {
  const ingress = objectsOf(objectOf(objectOf(object.status).loadBalancer).ingress)
  const isService = object.kind === 'Service'
  if (isService && specOf(object).type !== 'LoadBalancer' && ingress.length > 0)
    return forbid(errors, 'status.loadBalancer.ingress', "may only be used when `spec.type` is 'LoadBalancer'")
  ingress.forEach((each, index) => {
    const [ip = '', hostname = ''] = [each.ip, each.hostname].map(stringOf)
    const at = `status.loadBalancer.ingress[${index}]`
    if (ip !== '') checkAddress(ip, `${at}.ip`, errors)
    if (isService) checkMode(each, ip, `${at}.ipMode`, errors)
    if (hostname === '') return
    checkName(hostname, `${at}.hostname`, subdomainError, errors)
    if (isIP(hostname) !== 0) invalidValue(errors, `${at}.hostname`, hostname, 'must be a DNS name, not an IP address')
  })
}

function checkMode({ ipMode }: JsonObject, ip: string, path: string, errors: FieldError[]): void {
  if (ipMode === undefined) {
    if (ip !== '') required(errors, path, 'must be specified when `ip` is set')
  } else if (ip === '') forbid(errors, path, 'may not be specified when `ip` is not set')
  else if (ipMode !== 'VIP' && ipMode !== 'Proxy') unsupported(errors, path, ipMode, ['Proxy', 'VIP'])
}

const OWN_CONDITIONS = ['PodScheduled', 'Ready', 'Initialized']

/** @see k8s.io/kubernetes/pkg/apis/core/validation ValidatePodStatusUpdate */
function checkPodStatus({ status, spec }: Obj, before: Obj | undefined, errors: FieldError[]): void {
  const { conditions, nominatedNodeName, observedGeneration } = objectOf(status)
  objectsOf(conditions).forEach((condition, index) => {
    const generation = numberOf(condition.observedGeneration) ?? 0
    const text = stringOf(condition.type)
    if (generation < 0)
      invalidValue(
        errors,
        `status.conditions[${index}].observedGeneration`,
        generation,
        'must be a non-negative integer',
      )
    if (!OWN_CONDITIONS.includes(text))
      invalidFor(errors, `status.conditions[${index}].Type`, text, labelKeyErrors(text))
  })
  const had = objectOf(before?.status)
  const name = stringOf(nominatedNodeName)
  if (name !== '' && name !== stringOf(had.nominatedNodeName)) {
    checkName(name, 'status.nominatedNodeName', subdomainError, errors)
    if (stringOf(objectOf(spec).nodeName) !== '')
      forbid(errors, 'status.nominatedNodeName', 'may not be set on pods that are already bound to a node')
  }
  if (typeof observedGeneration === 'number' && observedGeneration < 0)
    invalidValue(errors, 'status.observedGeneration', observedGeneration, 'must be a non-negative integer')
  if (objectOf(status).qosClass !== had.qosClass && had.qosClass !== undefined)
    invalidValue(errors, 'status.qosClass', objectOf(status).qosClass, 'field is immutable')
  checkAddresses(objectOf(status).podIPs, 'status.podIPs', errors)
  const { hostIP, hostIPs } = objectOf(status)
  const first = objectOf(listOf(hostIPs)[0]).ip
  if (listOf(hostIPs).length > 0 && stringOf(first) !== stringOf(hostIP))
    invalidValue(errors, 'status.hostIPs[0].ip', stringOf(first), 'must be equal to `hostIP`')
  checkAddresses(hostIPs, 'status.hostIPs', errors)
}

/** One of each family at most. @see k8s.io/kubernetes/pkg/apis/core/validation validatePodIPs */
function checkAddresses(of: Json | undefined, at: string, errors: FieldError[]): void {
  const addresses = listOf(of).map((each) => stringOf(objectOf(each).ip))
  addresses.forEach((address, index) => checkAddress(address, `${at}[${index}]`, errors))
  if (addresses.length < 2) return
  const families = addresses.map(isIP)
  const strange = families.indexOf(0)
  if (strange !== -1) {
    const message = `Internal error: failed to check for dual stack with error:invalid IP[${strange}]: ${addresses[strange] ?? ''}`
    errors.push({ field: at, type: 'InternalError', message })
  }
  if (strange === -1 && addresses.length === 2 && families[0] !== families[1]) return
  const shown = addresses.map((address) => ({ IP: address }))
  invalidValue(errors, at, shown, 'may specify no more than one IP for each IP family')
}

/** Conditions of the common kind. @see k8s.io/apimachinery/pkg/apis/meta/v1/validation ValidateConditions */
function checkConditions({ status }: Obj, errors: FieldError[]): void {
  const seen = new Set<string>()
  objectsOf(objectOf(status).conditions).forEach((condition, index) => {
    const at = `status.conditions[${index}]`
    const { type, status: state, lastTransitionTime } = condition
    const name = stringOf(type)
    if (name === '') required(errors, `${at}.type`, 'is required')
    else if (seen.has(name))
      errors.push({ field: `${at}.type`, type: 'Duplicate', message: `Duplicate value: ${JSON.stringify(name)}` })
    else invalidFor(errors, `${at}.type`, name, labelKeyErrors(name))
    seen.add(name)
    if (stringOf(state) === '') required(errors, `${at}.status`)
    else if (!['True', 'False', 'Unknown'].includes(stringOf(state)))
      unsupported(errors, `${at}.status`, state, ['False', 'True', 'Unknown'])
    const generation = numberOf(condition.observedGeneration) ?? 0
    if (generation < 0)
      invalidValue(errors, `${at}.observedGeneration`, generation, 'must be greater than or equal to zero')
    if (lastTransitionTime === undefined || lastTransitionTime === null) required(errors, `${at}.lastTransitionTime`)
    checkConditionWords(condition, at, errors)
  })
}
