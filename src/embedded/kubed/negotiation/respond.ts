import type { ServerResponse } from 'node:http'
import { asJson, type Json, type JsonObject } from '../../../lib/kube/json.ts'
import { dump } from '../../../lib/yaml/dump.ts'
import type { Call } from '../call.ts'
import { badRequest, Fault, statusOf } from '../fault.ts'
import type { Obj } from '../object.ts'
import { toVersion } from '../resources/convert.ts'
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
  sendText(response, code, JSON.stringify(body), contentType, warnings)
}

/** Sends what is JSON already. */
export function sendText(
  response: ServerResponse,
  code: number,
  json: string,
  contentType: Form['contentType'],
  warnings: readonly string[],
): void {
  const text = contentType === 'application/yaml' ? dump(asJson(JSON.parse(json))) : `${json}\n`
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

/** An object and, where the store keeps it, its text; both in the version in which it is kept. Stored ones are decoded only when looked into. */
export type Shown = { readonly object: Obj; readonly text: string | undefined }

/** How objects are shown to a client. */
export type Presenter = {
  readonly contentType: Form['contentType']
  /** JSON of an object as the client asked for it. `isFirst` tells tables to name their columns. */
  readonly show: (shown: Shown, isFirst: boolean) => string
}

/** Shows one object in the form that the client accepts. @throws Fault 406 */
export function presentOne(call: Call, nowMs: () => number): Presenter {
  const { resource } = call
  const form = formOf(call.accept)
  const { contentType } = form
  if (form.kind === 'metadata-list')
    throw new Fault(
      406,
      'NotAcceptable',
      `you requested PartialObjectMetadataList, but the requested object is not a list (${goTypeOf(resource)})`,
    )
  const include = form.kind === 'table' ? includeOf(call) : 'None'
  const head = headOf(resource)
  return {
    contentType,
    show(shown, isFirst) {
      if (form.kind === 'object' && shown.text?.startsWith(head)) return shown.text
      const object = toVersion(resource, shown.object)
      if (form.kind === 'metadata') return JSON.stringify(metadataOf(object, form.version))
      if (form.kind !== 'table') return JSON.stringify(object)
      const { resourceVersion } = object.metadata
      const metadata = resourceVersion === undefined ? {} : { resourceVersion }
      const options = { include, now: nowMs(), version: form.version, withColumns: isFirst }
      return JSON.stringify(tableOf(resource, [object], metadata, options))
    },
  }
}

/** JSON of a list in the form that the client accepts. @throws Fault 406 */
export function presentMany(
  call: Call,
  items: readonly Shown[],
  metadata: JsonObject,
  now: number,
): { readonly contentType: Form['contentType']; readonly text: string } {
  const { resource } = call
  const form = formOf(call.accept)
  const { contentType, version } = form
  if (form.kind === 'metadata')
    throw new Fault(
      406,
      'NotAcceptable',
      `you requested PartialObjectMetadata, but the requested object is a list (${goTypeOf(resource)}List)`,
    )
  if (form.kind === 'object') return { contentType, text: listText(resource, items, metadata) }
  const objects = items.map(({ object }) => toVersion(resource, object))
  const shown = (): JsonObject => {
    if (form.kind === 'table')
      return tableOf(resource, objects, metadata, { include: includeOf(call), now, version, withColumns: true })
    const partial = objects.map((object) => metadataOf(object, version))
    return { kind: 'PartialObjectMetadataList', apiVersion: `meta.k8s.io/${version}`, metadata, items: partial }
  }
  return { contentType, text: JSON.stringify(shown()) }
}

/** How the text of an object begins that is kept in this version. */
function headOf(resource: Resource): string {
  // what is shown with defaults is never shown as it is kept
  if (resource.custom?.hasDefaults === true) return '\n'
  return `{"kind":${JSON.stringify(resource.kind)},"apiVersion":${JSON.stringify(apiVersionOf(resource))},`
}

/** A list made of texts: nothing is decoded or written anew. */
function listText(resource: Resource, items: readonly Shown[], metadata: JsonObject): string {
  const head = headOf(resource)
  const isCustom = resource.custom !== undefined
  const texts = items.map((item) => {
    const { text } = item
    if (!text?.startsWith(head)) return JSON.stringify(asItem(resource, toVersion(resource, item.object)))
    return isCustom ? text : `{${text.slice(head.length)}`
  })
  const list = { kind: `${resource.kind}List`, apiVersion: apiVersionOf(resource), metadata }
  return `${JSON.stringify(list).slice(0, -1)},"items":[${texts.join(',')}]}`
}

const goTypeOf = ({ custom, group, kind }: Resource): string =>
  custom === undefined
    ? `*${group === '' ? 'core' : (group.split('.')[0] ?? '')}.${kind}`
    : '*unstructured.Unstructured'

/** Built-in items do not repeat their kind; custom ones do. */
function asItem({ custom }: Resource, object: Obj): JsonObject {
  if (custom !== undefined) return object
  const { kind: _kind, apiVersion: _version, ...item } = object
  return item
}
