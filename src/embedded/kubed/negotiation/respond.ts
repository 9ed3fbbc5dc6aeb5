import type { ServerResponse } from 'node:http'
import type { Json, JsonObject } from '../../../lib/kube/json.ts'
import { dump } from '../../../lib/yaml/dump.ts'
import type { Call } from '../call.ts'
import { badRequest, Fault, statusOf } from '../fault.ts'
import type { Obj } from '../object.ts'
import { apiVersionOf, type Resource } from '../resources/resource.ts'
import { type Form, formOf } from './accept.ts'
import { type Include, metadataOf, tableOf } from './table.ts'

/** Sends a JSON (or YAML) answer. */
export function send(
  response: ServerResponse,
  code: number,
  body: Json,
  contentType: Form['contentType'] = 'application/json',
  warnings: readonly string[] = [],
): void {
  const text = contentType === 'application/yaml' ? dump(body) : `${JSON.stringify(body)}\n`
  const headers: Record<string, string | number | string[]> = {
    'content-type': contentType,
    'cache-control': 'no-cache, private',
    'content-length': Buffer.byteLength(text),
  }
  if (warnings.length > 0) headers.warning = [...new Set(warnings)].map((warning) => `299 - ${JSON.stringify(warning)}`)
  response.writeHead(code, headers)
  response.end(text)
}

/** Sends a failure as a Status. Errors are never tables. */
export function sendFault(response: ServerResponse, fault: Fault, accept = '', warnings: readonly string[] = []): void {
  if (fault.details?.retryAfterSeconds !== undefined)
    response.setHeader('retry-after', String(fault.details.retryAfterSeconds))
  send(
    response,
    fault.code,
    statusOf(fault),
    accept.startsWith('application/yaml') ? 'application/yaml' : 'application/json',
    warnings,
  )
}

function includeOf(call: Call): Include {
  const wanted = call.query.get('includeObject') ?? 'Metadata'
  if (wanted === 'None' || wanted === 'Metadata' || wanted === 'Object') return wanted
  throw badRequest(
    `Unable to convert to Table as requested: includeObject: Invalid value: ${JSON.stringify(wanted)}: must be 'Metadata', 'Object', 'None', or empty`,
  )
}

/** One object in the form that the client accepts. */
export function presentOne(
  call: Call,
  now: number,
): { contentType: Form['contentType']; present: (object: Obj, isFirst: boolean) => Json } {
  const form = formOf(call.accept)
  if (form.kind === 'metadata-list')
    throw new Fault(
      406,
      'NotAcceptable',
      `you requested PartialObjectMetadataList, but the requested object is not a list (${goTypeOf(call.resource)})`,
    )
  const include = form.kind === 'table' ? includeOf(call) : 'None'
  return {
    contentType: form.contentType,
    present: (object, isFirst) => {
      if (form.kind === 'metadata') return metadataOf(object, form.version)
      if (form.kind !== 'table') return object
      const { resourceVersion } = object.metadata
      const metadata = resourceVersion === undefined ? {} : { resourceVersion }
      return tableOf(call.resource, [object], metadata, { include, now, version: form.version, withColumns: isFirst })
    },
  }
}

/** A list in the form that the client accepts. */
export function presentMany(
  call: Call,
  items: readonly Obj[],
  metadata: JsonObject,
  now: number,
): { contentType: Form['contentType']; body: Json } {
  const form = formOf(call.accept)
  if (form.kind === 'metadata')
    throw new Fault(
      406,
      'NotAcceptable',
      `you requested PartialObjectMetadata, but the requested object is a list (${goTypeOf(call.resource)}List)`,
    )
  if (form.kind === 'table')
    return {
      contentType: form.contentType,
      body: tableOf(call.resource, items, metadata, {
        include: includeOf(call),
        now,
        version: form.version,
        withColumns: true,
      }),
    }
  if (form.kind === 'metadata-list')
    return {
      contentType: form.contentType,
      body: {
        kind: 'PartialObjectMetadataList',
        apiVersion: `meta.k8s.io/${form.version}`,
        metadata,
        items: items.map((object) => metadataOf(object, form.version)),
      },
    }
  return { contentType: form.contentType, body: listOfItems(call.resource, items, metadata) }
}

const goTypeOf = ({ custom, group, kind }: Resource): string =>
  custom === undefined
    ? `*${group === '' ? 'core' : (group.split('.')[0] ?? '')}.${kind}`
    : '*unstructured.Unstructured'

/** Built-in items do not repeat their kind; custom ones do. */
function listOfItems(resource: Resource, items: readonly Obj[], metadata: JsonObject): JsonObject {
  return {
    kind: `${resource.kind}List`,
    apiVersion: apiVersionOf(resource),
    metadata,
    items:
      resource.custom !== undefined ? [...items] : items.map(({ kind: _kind, apiVersion: _version, ...item }) => item),
  }
}
