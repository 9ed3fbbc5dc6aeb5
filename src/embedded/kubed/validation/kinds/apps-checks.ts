import {
  isObject,
  type Json,
  type JsonObject,
  listOf,
  numberOf,
  objectOf,
  objectsOf,
  sorted,
  stringOf,
} from '../../../../lib/kube/json.ts'
import { matchSelector } from '../../../../lib/kube/selector.ts'
import { internalForm } from '../../../../lib/kube-schema/go-types.ts'
import { asGiven } from '../../decoding/emptied.ts'
import type { FieldError } from '../../fault.ts'
import { type Below, type Check, checkNatural, forbid, invalidValue, required, unsupported } from '../fault-list.ts'
import { labelError, labelKeyErrors, labelValueErrors } from '../../../../lib/kube/names.ts'
import { checkLabelSelector } from '../pods/placement-checks.ts'

/** Checks of workloads before those of their templates. @see k8s.io/kubernetes/pkg/apis/apps/validation */
export const APPS_CHECKS: Readonly<Record<string, Check>> = {
  'apps.v1.DeploymentSpec': (spec, path, errors, below) => {
    if (checkSelector(spec, path, errors, 'deployment', 'invalid label selector'))
      checkTemplate(spec, path, errors, below, 'ReplicaSet')
    checkStrategy(objectOf(spec.strategy), `${path}.strategy`, errors)
    for (const field of ['minReadySeconds', 'revisionHistoryLimit', 'progressDeadlineSeconds'])
      checkNatural(spec[field], `${path}.${field}`, errors)
    const { progressDeadlineSeconds: deadline, minReadySeconds: ready = 0 } = spec
    if (typeof deadline === 'number' && typeof ready === 'number' && deadline <= ready)
      invalidValue(errors, `${path}.progressDeadlineSeconds`, deadline, 'must be greater than minReadySeconds')
  },
  'apps.v1.ReplicaSetSpec': (spec, path, errors, below) => {
    if (checkSelector(spec, path, errors, 'deployment', 'invalid label selector'))
      checkTemplate(spec, path, errors, below, 'ReplicaSet')
  },
  'apps.v1.StatefulSetSpec': checkStateful,
  'apps.v1.DaemonSetSpec': (spec, path, errors, below) => {
    checkSelector(spec, path, errors, 'daemonset', undefined)
    checkTemplate(spec, path, errors, below, 'DaemonSet')
    checkNatural(spec.minReadySeconds, `${path}.minReadySeconds`, errors)
    checkDaemonStrategy(objectOf(spec.updateStrategy), `${path}.updateStrategy`, errors)
    checkNatural(spec.revisionHistoryLimit, `${path}.revisionHistoryLimit`, errors)
  },
}

/** A selector that can never be parsed is told as a whole, which is the answer false; otherwise it must match the template. */
function checkSelector(
  spec: JsonObject,
  path: string,
  errors: FieldError[],
  owner: string,
  unreadable: string | undefined,
): boolean {
  const { selector } = spec
  if (isObject(selector)) checkLabelSelector(selector, `${path}.selector`, errors)
  const { labels } = objectOf(objectOf(spec.template).metadata)
  if (isObject(selector) && Object.keys(selector).length === 0)
    invalidValue(errors, `${path}.selector`, {}, `empty selector is invalid for ${owner}`)
  if (!isReadable(selector)) {
    if (unreadable !== undefined) invalidValue(errors, `${path}.selector`, selectorText(selector), unreadable)
    return false
  }
  if (!matchSelector(selector)(labels))
    invalidValue(
      errors,
      `${path}.template.metadata.labels`,
      givenLabels(objectOf(spec.template)),
      '`selector` does not match template `labels`',
    )
  return true
}

/** The labels of a template as the server prints them. */
export function givenLabels(template: JsonObject): Json {
  return sorted(objectOf(asGiven(objectOf(template.metadata))).labels ?? null)
}

/** A selector as the server prints it. */
export function selectorText(selector: Json | undefined): Json {
  if (!isObject(selector)) return null
  const { matchLabels, matchExpressions } = selector
  return {
    matchLabels: isObject(matchLabels) ? sorted(matchLabels) : undefined,
    matchExpressions: Array.isArray(matchExpressions)
      ? objectsOf(matchExpressions).map(({ key = '', operator = '', values }) => ({ key, operator, values }))
      : undefined,
  }
}

/** True when a selector can be made to select by. */
export function isReadable(selector: Json | undefined): boolean {
  const fits = (key: string, values: readonly Json[]): boolean =>
    labelKeyErrors(key).length === 0 && values.every((each) => labelValueErrors(stringOf(each)).length === 0)
  const { matchLabels, matchExpressions } = objectOf(selector)
  if (!Object.entries(objectOf(matchLabels)).every(([key, value]) => fits(key, [value ?? '']))) return false
  return listOf(matchExpressions).every((each) => {
    const { key, operator, values } = objectOf(each)
    if (!fits(stringOf(key), listOf(values))) return false
    const count = listOf(values).length
    if (operator === 'In' || operator === 'NotIn') return count > 0
    return (operator === 'Exists' || operator === 'DoesNotExist') && count === 0
  })
}

function checkTemplate(spec: JsonObject, path: string, errors: FieldError[], below: Below, owner: string): void {
  below('template')
  checkLasting(spec, path, errors, owner)
}

/** Pods of a set are restarted for ever. */
function checkLasting({ template }: JsonObject, path: string, errors: FieldError[], owner: string): void {
  const { restartPolicy, activeDeadlineSeconds } = objectOf(objectOf(template).spec)
  const at = `${path}.template.spec`
  if (restartPolicy !== undefined && restartPolicy !== 'Always')
    unsupported(errors, `${at}.restartPolicy`, restartPolicy, ['Always'])
  if (activeDeadlineSeconds !== undefined)
    forbid(errors, `${at}.activeDeadlineSeconds`, `activeDeadlineSeconds in ${owner} is not Supported`)
}

function checkStrategy(strategy: JsonObject, path: string, errors: FieldError[]): void {
  const { type, rollingUpdate } = strategy
  if (type === 'Recreate' && rollingUpdate !== undefined)
    forbid(errors, `${path}.rollingUpdate`, "may not be specified when strategy `type` is 'Recreate'")
  else if (type !== 'RollingUpdate' && type !== 'Recreate')
    unsupported(errors, path, internalForm('apps/DeploymentStrategy', strategy), ['Recreate', 'RollingUpdate'])
  const { maxSurge, maxUnavailable } = objectOf(rollingUpdate)
  checkShare(maxUnavailable, `${path}.rollingUpdate.maxUnavailable`, errors)
  checkShare(maxSurge, `${path}.rollingUpdate.maxSurge`, errors)
  if (isZero(maxSurge) && isZero(maxUnavailable))
    invalidValue(errors, `${path}.rollingUpdate.maxUnavailable`, maxUnavailable, 'may not be 0 when `maxSurge` is 0')
  checkAtMostAll(maxUnavailable, `${path}.rollingUpdate.maxUnavailable`, errors)
}

function checkDaemonStrategy(strategy: JsonObject, path: string, errors: FieldError[]): void {
  const { type, rollingUpdate } = strategy
  if (type === 'OnDelete') return
  if (type !== 'RollingUpdate')
    return unsupported(errors, path, internalForm('apps/DaemonSetUpdateStrategy', strategy), [
      'RollingUpdate',
      'OnDelete',
    ])
  const at = `${path}.rollingUpdate`
  if (!isObject(rollingUpdate)) return required(errors, at)
  const { maxSurge, maxUnavailable } = rollingUpdate
  checkShare(maxUnavailable, `${at}.maxUnavailable`, errors)
  checkShare(maxSurge, `${at}.maxSurge`, errors)
  checkAtMostAll(maxUnavailable, `${at}.maxUnavailable`, errors)
  checkAtMostAll(maxSurge, `${at}.maxSurge`, errors)
  const [surges, isUnavailable] = [maxSurge ?? 0, maxUnavailable ?? 0].map((each) => !countsAsZero(each))
  if (surges && isUnavailable)
    invalidValue(errors, `${at}.maxSurge`, maxSurge, 'may not be set when maxUnavailable is non-zero')
  else if (!surges && !isUnavailable) required(errors, `${at}.maxUnavailable`, 'cannot be 0 when maxSurge is 0')
}

function checkStateful(spec: JsonObject, path: string, errors: FieldError[], below: Below): void {
  const policy = spec.podManagementPolicy
  if (policy !== undefined && policy !== 'OrderedReady' && policy !== 'Parallel')
    invalidValue(errors, `${path}.podManagementPolicy`, policy, "must be 'OrderedReady' or 'Parallel'")
  checkUpdate(objectOf(spec.updateStrategy), `${path}.updateStrategy`, errors)
  const retention = objectOf(spec.persistentVolumeClaimRetentionPolicy)
  for (const field of ['whenDeleted', 'whenScaled']) {
    const value = retention[field]
    if (value !== undefined && value !== 'Retain' && value !== 'Delete')
      unsupported(errors, `${path}.persistentVolumeClaimRetentionPolicy.${field}`, value, ['Retain', 'Delete'])
  }
  below('volumeClaimTemplates')
  checkNatural(spec.replicas, `${path}.replicas`, errors)
  checkNatural(spec.minReadySeconds, `${path}.minReadySeconds`, errors)
  checkNatural(objectOf(spec.ordinals).start, `${path}.ordinals.start`, errors)
  const service = stringOf(spec.serviceName)
  const why = service === '' ? undefined : labelError(service)
  if (why !== undefined) invalidValue(errors, `${path}.serviceName`, service, why)
  if (!isObject(spec.selector)) required(errors, `${path}.selector`)
  if (checkSelector(spec, path, errors, 'statefulset', '')) below('template')
  checkLasting(spec, path, errors, 'StatefulSet')
}

function checkUpdate(strategy: JsonObject, path: string, errors: FieldError[]): void {
  const { type, rollingUpdate } = strategy
  const { partition, maxUnavailable } = objectOf(rollingUpdate)
  if (type === 'RollingUpdate') {
    checkNatural(partition, `${path}.rollingUpdate.partition`, errors)
    if (maxUnavailable === undefined) return
    checkShare(maxUnavailable, `${path}.rollingUpdate.maxUnavailable`, errors)
    if (countsAsZero(maxUnavailable))
      invalidValue(errors, `${path}.rollingUpdate.maxUnavailable`, maxUnavailable, 'cannot be 0')
    checkAtMostAll(maxUnavailable, `${path}.rollingUpdate.maxUnavailable`, errors)
  } else if (type !== 'OnDelete')
    invalidValue(
      errors,
      path,
      internalForm('apps/StatefulSetUpdateStrategy', strategy),
      "must be 'RollingUpdate' or 'OnDelete'",
    )
  else if (isObject(rollingUpdate))
    invalidValue(
      errors,
      `${path}.rollingUpdate`,
      { Partition: numberOf(partition) ?? 0, MaxUnavailable: maxUnavailable ?? null },
      "only allowed for updateStrategy 'RollingUpdate'",
    )
}

const isZero = (value: Json | undefined): boolean => value === 0 || value === '0%'

/** What is no share counts as none. */
const countsAsZero = (value: Json | undefined): boolean =>
  isZero(value) || (typeof value === 'string' && !SHARE.test(value))

const SHARE = /^[0-9]+%$/

/** A number of 0 or more, or a share in percent. */
export function checkShare(value: Json | undefined, path: string, errors: FieldError[]): void {
  checkNatural(value, path, errors)
  if (typeof value === 'string' && !SHARE.test(value))
    invalidValue(
      errors,
      path,
      value,
      "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')",
    )
}

/** Of what may be away, a share is at most all. */
export function checkAtMostAll(value: Json | undefined, path: string, errors: FieldError[]): void {
  if (typeof value === 'string' && SHARE.test(value) && Number(value.slice(0, -1)) > 100)
    invalidValue(errors, path, value, 'must not be greater than 100%')
}
