import { internalForm } from '../../../../lib/kube-schema/go-types.ts'
import { type Json, type JsonObject, listOf, objectOf, objectsOf, stringOf } from '../../../../lib/kube/json.ts'
import { isQuantityError, parseQuantity, type Quantity } from '../../../../lib/kube/quantity.ts'
import { amounts, containerResources } from '../../../../lib/kube/quota.ts'
import type { FieldError } from '../../fault.ts'
import {
  type Below,
  type Check,
  checkName,
  duplicate,
  forbid,
  invalidFor,
  invalidValue,
  type Place,
  push,
  required,
  unsupported,
} from '../fault-list.ts'
import { labelError, labelKeyErrors } from '../../../../lib/kube/names.ts'
import { own } from '../../../../lib/value/own.ts'

const CONTAINER_RESOURCES = new Set(['cpu', 'memory', 'ephemeral-storage'])
/** Counts of objects: whole numbers. */
const COUNTS = new Set([
  ...['pods', 'resourcequotas', 'services', 'replicationcontrollers', 'secrets', 'configmaps'],
  ...['persistentvolumeclaims', 'services.nodeports', 'services.loadbalancers'],
])
const QUOTA_RESOURCES = new Set([
  ...CONTAINER_RESOURCES,
  ...COUNTS,
  ...['requests.cpu', 'requests.memory', 'requests.storage', 'requests.ephemeral-storage'],
  ...['limits.cpu', 'limits.memory', 'limits.ephemeral-storage'],
])
const RESOURCES = new Set([...QUOTA_RESOURCES, 'storage'])
const POD_QUOTA = new Set(['pods', 'cpu', 'memory', 'limits.cpu', 'limits.memory', 'requests.cpu', 'requests.memory'])
const CLAIM_QUOTA = new Set(['persistentvolumeclaims', 'requests.storage'])

const SCOPES: Readonly<Record<string, ReadonlySet<string>>> = {
  Terminating: POD_QUOTA,
  NotTerminating: POD_QUOTA,
  NotBestEffort: POD_QUOTA,
  PriorityClass: POD_QUOTA,
  CrossNamespacePodAffinity: POD_QUOTA,
  BestEffort: new Set(['pods']),
  VolumeAttributesClass: CLAIM_QUOTA,
}
const OPPOSITES = [
  ['BestEffort', 'NotBestEffort'],
  ['Terminating', 'NotTerminating'],
] as const

/** Checks of amounts of resources: containers' and quotas'. @see k8s.io/kubernetes/pkg/apis/core/validation */
export const RESOURCE_CHECKS: Readonly<Record<string, Check>> = {
  'core.v1.ResourceRequirements': checkRequirements,
  'core.v1.ResourceQuotaSpec': checkQuota,
}

const HUGE = 'hugepages-'
const isHuge = (name: string): boolean => name.startsWith(HUGE)
const isExtended = (name: string): boolean => name.includes('/') && !name.includes('kubernetes.io/')

/** The amount, undefined when it is none. */
export function amountOf(value: Json | undefined): Quantity | undefined {
  const quantity = parseQuantity(typeof value === 'number' ? value : stringOf(value))
  return isQuantityError(quantity) ? undefined : quantity
}

/** Amounts that something takes at least and at most. */
export function checkRequirements(
  { limits, requests, claims }: JsonObject,
  path: string,
  errors: FieldError[],
  _below?: Below,
  place?: Place,
): void {
  const [most, asked] = [objectOf(limits), objectOf(requests)]
  // Of containers there are lists: what stands right below the specification is of the whole pod.
  const checkKind = /(^|\.)spec\.resources$/.test(path) ? checkPodResource : checkContainerResource
  for (const [name, amount] of Object.entries(most)) {
    const at = `${path}.limits[${name}]`
    checkKind(name, at, errors)
    checkAmount(name, amount, at, errors)
    checkPages(name, amount, at, errors)
  }
  for (const [name, amount] of Object.entries(asked)) {
    const at = `${path}.requests[${name}]`
    checkKind(name, at, errors)
    checkAmount(name, amount, at, errors)
    checkRequest(name, amount, most[name], path, errors)
    checkPages(name, amount, at, errors)
  }
  const names = [...Object.keys(most), ...Object.keys(asked)]
  if (names.some(isHuge) && !names.includes('cpu') && !names.includes('memory'))
    forbid(errors, path, 'HugePages require cpu or memory')
  if (place !== undefined) checkClaimNames(objectsOf(claims), objectsOf(place.pod.resourceClaims), path, errors)
}

/** A container names claims of its pod, each of them, or each request of them, once. */
function checkClaimNames(
  claims: readonly JsonObject[],
  known: readonly JsonObject[],
  path: string,
  errors: FieldError[],
): void {
  const names = [...new Set(known.map(({ name }) => stringOf(name)))].sort()
  const seen = new Set<string>()
  claims.forEach((claim, index) => {
    const at = `${path}.claims[${index}]`
    const [name = '', request = ''] = [claim.name, claim.request].map(stringOf)
    if (name === '') return required(errors, at)
    if (request !== '') checkName(request, `${at}.request`, labelError, errors)
    const key = request === '' ? name : `${name}/${request}`
    if (seen.has(name)) duplicate(errors, at, name)
    else if (seen.has(key)) duplicate(errors, at, key)
    else if (request === '') for (const each of seen) if (each.startsWith(`${name}/`)) duplicate(errors, at, name)
    seen.add(key)
    if (names.includes(name)) return
    const all = names.length === 0 ? ' which is empty' : `: ${names.join(', ')}`
    const why = `must be one of the names in pod.spec.resourceClaims${all}`
    push(errors, at, 'NotFound', `Not found: ${JSON.stringify(name)}: ${why}`)
  })
}

/** Huge pages are taken as wholes. */
function checkPages(name: string, amount: Json | undefined, path: string, errors: FieldError[]): void {
  if (!isHuge(name)) return
  const [found, page] = [amountOf(amount), amountOf(name.slice(HUGE.length))]
  if (found === undefined || (page !== undefined && page.nano > 0n && found.nano % page.nano === 0n)) return
  invalidValue(errors, path, found.text, `${found.text} is not positive integer multiple of ${name}`)
}

function checkRequest(
  name: string,
  asked: Json | undefined,
  limit: Json | undefined,
  path: string,
  errors: FieldError[],
): void {
  const mustEqual = isExtended(name) || isHuge(name)
  if (limit === undefined) {
    if (mustEqual) required(errors, `${path}.limits`, 'Limit must be set for non overcommitable resources')
    return
  }
  const [want, most] = [amountOf(asked), amountOf(limit)]
  if (want === undefined || most === undefined) return
  if (mustEqual && want.nano !== most.nano)
    invalidValue(errors, `${path}.requests`, want.text, `must be equal to ${name} limit of ${most.text}`)
  else if (want.nano > most.nano)
    invalidValue(errors, `${path}.requests`, want.text, `must be less than or equal to ${name} limit of ${most.text}`)
}

function checkPodResource(name: string, path: string, errors: FieldError[]): void {
  const before = errors.length
  checkResource(name, path, errors)
  if (errors.length === before && name !== 'cpu' && name !== 'memory' && !isHuge(name))
    unsupported(errors, path, name, ['cpu', 'hugepages-', 'memory'])
}

/** Resources of a whole pod: what its containers need must fit into them. */
export function checkWholePod(spec: JsonObject, path: string, errors: FieldError[], below: Below): void {
  const { claims, requests, limits } = objectOf(spec.resources)
  if (objectOf(spec.os).name === 'windows') return forbid(errors, path, 'may not be set for a windows pod')
  if (claims !== undefined) forbid(errors, `${path}.claims`, 'claims may not be set for Resources at pod-level')
  below('resources')
  const checkSum = (field: 'requests' | 'limits', given: JsonObject, isMeant: (name: string) => boolean): void => {
    for (const [name, sum] of containerResources(spec, field)) {
      const whole = amountOf(given[name])
      if (whole !== undefined && isMeant(name) && sum.nano > whole.nano)
        invalidValue(
          errors,
          `${path}.${field}[${name}]`,
          whole.text,
          `must be greater than or equal to aggregate container ${field} of ${sum.text}`,
        )
    }
  }
  checkSum('requests', objectOf(requests), () => true)
  checkSum('limits', objectOf(limits), isHuge)
  objectsOf(spec.containers).forEach(({ resources }, index) => {
    for (const [name, limit] of amounts(objectOf(resources).limits)) {
      const whole = amountOf(objectOf(limits)[name])
      if (whole === undefined || limit.nano <= whole.nano) continue
      const at = `${path}.containers[${index}][${name}].limits`
      invalidValue(errors, at, limit.text, `must be less than or equal to pod limits of ${whole.text}`)
    }
  })
}

/** A resource of a container: a known one, or one with a domain. */
export function checkContainerResource(name: string, path: string, errors: FieldError[]): void {
  checkResource(name, path, errors)
  if (!name.includes('/')) {
    if (!CONTAINER_RESOURCES.has(name) && !isHuge(name))
      invalidValue(errors, path, name, 'must be a standard resource for containers')
  } else if (isExtended(name) && (name.startsWith('requests.') || labelKeyErrors(`requests.${name}`).length))
    invalidValue(errors, path, name, "doesn't follow extended resource name standard")
}

/** A resource: a known one, or one with a domain; answers whether it is. */
export function checkResource(name: string, path: string, errors: FieldError[]): boolean {
  const reasons = labelKeyErrors(name)
  invalidFor(errors, path, name, reasons)
  if (reasons.length > 0) return false
  if (name.includes('/') || RESOURCES.has(name) || isHuge(name) || name.startsWith('requests.hugepages-')) return true
  invalidValue(errors, path, name, 'must be a standard resource type or fully qualified')
  return false
}

/** An amount of a resource: not below nothing, and whole where it counts something. */
export function checkAmount(name: string, amount: Json | undefined, path: string, errors: FieldError[]): void {
  const quantity = amountOf(amount)
  if (quantity === undefined) return
  if (quantity.nano < 0n) invalidValue(errors, path, quantity.text, 'must be greater than or equal to 0')
  if ((COUNTS.has(name) || isExtended(name)) && !isWhole(quantity.nano))
    invalidValue(errors, path, quantity.text, 'must be an integer')
}

/** Go asks for the thousandths, of which it counts no more than these: larger amounts have some left. */
const MOST_THOUSANDTHS = 2n ** 63n - 1n

const isWhole = (nano: bigint): boolean => nano % 1_000_000_000n === 0n && nano / 1_000_000n <= MOST_THOUSANDTHS

/** Amounts of what a quota counts. */
export function checkQuotaAmounts(amounts: JsonObject, path: string, errors: FieldError[]): void {
  for (const [name, amount] of Object.entries(amounts)) {
    const at = `${path}[${name}]`
    const isQuota = QUOTA_RESOURCES.has(name) || isHuge(name) || name.startsWith('requests.hugepages-')
    checkResource(name, at, errors)
    if (!name.includes('/') && !isQuota) invalidValue(errors, at, name, 'must be a standard resource for quota')
    checkAmount(name, amount, at, errors)
  }
}

function checkQuota(spec: JsonObject, path: string, errors: FieldError[]): void {
  const hard = objectOf(spec.hard)
  checkQuotaAmounts(hard, `${path}.hard`, errors)
  const scopes = listOf(spec.scopes)
  const at = `${path}.scopes`
  for (const scope of scopes.map(stringOf)) {
    const allowed = own(SCOPES, scope)
    if (allowed === undefined) invalidValue(errors, at, scopes, 'unsupported scope')
    for (const name of Object.keys(hard).sort())
      if (allowed !== undefined && QUOTA_RESOURCES.has(name) && !allowed.has(name))
        invalidValue(errors, at, scopes, 'unsupported scope applied to resource')
  }
  for (const pair of OPPOSITES)
    if (pair.every((scope) => scopes.includes(scope))) invalidValue(errors, at, scopes, 'conflicting scopes')
  checkScopeSelector(spec, `${path}.scopeSelector.matchExpressions`, errors)
}

const ONLY_EXISTS =
  "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity"

/** Requirements are told of without their place. */
function checkScopeSelector(spec: JsonObject, path: string, errors: FieldError[]): void {
  const names = Object.keys(objectOf(spec.hard)).sort()
  for (const requirement of objectsOf(objectOf(spec.scopeSelector).matchExpressions)) {
    const [scope, operator] = [requirement.scopeName, requirement.operator].map(stringOf)
    const allowed = own(SCOPES, scope ?? '')
    if (allowed === undefined) invalidValue(errors, `${path}.scopeName`, scope, 'unsupported scope')
    for (const name of names)
      if (allowed !== undefined && QUOTA_RESOURCES.has(name) && !allowed.has(name))
        invalidValue(
          errors,
          path,
          internalForm('core/ScopeSelector', objectOf(spec.scopeSelector)),
          'unsupported scope applied to resource',
        )
    const isFixed = allowed !== undefined && scope !== 'PriorityClass' && scope !== 'VolumeAttributesClass'
    if (isFixed && operator !== 'Exists') invalidValue(errors, `${path}.operator`, operator, ONLY_EXISTS)
    checkScopeValues(listOf(requirement.values), operator ?? '', path, errors)
  }
}

function checkScopeValues(values: readonly Json[], operator: string, path: string, errors: FieldError[]): void {
  if (operator === 'In' || operator === 'NotIn') {
    if (values.length === 0)
      required(
        errors,
        `${path}.values`,
        "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector",
      )
  } else if (operator === 'Exists' || operator === 'DoesNotExist') {
    if (values.length > 0)
      invalidValue(
        errors,
        `${path}.values`,
        [...values],
        "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector",
      )
  } else invalidValue(errors, `${path}.operator`, operator, 'not a valid selector operator')
}
