import { clone, isObject, type Json, type JsonObject, objectOf, stringOf } from '../../../lib/kube/json.ts'
import { joinFaults, typeFaults } from '../../../lib/kube-typed/merge/type-faults.ts'
import type { Call } from '../request/call.ts'
import { booleanIn } from '../request/query.ts'
import type { Body } from '../decoding/body.ts'
import { decodeInto, reportUnknown, UnfitBody } from '../decoding/object.ts'
import type { Environment } from '../environment.ts'
import { badRequest, conflict, Fault, MODIFIED, notFound, otherName, otherNamespace, unnamed } from '../fault.ts'
import { type Obj, objFrom } from '../object.ts'
import { toVersion } from '../conversion/convert.ts'
import { apiVersionOf } from '../resources/resource.ts'
import { warningsOf } from '../warnings/warnings.ts'
import { keepLastApplied, LAST_APPLIED, lastAppliedText } from '../ownership/last-applied.ts'
import { trackApply } from '../ownership/managed-fields.ts'
import { isCreatedByPut } from '../strategies/verbs.ts'
import { change, requireVersion } from './change.ts'
import { createDecoded } from './create.ts'
import { requireNumber } from './place.ts'
import { goTypeOf } from './patch.ts'
import { writerOf } from './writer.ts'

/** PATCH with `application/apply-patch+yaml`: server-side apply. */
export function apply(
  env: Environment,
  call: Call,
  stored: Obj | undefined,
  sent: Body,
): { object: Obj; created: boolean } {
  const { resource } = call
  const body = appliedMap(sent)
  // kubectl keeps in an annotation what it applied, from before it applied on the server's side.
  const text = call.manager === 'kubectl' ? lastAppliedText(body) : ''
  const mayCreate = call.subresource === '' || isCreatedByPut(resource)
  if (stored === undefined && !mayCreate) throw notFound(resource, call.name)
  const said = stringOf(objectOf(body.metadata).namespace)
  checkApplied(call, body, stored === undefined)
  const version = sentVersion(body)
  const live = stored === undefined ? undefined : toVersion(resource, stored)
  const applied = trackApply(resource, live, body, writerOf(env, call), booleanIn(call.query, 'force') === true)
  // Who owns a field is told of before who came too late.
  checkAppliedVersion(call, stored, version)
  // A text with keys that stand twice is told of once it can be applied.
  reportUnknown(call, [], sent.oddities)
  const last = live?.metadata.annotations?.[LAST_APPLIED]
  // A custom resource that is kept in another version than it would be now is written all the same.
  const isInPlace = resource.custom === undefined || stored?.apiVersion === resource.storedVersion
  const isTextKept = text === '' || last === undefined || last === text
  if (live !== undefined && applied.isUnchanged && isInPlace && isTextKept) {
    call.warnings.push(...warningsOf(resource, live, live))
    return { object: live, created: false }
  }
  const merged = clone(applied.value)
  convertApplied(call, merged, said)
  const object = objFrom(merged, apiVersionOf(resource), resource.kind)
  object.metadata.name = call.name
  if (text !== '') keepLastApplied(object, text)
  if (stored !== undefined) return { object: change(env, call, stored, object, applied), created: false }
  return { object: createDecoded(env, call, object, applied), created: true }
}

/** Reads what was merged; what the schema allows and the kind does not, such as bad base64 or half a port, the server finds only here. */
function convertApplied({ resource, name }: Call, merged: JsonObject, namespace: string): void {
  try {
    decodeInto(resource, merged, { unknown: [], isRestored: true }, true)
  } catch (error) {
    if (resource.custom !== undefined || !(error instanceof UnfitBody)) throw error
    const kind = `${resource.group}/${resource.version}, Kind=${resource.kind}`
    throw new Fault(
      500,
      '',
      `failed to convert new object (${namespace}/${name}; ${kind}) to proper version: unable to convert unstructured object to ${kind}: ${error.why}`,
    )
  }
}

/** The object that is applied. @throws Fault 400 */
export function appliedMap({ value: body }: Body): JsonObject {
  if (isObject(body)) return body
  if (body === null) throw badRequest('invalid object type: /, Kind=')
  const why = `json: cannot unmarshal ${goTypeOf(body)} into Go value of type map[string]interface {}`
  throw badRequest(`error decoding patch: error unmarshaling JSON: while decoding JSON: ${why}`)
}

/** Checks that what is applied is of this kind and name. @throws Fault 400, 500 */
export function checkApplied(call: Call, body: JsonObject, isNew: boolean): void {
  const { resource, name } = call
  const metadata = isObject(body.metadata) ? body.metadata : {}
  if (stringOf(body.kind) !== resource.kind || stringOf(body.apiVersion) !== apiVersionOf(resource))
    throw badRequest(`invalid object type: ${kindText(stringOf(body.apiVersion), stringOf(body.kind))}`)
  if (Array.isArray(metadata.managedFields)) throw badRequest('metadata.managedFields must be nil')
  const said = stringOf(metadata.name)
  if (said === '' && isNew && body.metadata !== undefined && isObject(body.metadata)) throw unnamed(name)
  if (said !== '' && said !== name) throw otherName(said, name)
  const hadNamespace = stringOf(metadata.namespace)
  if (resource.isNamespaced && hadNamespace !== '' && hadNamespace !== call.namespace) throw otherNamespace()
  if (body.metadata === undefined || isObject(body.metadata)) {
    if (resource.isNamespaced) metadata.namespace = call.namespace
    metadata.name = name
    if (Array.isArray(metadata.ownerReferences)) metadata.ownerReferences = metadata.ownerReferences.map(wholeOwner)
    body.metadata = metadata
  }
  const faults = typeFaults(resource.type, body)
  if (faults.length > 0) {
    const message = `failed to create typed patch object (${hadNamespace}/${said}; ${resource.group}/${resource.version}, Kind=${resource.kind}): ${joinFaults(faults)}`
    throw call.fieldValidation === 'Strict' && resource.custom !== undefined
      ? badRequest(message)
      : new Fault(500, '', message)
  }
}

/** The kind of an object as Go prints it. */
const kindText = (apiVersion: string, kind: string): string =>
  `${apiVersion.includes('/') ? '' : '/'}${apiVersion}, Kind=${kind}`

/** Owners are read as what they are before they are merged. */
const wholeOwner = (owner: Json): Json =>
  isObject(owner) ? { apiVersion: '', kind: '', name: '', uid: '', ...owner } : owner

/** The version and uid that are applied; nobody owns them. */
type SentVersion = { readonly resourceVersion: Json | undefined; readonly uid: Json | undefined }

function sentVersion({ metadata }: JsonObject): SentVersion {
  const { resourceVersion, uid } = objectOf(metadata)
  return { resourceVersion, uid }
}

function checkAppliedVersion(call: Call, stored: Obj | undefined, { resourceVersion, uid }: SentVersion): void {
  if (stored === undefined && typeof uid === 'string' && uid !== '')
    throw conflict(
      call.resource,
      call.name,
      `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`,
    )
  if (typeof resourceVersion === 'string') requireNumber(resourceVersion)
  if (stored === undefined) return
  if (typeof resourceVersion !== 'string') return
  requireVersion(call, { ...stored, metadata: { ...stored.metadata, resourceVersion } })
  if (!/^0?$/.test(resourceVersion) && resourceVersion !== stored.metadata.resourceVersion)
    throw conflict(call.resource, call.name, MODIFIED)
}
