import { isObject, type Json, type JsonObject } from '../../../lib/kube/json.ts'
import type { Call } from '../call.ts'
import { badRequest } from '../fault.ts'
import { type Obj, objFrom } from '../object.ts'
import { apiVersionOf, type Resource } from '../resources/resource.ts'
import { DecodeError, decodeCustom, decodeTyped } from './typed.ts'

/**
 * Makes a parsed body an object of the resource: unknown fields dropped, warned about or refused as the request asks.
 *
 * Works in place on `body`.
 */
export function decodeObject(call: Call, body: Json): Obj {
  const { resource } = call
  if (!isObject(body))
    throw badRequest(
      `couldn't get version/kind; json parse error: json: cannot unmarshal ${Array.isArray(body) ? 'array' : typeof body} into Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }`,
    )
  checkKind(resource, body)
  const unknown: string[] = []
  decodeInto(resource, body, unknown)
  reportUnknown(call, unknown)
  return objFrom(body, apiVersionOf(resource), resource.kind)
}

function checkKind(resource: Resource, body: JsonObject): void {
  const { apiVersion, kind } = body
  const wanted = apiVersionOf(resource)
  if (resource.custom !== undefined && (typeof kind !== 'string' || kind === ''))
    throw badRequest(`Object 'Kind' is missing in '${JSON.stringify(body)}'`)
  if (typeof kind === 'string' && kind !== '' && kind !== resource.kind)
    throw badRequest(
      `${kind} in version ${JSON.stringify(versionPart(apiVersion) || resource.version)} cannot be handled as a ${resource.kind}: converting (${String(kind)}) to (${resource.kind}): unknown conversion`,
    )
  if (typeof apiVersion === 'string' && apiVersion !== '' && apiVersion !== wanted)
    throw badRequest(`the API version in the data (${apiVersion}) does not match the expected API version (${wanted})`)
}

const versionPart = (apiVersion: Json | undefined): string =>
  typeof apiVersion === 'string' ? apiVersion.slice(apiVersion.indexOf('/') + 1) : ''

/** Reads the value in place into the kind's types; names unknown fields. */
export function decodeInto(resource: Resource, body: JsonObject, unknown: string[]): void {
  try {
    if (resource.custom !== undefined) decodeCustom(resource.type, body, unknown)
    else decodeTyped(resource.type, body, '', unknown, resource.kind)
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
    throw badRequest(
      `${resource.kind} in version ${JSON.stringify(resource.version)} cannot be handled as a ${resource.kind}: ${error.message}`,
    )
  }
}

/** Refuses or warns about fields that the kind does not have. */
export function reportUnknown(call: Call, unknown: readonly string[], duplicates: readonly string[] = []): void {
  const all = [
    ...duplicates.map((path) => `duplicate field ${JSON.stringify(path)}`),
    ...unknown.map((path) => `unknown field ${JSON.stringify(path)}`),
  ]
  if (all.length === 0 || call.fieldValidation === 'Ignore') return
  if (call.fieldValidation === 'Warn') {
    call.warnings.push(...all)
    return
  }
  const { kind, version } = call.resource
  throw badRequest(
    `${kind} in version ${JSON.stringify(version)} cannot be handled as a ${kind}: strict decoding error: ${all.join(', ')}`,
  )
}
