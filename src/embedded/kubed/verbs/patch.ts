import { clone, isObject, type Json, type JsonObject, sorted, stringOf } from '../../../lib/kube/json.ts'
import { jsonPatch, PatchError } from '../../../lib/kube/json-patch.ts'
import { mergePatch } from '../../../lib/kube/merge-patch.ts'
import { StrategicError, strategicPatch } from '../../../lib/kube/strategic-patch.ts'
import type { Call } from '../call.ts'
import { decodeInto, reportUnknown } from '../decoding/object.ts'
import type { Environment } from '../environment.ts'
import { badRequest, conflict, Fault, invalid, notFound } from '../fault.ts'
import { type Obj, objFrom } from '../object.ts'
import { toVersion } from '../resources/convert.ts'
import { apiVersionOf } from '../resources/resource.ts'
import { LAST_APPLIED, trackApply } from './managed-fields.ts'
import { change, createDecoded, requireName, writerOf } from './write.ts'

/** PATCH with a JSON, merge or strategic merge patch. */
export function patch(env: Environment, call: Call, stored: Obj, body: Json): Obj {
  const { resource } = call
  const before = toVersion(resource, stored)
  const patched = patchValue(call, before, body)
  if (!isObject(patched)) throw badRequest('the patched object must be a JSON object')
  const copy = clone(patched)
  const unknown: string[] = []
  if (resource.custom === undefined || call.fieldValidation !== 'Ignore') decodePatched(call, copy, unknown)
  else decodeInto(resource, copy, unknown)
  const object = objFrom(copy, apiVersionOf(resource), resource.kind)
  requireName(object, call.name)
  if (object.metadata.name !== call.name)
    throw badRequest(
      `the name of the object (${object.metadata.name}) does not match the name on the URL (${call.name})`,
    )
  const { uid } = object.metadata
  if (typeof uid === 'string' && uid !== '' && uid !== before.metadata.uid)
    throw conflict(
      resource,
      call.name,
      `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${before.metadata.uid ?? ''}`,
    )
  return change(env, call, stored, object)
}

function decodePatched(call: Call, copy: JsonObject, unknown: string[]): void {
  const { resource } = call
  try {
    decodeInto(resource, copy, unknown)
    reportUnknown(call, unknown)
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== 400 || call.contentType === 'application/json-patch+json')
      throw error
    // Patches answer with the patched object and an empty kind; the text after the last colon is the cause.
    const why = error.message.replace(/^.*? cannot be handled as a \w+: /, '')
    throw new Fault(
      422,
      'Invalid',
      ` ${JSON.stringify('')} is invalid: patch: Invalid value: ${JSON.stringify(JSON.stringify(copy))}: ${why}`,
      {
        causes: [
          {
            reason: 'FieldValueInvalid',
            message: `Invalid value: ${JSON.stringify(JSON.stringify(copy))}: ${why}`,
            field: 'patch',
          },
        ],
      },
    )
  }
}

function patchValue(call: Call, before: Obj, body: Json): Json | undefined {
  try {
    switch (call.contentType) {
      case 'application/json-patch+json':
        return jsonPatch(before, body)
      case 'application/merge-patch+json':
        return mergePatch(before, body)
      case 'application/strategic-merge-patch+json':
        if (call.resource.custom !== undefined) throw unsupportedPatch(call)
        return strategicPatch(call.resource.type, before, body)
      default:
        throw unsupportedPatch(call)
    }
  } catch (error) {
    if (error instanceof PatchError)
      throw new Fault(422, 'Invalid', 'the server rejected our request due to an error in our request', {})
    if (error instanceof StrategicError) throw new Fault(500, '', error.message)
    throw error
  }
}

function unsupportedPatch({ resource }: Call): Fault {
  const types = ['application/json-patch+json', 'application/merge-patch+json']
  if (resource.custom === undefined) types.push('application/strategic-merge-patch+json')
  types.push('application/apply-patch+yaml', 'application/apply-patch+cbor')
  return new Fault(
    415,
    'UnsupportedMediaType',
    `the body of the request was in an unknown format - accepted media types include: ${types.join(', ')}`,
    {},
  )
}

/** PATCH with `application/apply-patch+yaml`: server-side apply. */
export function apply(
  env: Environment,
  call: Call,
  stored: Obj | undefined,
  body: Json,
): { object: Obj; created: boolean } {
  const { resource } = call
  if (call.query.get('fieldManager') === null || call.query.get('fieldManager') === '')
    throw invalid({ group: 'meta.k8s.io', kind: 'PatchOptions' }, '', [
      { field: 'fieldManager', type: 'Required', message: 'Required value: is required for apply patch' },
    ])
  if (!isObject(body)) throw badRequest('error decoding YAML: the body must be an object')
  const text = `${JSON.stringify(sorted(body))}\n`
  checkApplied(call, body)
  if (stored !== undefined) checkAppliedVersion(call, stored, body)
  const live = stored === undefined ? undefined : toVersion(resource, stored)
  if (live === undefined && call.subresource !== '') throw notFound(resource, call.name)
  const merged = clone(trackApply(resource, live, body, writerOf(env, call), call.query.get('force') === 'true'))
  const unknown: string[] = []
  decodeInto(resource, merged, unknown)
  const object = objFrom(merged, apiVersionOf(resource), resource.kind)
  object.metadata.name = call.name
  const { annotations } = object.metadata
  if (call.manager === 'kubectl' && annotations?.[LAST_APPLIED] !== undefined) annotations[LAST_APPLIED] = text
  if (stored !== undefined) return { object: change(env, call, stored, object, true), created: false }
  return { object: createDecoded(env, call, object, true), created: true }
}

function checkApplied(call: Call, body: JsonObject): void {
  const { resource, name } = call
  const metadata = isObject(body.metadata) ? body.metadata : {}
  if (metadata.managedFields !== undefined && metadata.managedFields !== null)
    throw badRequest('metadata.managedFields must be nil')
  if (stringOf(body.kind) !== resource.kind || stringOf(body.apiVersion) !== apiVersionOf(resource))
    throw badRequest(
      typeof body.kind === 'string' && typeof body.apiVersion === 'string'
        ? `invalid object type: ${body.apiVersion.includes('/') ? '' : '/'}${body.apiVersion}, Kind=${body.kind}`
        : 'invalid object type: /, Kind=',
    )
  if (metadata.name !== undefined && metadata.name !== name)
    throw badRequest(`the name of the object (${String(metadata.name)}) does not match the name on the URL (${name})`)
  const hadNamespace = stringOf(metadata.namespace)
  metadata.name = name
  if (resource.isNamespaced) metadata.namespace = call.namespace
  body.metadata = metadata
  const unknown: string[] = []
  decodeInto(resource, body, unknown)
  const [first] = unknown
  if (first === undefined) return
  if (call.fieldValidation === 'Strict' && resource.custom !== undefined)
    throw badRequest(
      `failed to create typed patch object (${hadNamespace}/${name}; ${resource.group}/${resource.version}, Kind=${resource.kind}): .${first}: field not declared in schema`,
    )
  throw new Fault(
    500,
    '',
    `failed to create typed patch object (${hadNamespace}/${name}; ${resource.group}/${resource.version}, Kind=${resource.kind}): .${first}: field not declared in schema`,
  )
}

function checkAppliedVersion(call: Call, stored: Obj, body: JsonObject): void {
  const metadata = isObject(body.metadata) ? body.metadata : {}
  const { resourceVersion, uid } = metadata
  if (typeof uid === 'string' && uid !== '' && uid !== stored.metadata.uid)
    throw conflict(
      call.resource,
      call.name,
      `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${stored.metadata.uid ?? ''}`,
    )
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
  delete metadata.resourceVersion
}
