import { type JsonObject, listOf, numberOf, objectOf, stringOf } from '../../../lib/kube/json.ts'
import type { FieldError } from '../fault.ts'
import { NODE_CHECKS } from './kinds/amount-status-checks.ts'
import { APPS_CHECKS, checkAtMostAll, checkShare } from './kinds/apps-checks.ts'
import { AUTOSCALING_CHECKS } from './kinds/autoscaling-checks.ts'
import { AFTER_BATCH, BATCH_CHECKS } from './kinds/batch-checks.ts'
import { CERTIFICATE_CHECKS } from './kinds/certificate-checks.ts'
import { CONTAINER_CHECKS } from './pods/container-checks.ts'
import { DATA_CHECKS } from './kinds/data-checks.ts'
import { ENDPOINT_CHECKS } from './kinds/endpoint-checks.ts'
import { AFTER_ENV, ENV_CHECKS } from './pods/env-checks.ts'
import { EVENT_CHECKS } from './kinds/event-checks.ts'
import { type Check, checkNatural, forbid, invalidValue, unsupported } from './fault-list.ts'
import { FLOW_CHECKS } from './kinds/flow-checks.ts'
import { HANDLER_CHECKS } from './pods/handler-checks.ts'
import { LIMIT_RANGE_CHECKS } from './kinds/limit-range-checks.ts'
import { checkAnnotations, checkLabels, checkNamespace } from './meta.ts'
import { NETWORKING_CHECKS } from './kinds/networking-checks.ts'
import { OTHER_CHECKS } from './kinds/other-checks.ts'
import { PLACEMENT_CHECKS } from './pods/placement-checks.ts'
import { checkPodAnnotations, checkProfilesAgree } from './pods/annotation-checks.ts'
import { checkPreemption, POD_CHECKS } from './pods/pod-checks.ts'
import { POD_CERTIFICATE_CHECKS } from './kinds/pod-certificate-checks.ts'
import { POLICY_CHECKS } from './kinds/policies/policy-checks.ts'
import { RBAC_CHECKS } from './kinds/rbac-checks.ts'
import { RESOURCE_CHECKS } from './pods/resource-checks.ts'
import { SECURITY_CHECKS } from './pods/security-checks.ts'
import { AFTER_SERVICE, SERVICE_CHECKS } from './kinds/service-checks.ts'
import { STORAGE_CHECKS } from './kinds/storage-checks.ts'
import { AFTER_VOLUME, VOLUME_CHECKS } from './kinds/volume-checks.ts'
import { VOLUME_KIND_CHECKS } from './kinds/volume-kinds-checks.ts'
import { VOLUME_SOURCE_CHECKS } from './pods/volume-source-checks.ts'
import { WINDOWS_CHECKS } from './pods/windows-checks.ts'
import { own } from '../../../lib/value/own.ts'

const HIGHEST_PRIORITY = 1_000_000_000
const UNHEALTHY_POLICIES = ['AlwaysAllow', 'IfHealthyBudget']

/** What rules as data cannot say, by definition; before what is below it. */
export const CHECKS: Readonly<Record<string, Check>> = {
  ...NETWORKING_CHECKS,
  ...OTHER_CHECKS,
  ...RBAC_CHECKS,
  ...VOLUME_CHECKS,
  ...VOLUME_SOURCE_CHECKS,
  ...VOLUME_KIND_CHECKS,
  ...STORAGE_CHECKS,
  ...BATCH_CHECKS,
  ...APPS_CHECKS,
  ...AUTOSCALING_CHECKS,
  ...CERTIFICATE_CHECKS,
  ...CONTAINER_CHECKS,
  ...DATA_CHECKS,
  ...ENDPOINT_CHECKS,
  ...ENV_CHECKS,
  ...EVENT_CHECKS,
  ...FLOW_CHECKS,
  ...HANDLER_CHECKS,
  ...LIMIT_RANGE_CHECKS,
  ...PLACEMENT_CHECKS,
  ...NODE_CHECKS,
  ...POD_CERTIFICATE_CHECKS,
  ...POLICY_CHECKS,
  ...RESOURCE_CHECKS,
  ...SECURITY_CHECKS,
  ...SERVICE_CHECKS,
  ...POD_CHECKS,
  ...WINDOWS_CHECKS,
  'core.v1.PodTemplateSpec': (template, path, errors) => {
    const { labels, annotations } = objectOf(template.metadata)
    checkLabels(labels, `${path}.labels`, errors)
    checkAnnotations(annotations, `${path}.annotations`, errors)
    checkPodAnnotations(template, `${path}.annotations`, errors)
  },
  'core.v1.Namespace': checkNamespace,
  'coordination.v1.LeaseSpec': ({ leaseDurationSeconds, leaseTransitions }, path, errors) => {
    if (typeof leaseDurationSeconds === 'number' && leaseDurationSeconds <= 0)
      invalidValue(errors, `${path}.leaseDurationSeconds`, leaseDurationSeconds, 'must be greater than 0')
    checkNatural(leaseTransitions, `${path}.leaseTransitions`, errors)
  },
  'policy.v1.PodDisruptionBudgetSpec': (spec, path, errors, below) => {
    const { minAvailable, maxUnavailable } = spec
    if (minAvailable !== undefined && maxUnavailable !== undefined)
      invalidValue(errors, path, budgetText(spec), 'minAvailable and maxUnavailable cannot be both set')
    for (const field of ['minAvailable', 'maxUnavailable']) {
      checkShare(spec[field], `${path}.${field}`, errors)
      checkAtMostAll(spec[field], `${path}.${field}`, errors)
    }
    below('selector')
    const policy = spec.unhealthyPodEvictionPolicy
    if (policy !== undefined && !UNHEALTHY_POLICIES.includes(stringOf(policy)))
      unsupported(errors, `${path}.unhealthyPodEvictionPolicy`, policy, UNHEALTHY_POLICIES)
  },
  'scheduling.v1.PriorityClass': (priority, _path, errors) => {
    checkPriority(priority, errors)
    checkPreemption(priority.preemptionPolicy, 'preemptionPolicy', errors)
  },
}

const SYSTEM_PRIORITIES: Readonly<Record<string, number>> = {
  'system-node-critical': 2_000_001_000,
  'system-cluster-critical': 2_000_000_000,
}

/** The server's own classes are as they are; others are below them. */
function checkPriority({ metadata, value, globalDefault }: JsonObject, errors: FieldError[]): void {
  const name = stringOf(objectOf(metadata).name)
  const number = numberOf(value) ?? 0
  if (!name.startsWith('system-')) {
    if (number > HIGHEST_PRIORITY)
      forbid(errors, 'value', `maximum allowed value of a user defined priority is ${HIGHEST_PRIORITY}`)
    return
  }
  const known = own(SYSTEM_PRIORITIES, name)
  const why =
    known === undefined
      ? `${name} is not a known system priority class`
      : number !== known
        ? `value of ${name} PriorityClass must be ${known}`
        : globalDefault === true
          ? `globalDefault of ${name} PriorityClass must be false`
          : undefined
  if (why !== undefined)
    forbid(
      errors,
      'metadata.name',
      `priority class names with 'system-' prefix are reserved for system use only. error: ${why}`,
    )
}

/** What is checked after what is below a definition. */
export const AFTER: Readonly<Record<string, Check>> = {
  ...AFTER_BATCH,
  ...AFTER_ENV,
  ...AFTER_SERVICE,
  ...AFTER_VOLUME,
  'core.v1.PodTemplateSpec': (template, path, errors) => {
    checkProfilesAgree(template, `${path}.spec`, errors)
    if (listOf(objectOf(template.spec).ephemeralContainers).length > 0)
      forbid(errors, `${path}.spec.ephemeralContainers`, 'ephemeral containers not allowed in pod template')
  },
}

/** The internal kind, as the server prints it. */
function budgetText(spec: JsonObject): JsonObject {
  return {
    MinAvailable: spec.minAvailable ?? null,
    Selector: spec.selector ?? null,
    MaxUnavailable: spec.maxUnavailable ?? null,
    UnhealthyPodEvictionPolicy: spec.unhealthyPodEvictionPolicy ?? null,
  }
}
