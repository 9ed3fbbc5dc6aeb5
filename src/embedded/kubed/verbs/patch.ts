import { inGoOrder } from '../../../lib/kube-schema/go-types.ts'
import { clone, isObject, type Json, type JsonObject, objectOf, objectsOf, stringOf } from '../../../lib/kube/json.ts'
import { jsonPatch, PatchError } from '../../../lib/kube/json-patch.ts'
import { joinFaults, typeFaults } from '../../../lib/kube-typed/merge/type-faults.ts'
import { mergePatch } from '../../../lib/kube/merge-patch.ts'
import { StrategicError, strategicPatch } from '../../../lib/kube-typed/strategic-patch.ts'
import type { Call } from '../request/call.ts'
import { booleanIn } from '../request/query.ts'
import type { Body } from '../decoding/body.ts'
import { decodeInto, decodeObject, UnfitBody, reportUnknown, wasVersion } from '../decoding/object.ts'
import type { Environment } from '../environment.ts'
import { badRequest, conflict, Fault, invalid, notFound } from '../fault.ts'
import { type Obj, objFrom } from '../object.ts'
import { toVersion } from '../conversion/convert.ts'
import { apiVersionOf, type Resource } from '../resources/resource.ts'
import { warningsOf } from '../warnings/warnings.ts'
import { keepLastApplied, LAST_APPLIED, lastAppliedText } from '../ownership/last-applied.ts'
import { trackApply } from '../ownership/managed-fields.ts'
import { unsupportedPatch } from '../request/patch-type.ts'
import { change, CREATED_BY_PUT, createDecoded, requireName, requireVersion, writerOf } from './write.ts'

/** Without a kind the server does not know of what type the field is. */
const UNNAMED = "couldn't get version/kind; json parse error: $1$2"
/** The most operations of a JSON patch. */
const MAX_OPERATIONS = 10_000

/** PATCH with a JSON, merge or strategic merge patch. */
export function patch(env: Environment, call: Call, stored: Obj, body: Body): Obj {
  const { resource } = call
  const object = patchedObject(env, call, toVersion(resource, stored), body)
  requireName(object, call.name)
  if (object.metadata.name !== call.name)
    throw badRequest(
      `the name of the object (${object.metadata.name}) does not match the name on the URL (${call.name})`,
    )
  const { namespace } = object.metadata
  if (resource.isNamespaced && typeof namespace === 'string' && namespace !== '' && namespace !== call.namespace)
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request')
  requireVersion(call, object)
  return change(env, call, stored, object)
}

/** What such a patch makes of an object. @throws Fault 400, 415, 422, 500 */
export function patchedObject(env: Environment, call: Call, before: Obj, body: Body): Obj {
  const patched = patchValue(call, before, body.value)
  if (!isObject(patched)) throw badRequest('Invalid JSON Patch')
  const object = decodePatched(env, call, patched, body)
  // What says no version is read as nothing at all.
  const isNothing = call.resource.custom === undefined && (patched.apiVersion ?? '') === ''
  return isNothing ? { ...object, metadata: { name: '' } } : object
}

/** Reads the patched object as a new body; what is wrong with it is the patch's fault. */
function decodePatched(env: Environment, call: Call, patched: JsonObject, { value, oddities }: Body): Obj {
  const isStrategic = call.contentType === 'application/strategic-merge-patch+json'
  try {
    return decodeObject(env, call, {
      value: inServedVersion(call.resource, patched),
      oddities: oddities.map((each) => patchOddity(call, each)),
    })
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== 400) throw error
    const why =
      isStrategic && error instanceof UnfitBody
        ? error.restored
        : error.message
            .replace(/^.*? cannot be handled as a \w+: /, '')
            .replace(/^(json: .* Go struct field )\w+(\.(kind|apiVersion) of type string)$/, UNNAMED)
    const shown = isStrategic && isObject(value) ? goText(value) : JSON.stringify(inShownOrder(call, patched, value))
    throw invalid({ group: '', kind: '' }, '', [
      { field: 'patch', type: 'Invalid', message: `Invalid value: ${JSON.stringify(shown)}: ${why}` },
    ])
  }
}

/** What is said to be of a version that is served no more is read as such; only in the first of apps was there another default. */
function inServedVersion(resource: Resource, patched: JsonObject): JsonObject {
  const object = clone(patched)
  if (!wasVersion(resource, patched)) return object
  const metadata = objectOf(object.metadata)
  const { labels } = objectOf(objectOf(objectOf(object.spec).template).metadata)
  if (patched.apiVersion === 'apps/v1beta1' && labels !== undefined) metadata.labels ??= labels
  return { ...object, metadata, apiVersion: apiVersionOf(resource) }
}

const patchOddity = ({ contentType }: Call, text: string): string =>
  contentType === 'application/json-patch+json' ? `json patch ${text}` : text

/** Where a patch went, maps are written by name; what it did not touch keeps Go's order. */
function inShownOrder({ resource }: Call, patched: JsonObject, patch: Json): Json {
  const paths = Array.isArray(patch)
    ? objectsOf(patch).flatMap(({ path, from }) => [path, from].map((each) => stringOf(each).split('/').slice(1, -1)))
    : touchedBy(patch)
  return paths.concat([[]]).reduce<Json>(sortedAt, inGoOrder(resource.type, patched))
}

/** The maps into which a merge patch goes. */
function touchedBy(patch: Json): string[][] {
  if (!isObject(patch)) return []
  return Object.entries(patch).flatMap(([name, value]) =>
    isObject(value) ? [[name], ...touchedBy(value).map((rest) => [name, ...rest])] : [],
  )
}

function sortedAt(value: Json, [step, ...rest]: readonly string[]): Json {
  if (Array.isArray(value)) return value.map((each, index) => (String(index) === step ? sortedAt(each, rest) : each))
  if (!isObject(value)) return value
  const names = Object.keys(value).sort()
  const below = step === undefined ? undefined : value[step]
  const next = Object.fromEntries(names.map((name) => [name, value[name]]))
  if (step !== undefined && below !== undefined) next[step] = sortedAt(below, rest)
  return next
}

/** A value as Go prints it with %v. */
function goText(value: Json | undefined): string {
  if (Array.isArray(value)) return `[${value.map(goText).join(' ')}]`
  if (!isObject(value)) return value === null ? '<nil>' : String(value)
  return `map[${Object.keys(value)
    .sort()
    .map((name) => `${name}:${goText(value[name])}`)
    .join(' ')}]`
}

function patchValue(call: Call, before: Obj, body: Json): Json | undefined {
  try {
    switch (call.contentType) {
      case 'application/json-patch+json':
        return body === null ? before : jsonPatch(before, operationsOf(body))
      case 'application/merge-patch+json':
        return mergePatch(before, mapOf(body))
      case 'application/strategic-merge-patch+json':
        if (call.resource.custom !== undefined) throw unsupportedPatch(call.resource)
        return strategicPatch(call.resource.type, before, mapOf(body, ''))
      default:
        throw unsupportedPatch(call.resource)
    }
  } catch (error) {
    if (error instanceof PatchError)
      throw new Fault(422, 'Invalid', 'the server rejected our request due to an error in our request', {})
    if (error instanceof StrategicError) throw new Fault(500, '', error.message)
    throw error
  }
}

function operationsOf(body: Json): Json {
  if (!Array.isArray(body))
    throw badRequest(
      `error decoding patch: json: cannot unmarshal ${goTypeOf(body)} into Go value of type []handlers.jsonPatchOp`,
    )
  if (body.length <= MAX_OPERATIONS) return body
  throw new Fault(
    413,
    'RequestEntityTooLarge',
    `Request entity too large: The allowed maximum operations in a JSON patch is ${MAX_OPERATIONS}, got ${body.length}`,
  )
}

function mapOf(body: Json, prefix = 'error decoding patch: '): Json {
  if (isObject(body) || body === null) return body
  throw badRequest(`${prefix}json: cannot unmarshal ${goTypeOf(body)} into Go value of type map[string]interface {}`)
}

function goTypeOf(value: Json): string {
  if (Array.isArray(value)) return 'array'
  return typeof value === 'boolean' ? 'bool' : typeof value
}

/** PATCH with `application/apply-patch+yaml`: server-side apply. */
export function apply(
  env: Environment,
  call: Call,
  stored: Obj | undefined,
  { value: body, oddities }: Body,
): { object: Obj; created: boolean } {
  const { resource } = call
  if (!isObject(body)) throw noMap(body)
  // kubectl keeps in an annotation what it applied, from before it applied on the server's side.
  const text = call.manager === 'kubectl' ? lastAppliedText(body) : ''
  const mayCreate = call.subresource === '' || CREATED_BY_PUT.has(resource.storageKey)
  if (stored === undefined && !mayCreate) throw notFound(resource, call.name)
  const said = stringOf(objectOf(body.metadata).namespace)
  checkApplied(call, body, stored === undefined)
  const sent = takeVersion(body)
  const live = stored === undefined ? undefined : toVersion(resource, stored)
  const applied = trackApply(resource, live, body, writerOf(env, call), booleanIn(call.query, 'force') === true)
  // Who owns a field is told of before who came too late.
  checkAppliedVersion(call, stored, sent)
  // A text with keys that stand twice is told of once it can be applied.
  reportUnknown(call, [], oddities)
  const last = live?.metadata.annotations?.[LAST_APPLIED]
  if (live !== undefined && applied.isUnchanged && (text === '' || last === undefined || last === text)) {
    call.warnings.push(...warningsOf(resource, live, live))
    return { object: live, created: false }
  }
  const merged = clone(applied.value)
  convertApplied(call, merged, stored === undefined ? said : call.namespace)
  const object = objFrom(merged, apiVersionOf(resource), resource.kind)
  object.metadata.name = call.name
  if (text !== '') keepLastApplied(object, text)
  if (stored !== undefined) return { object: change(env, call, stored, object, applied), created: false }
  return { object: createDecoded(env, call, object, applied), created: true }
}

/** Reads what was merged; text that the schema allows and the kind does not, such as bad base64, the server finds only here. */
function convertApplied({ resource, name }: Call, merged: JsonObject, namespace: string): void {
  try {
    decodeInto(resource, merged, [])
  } catch (error) {
    if (!(error instanceof Fault) || !/ cannot be handled as a .*base64/.test(error.message)) throw error
    const why = error.message.replace(/^.*? cannot be handled as a \w+: /, '')
    const kind = `${resource.group}/${resource.version}, Kind=${resource.kind}`
    const of = `${namespace === '' ? '' : `${namespace}/`}${name}; ${kind}`
    throw new Fault(
      500,
      '',
      `failed to convert new object (${of}) to proper version: unable to convert unstructured object to ${kind}: error decoding from json: ${why}`,
    )
  }
}

function noMap(body: Json): Fault {
  if (body === null) return badRequest('invalid object type: /, Kind=')
  const why = `json: cannot unmarshal ${goTypeOf(body)} into Go value of type map[string]interface {}`
  return badRequest(`error decoding patch: error unmarshaling JSON: while decoding JSON: ${why}`)
}

/** Checks that what is applied is of this kind and name. @throws Fault 400, 500 */
export function checkApplied(call: Call, body: JsonObject, isNew: boolean): void {
  const { resource, name } = call
  const metadata = isObject(body.metadata) ? body.metadata : {}
  if (Array.isArray(metadata.managedFields)) throw badRequest('metadata.managedFields must be nil')
  if (stringOf(body.kind) !== resource.kind || stringOf(body.apiVersion) !== apiVersionOf(resource))
    throw badRequest(`invalid object type: ${kindText(stringOf(body.apiVersion), stringOf(body.kind))}`)
  const said = stringOf(metadata.name)
  if (said === '' && isNew && body.metadata !== undefined && isObject(body.metadata))
    throw badRequest(`the name of the object (${name} based on URL) was undeterminable: name must be provided`)
  if (said !== '' && said !== name)
    throw badRequest(`the name of the object (${said}) does not match the name on the URL (${name})`)
  const hadNamespace = stringOf(metadata.namespace)
  if (resource.isNamespaced && hadNamespace !== '' && hadNamespace !== call.namespace)
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request')
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

/** The version and uid that are applied; nobody owns a version. */
type SentVersion = { readonly resourceVersion: Json | undefined; readonly uid: Json | undefined }

function takeVersion(body: JsonObject): SentVersion {
  const metadata = isObject(body.metadata) ? body.metadata : {}
  const { resourceVersion, uid } = metadata
  delete metadata.resourceVersion
  return { resourceVersion, uid }
}

function checkAppliedVersion(call: Call, stored: Obj | undefined, { resourceVersion, uid }: SentVersion): void {
  if (stored === undefined) {
    if (typeof uid === 'string' && uid !== '')
      throw conflict(
        call.resource,
        call.name,
        `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`,
      )
    return
  }
  if (typeof resourceVersion === 'string' && !/^\d*$/.test(resourceVersion))
    throw new Fault(500, '', `strconv.ParseUint: parsing ${JSON.stringify(resourceVersion)}: invalid syntax`)
  if (
    typeof resourceVersion === 'string' &&
    resourceVersion !== '' &&
    resourceVersion !== stored.metadata.resourceVersion
  )
    throw conflict(
      call.resource,
      call.name,
      'the object has been modified; please apply your changes to the latest version and try again',
    )
}
