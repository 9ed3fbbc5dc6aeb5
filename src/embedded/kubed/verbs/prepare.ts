import { definitionType } from '../../../lib/kube-schema/builtin.ts'
import {
  clone,
  equal,
  isObject,
  type JsonObject,
  listOf,
  objectOf,
  objectsOf,
  sorted,
  stringOf,
} from '../../../lib/kube/json.ts'
import { admitGrowth } from '../admission/claim-resize.ts'
import { checkLimits } from '../admission/limit-ranger.ts'
import { settleSigningRequest, stampRequester } from '../admission/certificates.ts'
import { admitChangedPod, admitPod } from '../admission/pod.ts'
import { mutateByPolicies } from '../admission/policies/mutating.ts'
import { validateByPolicies } from '../admission/policies/validating.ts'
import { confirmNoEscalation } from '../authorization/escalation.ts'
import { admitSigningRequest } from '../authorization/signers.ts'
import { admitToQuota } from '../admission/resource-quota.ts'
import { admitPodSecurity } from '../admission/pod-security/admit.ts'
import { checkOverhead } from '../admission/runtime-class.ts'
import { allocateService } from '../admission/service.ts'
import type { Call } from '../request/call.ts'
import { dropGated, forgetEmpty } from '../decoding/stored-form.ts'
import { defaultCustom, shapeLikeGo } from '../decoding/typed.ts'
import { applyDefaults } from '../defaulting/apply.ts'
import { settleService } from '../defaulting/service-change.ts'
import { type Environment, timestamp } from '../environment.ts'
import { type FieldError, invalid } from '../fault.ts'
import { type Obj, specOf } from '../object.ts'
import { randomSuffix } from '../admission/random-name.ts'
import { isDefinition, rememberStorage } from '../resources/definitions.ts'
import { EPHEMERAL, RESIZE, type Resource, SIGNING_REQUESTS, writesStatus } from '../resources/resource.ts'
import { validateObject } from '../validation/validate.ts'
import { warningsOf } from '../warnings/warnings.ts'

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta'

/** Kinds that count the changes of their spec. */
const COUNTED = new Set([
  'PodTemplate',
  'HorizontalPodAutoscaler',
  'Deployment',
  'ReplicaSet',
  'StatefulSet',
  'DaemonSet',
  'ReplicationController',
  'Job',
  'CronJob',
  'Ingress',
  'IngressClass',
  'NetworkPolicy',
  'PodDisruptionBudget',
  'Pod',
  'CustomResourceDefinition',
  'EndpointSlice',
  'PriorityClass',
  'CSIDriver',
  'FlowSchema',
  'PriorityLevelConfiguration',
  'ValidatingAdmissionPolicy',
  'ValidatingAdmissionPolicyBinding',
  'MutatingAdmissionPolicy',
  'MutatingAdmissionPolicyBinding',
  'DeviceClass',
  'ResourceSlice',
])

/** True when the kind has `metadata.generation`. */
function countsGenerations(resource: Resource): boolean {
  return resource.custom !== undefined || COUNTED.has(resource.kind)
}

/** True when status is written through its own subresource only. */
function hasStatus(resource: Resource): boolean {
  return resource.subresources.has('status')
}

/** Defaults and shape, before ownership is counted: what admission and the server add later belongs to nobody. In place. */
export function defaultObject(resource: Resource, object: Obj): void {
  if (resource.custom === undefined) {
    if (resource.storageKey === 'apps/daemonsets') stampTemplate(object)
    applyDefaults(resource.type, object)
    shapeLikeGo(resource.type, object)
    object.metadata.name ??= ''
  } else {
    defaultCustom(resource.type, object)
    shapeMeta(object)
  }
}

const TEMPLATE_GENERATION = 'deprecated.daemonset.template.generation'

/** The internal kind has a field for it, the served one an annotation. */
function stampTemplate({ metadata }: Obj): void {
  metadata.annotations = {
    ...metadata.annotations,
    [TEMPLATE_GENERATION]: metadata.annotations?.[TEMPLATE_GENERATION] ?? '0',
  }
}

function countTemplate(set: Obj, before: Obj | undefined): void {
  const old = Number(before?.metadata.annotations?.[TEMPLATE_GENERATION] ?? 0)
  const isSameTemplate = before !== undefined && equal(specOf(set).template, specOf(before).template)
  set.metadata.annotations = {
    ...set.metadata.annotations,
    [TEMPLATE_GENERATION]: String(isSameTemplate ? old : old + 1),
  }
}

/** Server-given values, admission and validation of a new, defaulted object. In place. */
export function prepareNew(env: Environment, call: Call, object: Obj): void {
  const { resource } = call
  if (resource.custom === undefined) dropGated(resource.type, object)
  if (hasStatus(resource) && resource.kind !== 'Node') resetStatus(resource, object)
  // what admits comes before the name: its refusals tell of the beginning that was sent
  if (resource.storageKey === '/pods') admitPod(env, call, object)
  generateName(env, object)
  if (resource.storageKey === '/persistentvolumes') stampPhase(object, undefined, env.nowMs())
  if (isDefinition(object)) rememberStorage(object)
  if (countsGenerations(resource) && resource.kind !== 'CSIDriver') object.metadata.generation = 1
  if (resource.storageKey === '/namespaces') startNamespace(object)
  if (resource.storageKey === 'batch/jobs') selectOwnPods(object)
  const protection = PROTECTED[resource.storageKey]
  if (protection !== undefined) addFinalizer(object, protection)
  if (resource.storageKey === '/nodes') taintNew(object)
  if (resource.storageKey === SIGNING_REQUESTS) stampRequester(object, call.user)
  if (resource.storageKey === 'apps/daemonsets') countTemplate(object, undefined)
  settle(env, call, object, undefined)
  // Reading it again from where it is kept sets what depends on what was added.
  if (resource.storageKey === 'batch/jobs') labelLikeTemplate(object)
  if (resource.storageKey === '/persistentvolumeclaims') nameSourceTwice(specOf(object))
  if (resource.custom === undefined) forgetEmpty(resource.type, object)
}

function generateName(env: Environment, { metadata }: Obj): void {
  const { name, generateName: prefix = '' } = metadata
  if (name === '' && prefix !== '') metadata.name = prefix.slice(0, 58) + randomSuffix(env)
}

/** Volumes remember when they came into their phase. */
function stampPhase(volume: Obj, before: Obj | undefined, nowMs: number): void {
  const status = objectOf(volume.status)
  if (objectOf(before?.status).phase !== status.phase) status.lastPhaseTransitionTime = timestamp(nowMs)
}

/** When a volume came into its phase is the server's to say. */
function keepPhaseTime(status: JsonObject, old: JsonObject): void {
  if (status.phase === old.phase) status.lastPhaseTransitionTime ??= old.lastPhaseTransitionTime
}

/** A pod's class of service is what it was made with. */
function keepClass(pod: Obj, before: Obj): void {
  const { qosClass } = objectOf(before.status)
  const status = objectOf(pod.status)
  if (stringOf(status.qosClass) === '' && qosClass !== undefined) pod.status = { ...status, qosClass }
}

function resetStatus(resource: Resource, object: Obj): void {
  delete object.status
  // A custom resource is stored without status, and read with the defaults of its schema.
  if (resource.custom !== undefined) return defaultCustom(resource.type, object)
  const status: JsonObject = resource.storageKey.startsWith('/persistentvolume') ? { phase: 'Pending' } : {}
  const type = resource.type.child('status')
  if (type !== undefined) shapeLikeGo(type, status)
  object.status = status
}

/** Carried-over values and validation of a changed, defaulted object. In place. */
export function prepareChanged(env: Environment, call: Call, object: Obj, before: Obj): void {
  const { resource } = call
  if (resource.custom === undefined) dropGated(resource.type, object)
  if (writesStatus(call.subresource)) {
    keepAllButStatus(resource, object, before)
    if (resource.storageKey === '/persistentvolumes') keepPhaseTime(objectOf(object.status), objectOf(before.status))
    if (resource.storageKey === '/pods') keepClass(object, before)
  } else if (call.subresource === EPHEMERAL) keepAllButEphemeral(object, before)
  else if (call.subresource === RESIZE) keepAllButAmounts(object, before)
  else if (hasStatus(resource)) {
    if (before.status === undefined) delete object.status
    else object.status = before.status
  }
  if (resource.storageKey === '/namespaces' && call.subresource === '') object.spec = before.spec
  if (resource.storageKey === 'apps/daemonsets') countTemplate(object, before)
  if (resource.storageKey === '/pods' && call.subresource === '') admitChangedPod(env, object, before)
  if (resource.storageKey === '/services') settleService(object, before)
  if (resource.storageKey === SIGNING_REQUESTS) settleSigningRequest(object, before, call.subresource, env.nowMs())
  settle(env, call, object, before)
  if (resource.custom === undefined) forgetEmpty(resource.type, object)
  if (countsGenerations(resource) && !writesStatus(call.subresource) && changesSpec(resource, object, before))
    object.metadata.generation = (before.metadata.generation ?? 0) + 1
}

function settle(env: Environment, call: Call, object: Obj, before: Obj | undefined): void {
  const { resource } = call
  const attempt = { call, operation: before === undefined ? 'CREATE' : 'UPDATE', object, before } as const
  mutateByPolicies(env, attempt, (changed) => defaultObject(resource, changed))
  confirmNoEscalation(env, call, object, before)
  // Whoever creates a service by its status, which the server lets, gets one without an address.
  const takes = resource.storageKey === '/services' && !(before === undefined && writesStatus(call.subresource))
  const errors: FieldError[] = takes ? allocateService(env, object, before, call.dryRun) : []
  if (errors.length === 0) errors.push(...validateObject(call, object, before))
  // New events are told by the name that they had before they had a group.
  const { kind, group } = resource
  const told = { kind, group: resource.storageKey === '/events' ? '' : group }
  if (errors.length > 0) throw invalid(told, object.metadata.name, errors)
  // Whoever writes a status alone is not warned of the rest; who is refused by what follows, is.
  if (!writesStatus(call.subresource)) call.warnings.push(...warningsOf(resource, object, before))
  if (before !== undefined && !env.disabledPlugins.has('PersistentVolumeClaimResize'))
    admitGrowth(env, call, object, before)
  if (!env.disabledPlugins.has('LimitRanger')) checkLimits(env, call, object, before)
  if (!env.disabledPlugins.has('PodSecurity')) admitPodSecurity(env, call, object, before)
  if (before === undefined && resource.storageKey === '/pods') checkOverhead(env, resource, object)
  if (resource.storageKey === SIGNING_REQUESTS) admitSigningRequest(env, call, object, before)
  validateByPolicies(env, attempt)
  admitToQuota(env, call, object, before)
}

/** A job's pods are found by the job's uid, unless it says how itself. */
function selectOwnPods(job: Obj): void {
  const spec = objectOf(job.spec)
  const template = objectOf(spec.template)
  const metadata = isObject(template.metadata) ? template.metadata : {}
  // Labels that were not given are the template's, and follow it.
  const given = objectOf(metadata.labels)
  const followsTemplate = Object.keys(given).length > 0 && equal(objectOf(job.metadata.labels), given)
  if (spec.manualSelector !== true) {
    const { uid = '', name } = job.metadata
    metadata.labels = {
      'batch.kubernetes.io/controller-uid': uid,
      'batch.kubernetes.io/job-name': name,
      'controller-uid': uid,
      'job-name': name,
      // What was given stays, and validation refuses what does not fit.
      ...objectOf(metadata.labels),
    }
    template.metadata = metadata
    const selector = objectOf(spec.selector)
    const wanted = sorted({ 'batch.kubernetes.io/controller-uid': uid, ...objectOf(selector.matchLabels) })
    spec.selector = { ...selector, matchLabels: wanted }
  }
  if (followsTemplate) job.metadata.labels = { ...objectOf(metadata.labels) }
}

/** What a claim is filled from has an older and a newer field; they say the same. */
function nameSourceTwice(spec: JsonObject): void {
  const { dataSource, dataSourceRef } = spec
  if (isObject(dataSource) && dataSourceRef === undefined) {
    dataSource.apiGroup ??= null
    spec.dataSourceRef = { ...dataSource }
  } else if (isObject(dataSourceRef) && dataSource === undefined && stringOf(dataSourceRef.namespace) === '') {
    dataSourceRef.apiGroup ??= null
    spec.dataSource = { ...dataSourceRef }
  }
}

function labelLikeTemplate({ metadata, spec }: Obj): void {
  const { labels } = objectOf(objectOf(objectOf(spec).template).metadata)
  if (Object.keys(objectOf(metadata.labels)).length === 0 && labels !== undefined)
    metadata.labels = { ...objectOf(labels) }
}

function shapeMeta(object: Obj): void {
  const type = definitionType(META)
  if (type !== undefined) shapeLikeGo(type, object.metadata)
}

/** Volumes that are in use are kept by a finalizer. @see admission plugin StorageObjectInUseProtection */
const PROTECTED: Readonly<Record<string, string>> = {
  'storage.k8s.io/volumeattributesclasses': 'kubernetes.io/vac-protection',
  '/persistentvolumes': 'kubernetes.io/pv-protection',
  '/persistentvolumeclaims': 'kubernetes.io/pvc-protection',
}

function addFinalizer({ metadata }: Obj, finalizer: string): void {
  const finalizers = listOf(metadata.finalizers)
  if (!finalizers.includes(finalizer)) metadata.finalizers = [...finalizers, finalizer].map(stringOf)
}

/** A new node takes no pods before it says that it is ready. @see admission plugin TaintNodesByCondition */
function taintNew(node: Obj): void {
  const spec = specOf(node)
  const taints = objectsOf(spec.taints)
  const key = 'node.kubernetes.io/not-ready'
  if (!taints.some((taint) => taint.key === key && taint.effect === 'NoSchedule'))
    spec.taints = [...taints, { key, effect: 'NoSchedule' }]
}

function startNamespace(namespace: Obj): void {
  const spec = isObject(namespace.spec) ? namespace.spec : {}
  const finalizers = listOf(spec.finalizers)
  if (!finalizers.includes('kubernetes')) spec.finalizers = [...finalizers, 'kubernetes']
  namespace.spec = spec
  const { metadata } = namespace
  metadata.labels = { ...metadata.labels, 'kubernetes.io/metadata.name': metadata.name }
  namespace.status = { phase: 'Active' }
}

/** Through /status, built-in kinds let metadata change too; labels of some, and custom resources, do not. */
function keepAllButStatus(resource: Resource, object: Obj, before: Obj): void {
  const { status, metadata } = object
  for (const field of Object.keys(object)) delete object[field]
  const { managedFields: _old, ...kept } = before.metadata
  Object.assign(object, clone({ ...before, metadata: kept }))
  if (status === undefined) delete object.status
  else object.status = status
  if (resource.custom === undefined) {
    object.metadata = metadata
    if (resource.kind === 'Deployment') metadata.labels = before.metadata.labels
  } else if (metadata.managedFields !== undefined) object.metadata.managedFields = metadata.managedFields
}

/** A pod as it was, but for the containers that look into it. */
function keepAllButEphemeral(pod: Obj, before: Obj): void {
  const { ephemeralContainers } = specOf(pod)
  const { managedFields } = pod.metadata
  Object.assign(pod, clone(before))
  if (managedFields !== undefined) pod.metadata.managedFields = managedFields
  if (ephemeralContainers === undefined) delete specOf(pod).ephemeralContainers
  else specOf(pod).ephemeralContainers = ephemeralContainers
}

const RESIZED = ['containers', 'initContainers'] as const

/** Of a pod that is resized only what its containers may use is new; who names other containers is refused later. */
function keepAllButAmounts(pod: Obj, before: Obj): void {
  const { managedFields } = pod.metadata
  const wanted = specOf(pod)
  Object.assign(pod, clone(before))
  if (managedFields !== undefined) pod.metadata.managedFields = managedFields
  const spec = specOf(pod)
  const lists = RESIZED.map((list) => [objectsOf(wanted[list]), objectsOf(spec[list])] as const)
  if (lists.some(([now, had]) => now.length !== had.length)) pod.spec = wanted
  else
    lists.forEach(([now, had], index) => {
      const list = RESIZED[index] ?? 'containers'
      if (had.length > 0) spec[list] = now.some(({ name }, at) => name !== had[at]?.name) ? now : resized(now, had)
    })
}

const resized = (now: readonly JsonObject[], had: readonly JsonObject[]): JsonObject[] =>
  now.map(({ resources = {}, resizePolicy }, index) => ({
    ...had[index],
    resources,
    ...(resizePolicy === undefined ? {} : { resizePolicy }),
  }))

function changesSpec(resource: Resource, object: Obj, before: Obj): boolean {
  if (resource.custom === undefined) {
    if (resource.kind === 'EndpointSlice')
      return (
        !equal(contentOf(object, true), contentOf(before, true)) ||
        !equal(object.metadata.labels ?? {}, before.metadata.labels ?? {})
      )
    if (resource.kind === 'Deployment' && !equal(object.metadata.annotations, before.metadata.annotations)) return true
    return (
      !equal(object.spec, before.spec) || (resource.kind === 'PodTemplate' && !equal(object.template, before.template))
    )
  }
  return !equal(contentOf(object, !hasStatus(resource)), contentOf(before, !hasStatus(resource)))
}

function contentOf({ metadata: _metadata, status, ...content }: Obj, withStatus: boolean): JsonObject {
  return withStatus ? { ...content, status } : content
}
