import { inGoOrder } from '../../../lib/kube-schema/go-types.ts'
import {
  clone,
  isObject,
  type Json,
  type JsonObject,
  objectOf,
  objectsOf,
  sorted,
  stringOf,
  withoutNulls,
} from '../../../lib/kube/json.ts'
import { jsonPatch, PatchError } from '../../../lib/kube/json-patch.ts'
import { mergePatch } from '../../../lib/kube/merge-patch.ts'
import { goText, StrategicError } from '../../../lib/kube-typed/strategic/fault.ts'
import { strategicPatch } from '../../../lib/kube-typed/strategic/patch.ts'
import type { Call } from '../request/call.ts'
import type { Body } from '../decoding/body.ts'
import { decodeObject, reportUnknown, UnfitBody, wasVersion } from '../decoding/object.ts'
import type { Environment } from '../environment.ts'
import { badRequest, Fault, invalid } from '../fault.ts'
import { type Obj, objFrom } from '../object.ts'
import { toVersion } from '../conversion/convert.ts'
import { apiVersionOf, type Resource } from '../resources/resource.ts'
import { unsupportedPatch } from '../request/patch-type.ts'
import { change, requireVersion } from './change.ts'
import { requirePlace } from './place.ts'

/** Without a kind the server does not know of what type the field is. */
const UNNAMED = "couldn't get version/kind; json parse error: $1$2"
const STRATEGIC = 'application/strategic-merge-patch+json'
/** The most operations of a JSON patch. */
const MAX_OPERATIONS = 10_000

/** PATCH with a JSON, merge or strategic merge patch. */
export function patch(env: Environment, call: Call, stored: Obj, body: Body): Obj {
  const { resource } = call
  const object = patchedObject(env, call, toVersion(resource, stored), body)
  requirePlace(call, object)
  requireVersion(call, object)
  return change(env, call, stored, object)
}

/** What such a patch makes of an object. @throws Fault 400, 415, 422, 500 */
export function patchedObject(env: Environment, call: Call, before: Obj, body: Body): Obj {
  const patched = patchValue(call, before, body.value)
  if (!isObject(patched)) throw badRequest('Invalid JSON Patch')
  return decodePatched(env, call, before, patched, body)
}

/** Reads the patched object as a new body; what is wrong with it is the patch's fault. */
function decodePatched(env: Environment, call: Call, before: Obj, patched: JsonObject, body: Body): Obj {
  const { resource } = call
  const isStrategic = call.contentType === STRATEGIC
  const oddities = body.oddities.map((each) => patchOddity(call, each))
  try {
    if (isStrategic) return decodeObject(env, call, { value: asKind(resource, patched), oddities }, true)
    // What says no version is read as nothing at all, in which no field is known.
    if (resource.custom === undefined && (patched.apiVersion ?? '') === '') return decodeNothing(call, patched)
    return decodeObject(env, call, { value: inServedVersion(resource, patched), oddities })
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== 400) throw error
    const why =
      isStrategic && error instanceof UnfitBody
        ? error.why
        : error.message
            .replace(/^.*? cannot be handled as a \w+: /, '')
            .replace(/^(json: .* Go struct field )\w+(\.(kind|apiVersion) of type string)$/, UNNAMED)
    const shown = isStrategic
      ? goText(withoutIdleNulls(body.value, before))
      : JSON.stringify(inShownOrder(call, before, body.value))
    throw invalid({ group: '', kind: '' }, '', [
      { field: 'patch', type: 'Invalid', message: `Invalid value: ${JSON.stringify(shown)}: ${why}` },
    ])
  }
}

/** A strategic patch goes into a value of the kind, whatever it says of which it is. */
function asKind(resource: Resource, patched: JsonObject): JsonObject {
  const object = clone(patched)
  const own = { apiVersion: apiVersionOf(resource), kind: resource.kind }
  for (const [name, value] of Object.entries(own)) if (typeof (object[name] ?? '') === 'string') object[name] = value
  return object
}

/** Below what is not there yet a strategic patch forgets what it takes away. */
function withoutIdleNulls(patch: Json, before: Json | undefined): Json {
  if (!isObject(patch)) return patch
  const held = isObject(before) ? before : {}
  return Object.fromEntries(
    Object.entries(patch).map(([name, value = null]) => [
      name,
      held[name] === undefined ? withoutNulls(value) : withoutIdleNulls(value, held[name]),
    ]),
  )
}

function decodeNothing(call: Call, patched: JsonObject): Obj {
  const fields = Object.keys(patched).filter((name) => name !== 'apiVersion' && name !== 'kind')
  reportUnknown(call, fields.sort())
  return objFrom({}, apiVersionOf(call.resource), call.resource.kind)
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
function inShownOrder(call: Call, before: Obj, patch: Json): Json {
  const { custom, type } = call.resource
  // Custom resources are maps in Go, which it writes in order.
  const own = objFrom(objectOf(custom === undefined ? inGoOrder(type, before) : sorted(before)), '', '')
  const patched = patchValue(call, own, Array.isArray(patch) ? patch : sorted(patch)) ?? null
  const paths = Array.isArray(patch)
    ? objectsOf(patch).flatMap(({ path, from }) => [path, from].map((each) => stringOf(each).split('/').slice(1, -1)))
    : touchedBy(patch)
  return paths.concat([[]]).reduce<Json>(sortedAt, patched)
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

function patchValue(call: Call, before: Obj, body: Json): Json | undefined {
  try {
    switch (call.contentType) {
      case 'application/json-patch+json':
        return body === null ? before : jsonPatch(before, operationsOf(body, call.fieldValidation))
      case 'application/merge-patch+json':
        return mergePatch(before, mapOf(body))
      case STRATEGIC:
        if (call.resource.custom !== undefined) throw unsupportedPatch(call.resource)
        return strategicPatch(call.resource.type, before, mapOf(body, '') ?? {})
      default:
        throw unsupportedPatch(call.resource)
    }
  } catch (error) {
    if (error instanceof StrategicError && error.code === 400) throw badRequest(error.message)
    if (error instanceof StrategicError && error.code === 500) throw new Fault(500, '', error.message)
    if (error instanceof PatchError || error instanceof StrategicError)
      throw new Fault(422, 'Invalid', 'the server rejected our request due to an error in our request', {})
    throw error
  }
}

/** The operations of a JSON patch. Who does not ask for unknown fields is told by another decoder, which looks less. */
function operationsOf(body: Json, validation: Call['fieldValidation']): Json {
  const isLoose = validation === 'Ignore'
  const refused = (value: Json, type: string): Error =>
    badRequest(`${isLoose ? '' : 'error decoding patch: '}json: cannot unmarshal ${goTypeOf(value)} into Go ${type}`)
  const [whole, one] = isLoose
    ? ['jsonpatch.Patch', 'jsonpatch.Operation']
    : ['[]handlers.jsonPatchOp', 'handlers.jsonPatchOp']
  if (!Array.isArray(body)) throw refused(body, `value of type ${whole}`)
  for (const operation of body) {
    if (operation === null) continue
    if (!isObject(operation)) throw refused(operation, `value of type ${one}`)
    if (isLoose) continue
    for (const [name, value = null] of Object.entries(operation))
      if (['op', 'path', 'from'].includes(name) && value !== null && typeof value !== 'string')
        throw refused(value, `struct field jsonPatchOp.${name} of type string`)
  }
  if (body.length <= MAX_OPERATIONS) return body
  throw new Fault(
    413,
    'RequestEntityTooLarge',
    `Request entity too large: The allowed maximum operations in a JSON patch is ${MAX_OPERATIONS}, got ${body.length}`,
  )
}

function mapOf(body: Json, prefix = 'error decoding patch: '): JsonObject | null {
  if (isObject(body) || body === null) return body
  throw badRequest(`${prefix}json: cannot unmarshal ${goTypeOf(body)} into Go value of type map[string]interface {}`)
}

/** The type of a JSON value as Go's decoder tells it. */
export function goTypeOf(value: Json): string {
  if (Array.isArray(value)) return 'array'
  return typeof value === 'boolean' ? 'bool' : typeof value
}
