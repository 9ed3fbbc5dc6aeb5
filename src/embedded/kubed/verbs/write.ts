import { clone, equal, isObject, type Json, type JsonObject, listOf } from '../../../lib/kube/json.ts'
import { admitToNamespace } from '../admission/namespace.ts'
import type { Call } from '../request/call.ts'
import type { Body } from '../decoding/body.ts'
import { decodeObject } from '../decoding/object.ts'
import { defaultObject } from '../defaulting/object.ts'
import { type Environment, timestamp } from '../environment.ts'
import { alreadyExists, badRequest, conflict, Fault, type FieldError, invalid, MODIFIED, notFound } from '../fault.ts'
import { finalizersOf, type Meta, type Obj, toldName } from '../object.ts'
import { toStored, toVersion } from '../conversion/convert.ts'
import { apiVersionOf, type Resource } from '../resources/resource.ts'
import { type Applied, sameOwners, trackUpdate, type Writer } from '../ownership/managed-fields.ts'
import { afterWrite } from '../upkeep/after-write.ts'
import { prepareChanged, prepareNew } from './prepare.ts'

/** The writer of a request, for managedFields. */
export function writerOf(env: Environment, call: Call): Writer {
  return { manager: call.manager, now: timestamp(env.nowMs()), subresource: call.subresource }
}

/** Kinds that a PUT of what is not there creates. @see AllowCreateOnUpdate of the registry's strategies */
export const CREATED_BY_PUT = new Set([
  'coordination.k8s.io/leases',
  '/endpoints',
  '/events',
  '/limitranges',
  '/services',
  ...['clusterroles', 'clusterrolebindings', 'roles', 'rolebindings'].map(
    (each) => `rbac.authorization.k8s.io/${each}`,
  ),
])

/** The owners that an object is to have. */
type Owned = Pick<Applied, 'managedFields'>

/** POST of a new object. */
export function create(env: Environment, call: Call, body: Body): Obj {
  return createDecoded(env, call, decodeObject(env, call, body))
}

/** Creates an object that is decoded already. `applied`: whose managedFields are final (server-side apply). */
export function createDecoded(env: Environment, call: Call, object: Obj, applied?: Owned): Obj {
  const { resource } = call
  refuseByName(resource)
  placeInNamespace(call, object)
  const { metadata } = object
  const sentVersion = metadata.resourceVersion ?? ''
  if (!call.dryRun && sentVersion !== '' && sentVersion !== '0')
    throw new Fault(500, '', 'resourceVersion should not be set on objects to be created')
  admitToNamespace(env, resource, metadata.namespace ?? '', toldName(object))
  wipeServerMeta(object.metadata)
  // Only a dry run comes so far with a version; it shows it.
  if (sentVersion !== '' && sentVersion !== '0') metadata.resourceVersion = sentVersion
  defaultObject(resource, object)
  if (applied !== undefined) metadata.managedFields = applied.managedFields
  else trackUpdate(resource, undefined, object, undefined, writerOf(env, call))
  prepareNew(env, call, object)
  const existing = env.store.get(resource.storageKey, metadata.namespace ?? '', metadata.name)
  if (existing !== undefined) throw existsFault(call, existing)
  if (call.dryRun) return object
  const stored = env.store.put(resource.storageKey, toStored(resource, object))
  afterWrite(env, stored, undefined)
  return toVersion(resource, stored)
}

/** Kinds that are listed, as every server lists them, and would have no effect that their users can rely on. */
const REFUSED: Readonly<Record<string, string>> = {
  'admissionregistration.k8s.io/validatingwebhookconfigurations':
    'kubed calls no admission webhooks: use an admission policy',
  'admissionregistration.k8s.io/mutatingwebhookconfigurations':
    'kubed calls no admission webhooks: use an admission policy',
  'apiregistration.k8s.io/apiservices': 'kubed aggregates no other API servers: use custom resources',
}

function refuseByName({ storageKey, plural }: Resource): void {
  const why = REFUSED[storageKey]
  if (why === undefined) return
  throw new Fault(501, 'NotImplemented', `${plural} are not kept: ${why}, or a Kubernetes cluster`)
}

function existsFault(call: Call, existing: Obj): Fault {
  const fault = alreadyExists(call.resource, existing.metadata.name)
  if (existing.metadata.deletionTimestamp === undefined) return fault
  return new Fault(409, 'AlreadyExists', `object is being deleted: ${fault.message}`, fault.details)
}

/** Gives an object the namespace of its request. @throws Fault 400 when it says another */
export function placeInNamespace(call: Call, { metadata }: Obj): void {
  if (!call.resource.isNamespaced) {
    delete metadata.namespace
    return
  }
  if (typeof metadata.namespace === 'string' && metadata.namespace !== '' && metadata.namespace !== call.namespace)
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request')
  metadata.namespace = call.namespace
}

/** What only the server says, and who creates an object cannot. In place. */
function wipeServerMeta(metadata: Meta): void {
  for (const field of [
    'uid',
    'creationTimestamp',
    'resourceVersion',
    'deletionTimestamp',
    'deletionGracePeriodSeconds',
    'selfLink',
    'managedFields',
  ])
    delete metadata[field]
}

/** PUT of the whole object; creates where the kind allows it. */
export function replace(env: Environment, call: Call, before: Obj | undefined, body: Body): Obj {
  const object = decodeObject(env, call, body)
  requireName(object, call.name)
  if (object.metadata.name !== call.name)
    throw badRequest(
      `the name of the object (${object.metadata.name}) does not match the name on the URL (${call.name})`,
    )
  if (
    call.resource.isNamespaced &&
    typeof object.metadata.namespace === 'string' &&
    object.metadata.namespace !== '' &&
    object.metadata.namespace !== call.namespace
  )
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request')
  const { resource } = call
  if (before === undefined) throw notFound(resource, call.name)
  checkUid(call, before, object)
  requireVersion(call, object)
  return change(env, call, before, object)
}

/** Refuses a replacement without the version that it replaces, where the kind wants it. @throws Fault 422 */
export function requireVersion({ resource, name }: Call, { metadata }: Obj): void {
  if (resource.custom === undefined && !MUST_SAY_VERSION.has(resource.storageKey)) return
  if (!/^0?$/.test(metadata.resourceVersion ?? '')) return
  throw invalid({ group: resource.group, kind: resource.plural }, name, [
    {
      field: 'metadata.resourceVersion',
      type: 'Invalid',
      message: 'Invalid value: 0: must be specified for an update',
    },
  ])
}

/** Built-in kinds that are replaced only by those who say which version they have seen. @see AllowUnconditionalUpdate */
const MUST_SAY_VERSION = new Set([
  'apiextensions.k8s.io/customresourcedefinitions',
  'coordination.k8s.io/leases',
  'policy/poddisruptionbudgets',
  'node.k8s.io/runtimeclasses',
  ...['csidrivers', 'csinodes', 'csistoragecapacities', 'volumeattachments'].map((each) => `storage.k8s.io/${each}`),
  ...['clustertrustbundles', 'podcertificaterequests'].map((each) => `certificates.k8s.io/${each}`),
  ...['validatingadmissionpolicies', 'mutatingadmissionpolicies'].flatMap((each) =>
    [each, each.replace(/ies$/, 'ybindings')].map((plural) => `admissionregistration.k8s.io/${plural}`),
  ),
])

/** Refuses a written object without a name. */
export function requireName({ metadata }: Obj, name: string): void {
  if (metadata.name === '')
    throw badRequest(`the name of the object (${name} based on URL) was undeterminable: name must be provided`)
}

/** Takes a uid that is sent for a precondition. @throws Fault 409 */
export function checkUid(call: Call, before: Obj, object: Obj): void {
  const uid = object.metadata.uid
  if (typeof uid !== 'string' || uid === '' || uid === before.metadata.uid) return
  const { resource, name } = call
  const key = `${call.dryRun ? '' : '/registry'}${placeOf(call)}`
  throw conflict(
    resource,
    name,
    `StorageError: invalid object, Code: 4, Key: ${key}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: ${uid}, UID in object meta: ${before.metadata.uid ?? ''}`,
  )
}

/** Where etcd has an object under its root, which some messages show. */
export function placeOf({ resource, namespace, name }: Call): string {
  return `/${storedUnder(resource)}/${namespace === '' ? '' : `${namespace}/`}${name}`
}

/** Where it has a kind. */
const ETCD_PLACES: Readonly<Record<string, string>> = {
  '/services': 'services/specs',
  '/endpoints': 'services/endpoints',
  '/nodes': 'minions',
  '/replicationcontrollers': 'controllers',
  'networking.k8s.io/ingresses': 'ingress',
  'apiextensions.k8s.io/customresourcedefinitions': 'apiextensions.k8s.io/customresourcedefinitions',
}

function storedUnder({ custom, storageKey, plural }: Resource): string {
  return custom === undefined ? (ETCD_PLACES[storageKey] ?? plural) : storageKey
}

/** Writes a changed, decoded object over the stored one. `applied`: whose managedFields are final (server-side apply). */
export function change(env: Environment, call: Call, stored: Obj, object: Obj, applied?: Owned): Obj {
  const { resource } = call
  const before = toVersion(resource, stored)
  const sentVersion = object.metadata.resourceVersion
  if (typeof sentVersion === 'string' && !/^0?$/.test(sentVersion) && sentVersion !== before.metadata.resourceVersion) {
    if (!/^\d+$/.test(sentVersion))
      throw new Fault(500, '', `strconv.ParseUint: parsing ${JSON.stringify(sentVersion)}: invalid syntax`)
    throw conflict(resource, call.name, MODIFIED)
  }
  checkKeptMeta(resource, object, before)
  const sentFields = object.metadata.managedFields
  object.apiVersion = apiVersionOf(resource)
  object.kind = resource.kind
  if (before.metadata.deletionTimestamp !== undefined) refuseNewFinalizers(call, object, before)
  defaultObject(resource, object)
  if (applied !== undefined) putOwners(object, applied)
  else trackUpdate(resource, before, object, sentFields, writerOf(env, call))
  prepareChanged(env, call, object, before)
  if (isSame(object, before)) return before
  if (call.dryRun) return object
  if (isFinished(object)) return finish(env, call, stored, object)
  const kept = env.store.put(resource.storageKey, toStored(resource, object))
  afterWrite(env, kept, before)
  return toVersion(resource, kept)
}

/** Where nobody owns anything any more, nothing is said of owners. */
function putOwners({ metadata }: Obj, { managedFields }: Owned): void {
  if (managedFields === undefined) delete metadata.managedFields
  else metadata.managedFields = managedFields
}

/** What of metadata is the server's may be left out and sent as it is, but not changed. */
function checkKeptMeta(resource: Resource, { metadata }: Obj, before: Obj): void {
  const faults = ['uid', 'deletionTimestamp', 'deletionGracePeriodSeconds'].flatMap((name): FieldError[] => {
    const value = metadata[name]
    if (value === undefined || value === '' || value === before.metadata[name]) return []
    const message = `Invalid value: ${JSON.stringify(value)}: field is immutable`
    return [{ field: `metadata.${name}`, type: 'Invalid', message }]
  })
  if (faults.length > 0) throw invalid(resource, before.metadata.name, faults)
}

function refuseNewFinalizers({ resource, name }: Call, object: Obj, before: Obj): void {
  const old = new Set(finalizersOf(before))
  const added = finalizersOf(object).filter((finalizer) => !old.has(finalizer))
  if (added.length === 0) return
  throw invalid(resource, name, [
    {
      field: 'metadata.finalizers',
      type: 'Forbidden',
      message: `Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{${added.map((each) => JSON.stringify(each)).join(', ')}}`,
    },
  ])
}

function isSame(object: Obj, before: Obj): boolean {
  const { metadata, ...content } = object
  const { metadata: oldMetadata, ...oldContent } = before
  const { managedFields, ...meta } = metadata
  const { managedFields: oldFields, ...oldMeta } = oldMetadata
  return equal(meta, oldMeta) && equal(content, oldContent) && sameOwners(managedFields, oldFields)
}

/** True when an object that is being deleted is held by nothing more. */
export function isFinished(object: Obj): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds } = object.metadata
  if (deletionTimestamp === undefined || finalizersOf(object).length > 0 || (deletionGracePeriodSeconds ?? 0) > 0)
    return false
  return object.kind !== 'Namespace' || listOf(isObject(object.spec) ? object.spec.finalizers : undefined).length === 0
}

/** Removes an object for good; answers it as it last was. */
export function finish(env: Environment, call: Call, stored: Obj, last: Obj): Obj {
  end(env, call, stored, last)
  return toVersion(call.resource, last)
}

/** Removes an object for good; answers the version of its end. */
export function end(env: Environment, call: Call, stored: Obj, last: Obj): string | undefined {
  const { resourceVersion } = env.store.remove(call.resource.storageKey, clone(toStored(call.resource, last))).metadata
  afterWrite(env, undefined, stored)
  return resourceVersion
}

/** A body that must be a JSON object. */
export function asObject(body: Json): JsonObject {
  if (!isObject(body)) throw badRequest('the body of the request must be a JSON object')
  return body
}
