import { definitionType } from '../../../lib/kube-schema/builtin.ts'
import { equal, isObject, type JsonObject, objectOf } from '../../../lib/kube/json.ts'
import { admitPod } from '../admission/pod.ts'
import { allocateService } from '../admission/service.ts'
import type { Call } from '../call.ts'
import { defaultCustom, shapeLikeGo } from '../decoding/typed.ts'
import { applyDefaults } from '../defaulting/apply.ts'
import type { Environment } from '../environment.ts'
import { type FieldError, invalid } from '../fault.ts'
import type { Obj } from '../object.ts'
import type { Resource } from '../resources/resource.ts'
import { validateObject } from '../validation/validate.ts'

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
])

/** True when the kind has `metadata.generation`. */
export function countsGenerations(resource: Resource): boolean {
  return resource.custom !== undefined || COUNTED.has(resource.kind)
}

/** True when status is written through its own subresource only. */
export function hasStatus(resource: Resource): boolean {
  return resource.subresources.has('status')
}

/** Defaults, server-given values and validation of a new object. In place. */
export function prepareNew(env: Environment, call: Call, object: Obj): void {
  const { resource } = call
  if (hasStatus(resource) && resource.kind !== 'Node') delete object.status
  if (countsGenerations(resource)) object.metadata.generation = 1
  else delete object.metadata.generation
  if (resource.kind === 'Namespace') startNamespace(object)
  settle(env, call, object, undefined)
}

/** Defaults, carried-over values and validation of a changed object. In place. */
export function prepareChanged(env: Environment, call: Call, object: Obj, before: Obj): void {
  const { resource } = call
  if (call.subresource === 'status') keepAllButStatus(object, before)
  else if (hasStatus(resource)) {
    if (before.status === undefined) delete object.status
    else object.status = before.status
  }
  if (resource.kind === 'Namespace' && call.subresource === '') keepFinalizers(object, before)
  settle(env, call, object, before)
  if (countsGenerations(resource) && call.subresource !== 'status' && changesSpec(resource, object, before))
    object.metadata.generation = (before.metadata.generation ?? 0) + 1
}

function settle(env: Environment, call: Call, object: Obj, before: Obj | undefined): void {
  const { resource } = call
  const errors: FieldError[] = []
  if (resource.custom === undefined) {
    applyDefaults(resource.type, object)
    shapeLikeGo(resource.type, object)
    if (resource.kind === 'Pod' && before === undefined) admitPod(env, resource, object)
    errors.push(...validateObject(call, object, before))
    if (errors.length === 0 && resource.storageKey === '/services') errors.push(...allocateService(env, object, before))
  } else {
    defaultCustom(resource.type, object)
    shapeMeta(object)
    errors.push(...validateObject(call, object, before))
  }
  if (errors.length > 0) throw invalid(resource, object.metadata.name, errors)
}

function shapeMeta(object: Obj): void {
  const type = definitionType(META)
  if (type !== undefined) shapeLikeGo(type, object.metadata)
}

function startNamespace(namespace: Obj): void {
  const spec = isObject(namespace.spec) ? namespace.spec : {}
  spec.finalizers = ['kubernetes']
  namespace.spec = spec
  namespace.status = { phase: 'Active' }
}

function keepFinalizers(namespace: Obj, before: Obj): void {
  namespace.spec = objectOf(before.spec)
}

function keepAllButStatus(object: Obj, before: Obj): void {
  const { status, metadata } = object
  for (const field of Object.keys(object)) delete object[field]
  const { managedFields } = metadata
  const { managedFields: _old, ...kept } = before.metadata
  Object.assign(object, structuredClone({ ...before, metadata: kept }), { status })
  if (status === undefined) delete object.status
  if (managedFields !== undefined) object.metadata.managedFields = managedFields
}

function changesSpec(resource: Resource, object: Obj, before: Obj): boolean {
  if (resource.custom === undefined) {
    if (resource.kind === 'EndpointSlice') return !equal(contentOf(object, true), contentOf(before, true))
    return !equal(object.spec, before.spec)
  }
  return !equal(contentOf(object, !hasStatus(resource)), contentOf(before, !hasStatus(resource)))
}

function contentOf({ metadata: _metadata, status, ...content }: Obj, withStatus: boolean): JsonObject {
  return withStatus ? { ...content, status } : content
}
