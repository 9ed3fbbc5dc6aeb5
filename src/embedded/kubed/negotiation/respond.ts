import type { IncomingMessage, ServerResponse } from 'node:http'
import { unreachable } from '../../../lib/error/unreachable.ts'
import { asJson, type Json, type JsonObject, objectOf } from '../../../lib/kube/json.ts'
import { encodeProtobuf } from '../../../lib/kube-typed/protobuf/encode.ts'
import { dump } from '../../../lib/yaml/dump.ts'
import type { Call } from '../request/call.ts'
import { badRequest, Fault, statusOf } from '../fault.ts'
import type { Obj } from '../object.ts'
import { toVersion } from '../conversion/convert.ts'
import { textFor } from '../storage/stored.ts'
import { apiVersionOf, type Resource } from '../resources/resource.ts'
import { type ContentType, plainTypeOf, formFor, notAcceptable } from './accept.ts'
import { endOfObject } from './json-text.ts'
import { type Include, metadataOf, tableOf } from './table.ts'
import { warningHeader } from './warning-header.ts'

/** Sends an answer. */
export function send(
  response: ServerResponse,
  code: number,
  body: Json,
  contentType: ContentType = 'application/json',
  warnings: readonly string[] = [],
): void {
  sendText(response, code, JSON.stringify(body), contentType, warnings)
}

const pretty = new WeakSet<ServerResponse>()

/** Has an answer's JSON written in lines, for people. */
export const makePretty = (response: ServerResponse): void => void pretty.add(response)

/** True for those who ask for it, and for programs behind which there is a person. */
export function isPrettyWanted({ url = '', headers }: IncomingMessage): boolean {
  if (/;\s*pretty\s*=\s*1\s*(?:[;,]|$)/.test(headers.accept ?? '')) return true
  const asked = /[?&]pretty(?:=([^&]*))?(?:&|$)/.exec(url)
  if (asked !== null) return !/^(0|f|false)$/i.test(asked[1] ?? '')
  return /^(curl|Wget|Mozilla\/5\.0)/.test(headers['user-agent'] ?? '')
}

/** Sends what is JSON already. */
export function sendText(
  response: ServerResponse,
  code: number,
  json: string,
  contentType: ContentType,
  warnings: readonly string[],
): void {
  const text = written(response, json, contentType)
  const headers: Record<string, string | number | string[]> = {
    'content-type': contentType,
    'cache-control': 'no-cache, private',
    'content-length': Buffer.byteLength(text),
  }
  Object.assign(headers, warningHeader(warnings))
  response.writeHead(code, headers)
  // Before a text Node writes the bytes of a header as signs, each above 0x7f as two.
  response.end(warnings.length === 0 ? text : Buffer.from(text))
}

/** The bytes of an answer that is JSON. */
export function written(response: ServerResponse, json: string, contentType: ContentType): string | Buffer {
  switch (contentType) {
    case 'application/json':
      return pretty.has(response) ? JSON.stringify(JSON.parse(json), null, 2) : `${json}\n`
    case 'application/yaml':
      return dump(asJson(JSON.parse(json)))
    case 'application/vnd.kubernetes.protobuf':
      return inProtobuf(json)
    default:
      return unreachable(contentType)
  }
}

/** JSON of an object or a list in protobuf. @throws Fault 406 for a kind without a form in it */
export function inProtobuf(json: string): Buffer {
  const body = encodeProtobuf(objectOf(asJson(JSON.parse(json))))
  if (body === undefined) throw notAcceptable()
  return body
}

/** Sends a failure as a Status: in JSON, in lines, to who takes nothing that a Status is written in. */
export function sendFault(response: ServerResponse, fault: Fault, accept = '', warnings: readonly string[] = []): void {
  if (fault.details?.retryAfterSeconds !== undefined)
    response.setHeader('retry-after', String(fault.details.retryAfterSeconds))
  const contentType = plainTypeOf(accept)
  if (contentType === undefined) makePretty(response)
  send(response, fault.code, statusOf(fault), contentType, warnings)
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
  readonly contentType: ContentType
  /** JSON of an object as the client asked for it. `isFirst` tells tables to name their columns. */
  readonly show: (shown: Shown, isFirst: boolean) => string
}

/** Sends what is answered and not kept. A Status is one in every form. @throws Fault 406 */
export function sendAnswer(
  call: Call,
  response: ServerResponse,
  code: number,
  body: JsonObject,
  shown: Resource,
): void {
  const { kind, contentType, version } = formFor(call.accept, call.resource, call.subresource)
  const isShaped = body.kind !== 'Status'
  if (isShaped && kind === 'metadata-list') throw noList(call.resource, shown)
  const metadata = objectOf(body.metadata)
  const told = { kind: 'PartialObjectMetadata', apiVersion: `meta.k8s.io/${version}`, metadata }
  send(response, code, isShaped && kind === 'metadata' ? told : body, contentType, call.warnings)
}

/**
 * Shows one object in the form that the client accepts.
 *
 * @param resource of what kind it is, which subresources have another than the resource that is asked
 * @throws Fault 406
 */
export function presentOne(call: Call, nowMs: () => number, resource = call.resource): Presenter {
  const form = formFor(call.accept, call.resource, call.subresource)
  const { contentType } = form
  if (form.kind === 'metadata-list') throw noList(call.resource, resource)
  const include = form.kind === 'table' ? includeOf(call) : 'None'
  const head = headOf(resource)
  return {
    contentType,
    show(shown, isFirst) {
      const kept = form.kind === 'object' ? keptText(resource, shown, head) : undefined
      if (kept !== undefined) return kept
      if (form.kind === 'metadata') return metadataText(resource, shown, head, form.version)
      const object = toVersion(resource, shown.object)
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
): { readonly contentType: ContentType; readonly text: string } {
  const { resource } = call
  const form = formFor(call.accept, resource, call.subresource)
  const { contentType, version } = form
  if (form.kind === 'metadata')
    throw new Fault(
      406,
      'NotAcceptable',
      `you requested PartialObjectMetadata, but the requested object is a list (${goTypeOf(resource)}List)`,
    )
  // Other forms than its own list say nothing where lists of custom resources have an empty token.
  const { continue: token, ...others } = metadata
  const told = token === '' ? others : metadata
  if (form.kind === 'table') {
    const objects = items.map(({ object }) => toVersion(resource, object))
    const options = { include: includeOf(call), now, version, withColumns: true }
    return { contentType, text: JSON.stringify(tableOf(resource, objects, told, options)) }
  }
  const head = headOf(resource)
  const texts = items.map((item) =>
    form.kind === 'object' ? itemText(resource, item, head) : metadataText(resource, item, head, version),
  )
  const list =
    form.kind === 'object'
      ? { kind: `${resource.kind}List`, apiVersion: apiVersionOf(resource), metadata }
      : { kind: 'PartialObjectMetadataList', apiVersion: `meta.k8s.io/${version}`, metadata: told }
  // The real server makes this kind of list of what it finds, so that of nothing there is no list.
  const all = form.kind !== 'object' && texts.length === 0 ? 'null' : `[${texts.join(',')}]`
  return { contentType, text: `${JSON.stringify(list).slice(0, -1)},"items":${all}}` }
}

/** Objects that were found to be shown as they are kept, and the definition under which they were. */
const fitting = new WeakMap<Shown, Resource>()

/** The text of an object as it is kept, where it is shown so. */
function keptText(resource: Resource, shown: Shown, head: string): string | undefined {
  const { text } = shown
  if (!text?.startsWith(head)) return undefined
  if (resource.custom?.isFitted !== true || fitting.get(shown) === resource) return text
  if (textFor(toVersion(resource, shown.object)) !== text) return undefined
  fitting.set(shown, resource)
  return text
}

/** How the text of an object begins that is kept in this version. */
function headOf(resource: Resource): string {
  return `{"kind":${JSON.stringify(resource.kind)},"apiVersion":${JSON.stringify(apiVersionOf(resource))},`
}

/** An item of a list, cut out of its text where there is one: nothing is decoded or written anew. */
function itemText(resource: Resource, item: Shown, head: string): string {
  const text = keptText(resource, item, head)
  if (text === undefined) return JSON.stringify(asItem(resource, toVersion(resource, item.object)))
  return resource.custom === undefined ? `{${text.slice(head.length)}` : text
}

/** The PartialObjectMetadata of an object, cut out of its text where there is one. */
function metadataText(resource: Resource, shown: Shown, head: string, version: string): string {
  const { text } = shown
  const before = `${head}"metadata":`
  if (!text?.startsWith(before) || resource.storageKey === 'apps/daemonsets')
    return JSON.stringify(metadataOf(toVersion(resource, shown.object), version))
  const metadata = text.slice(before.length, endOfObject(text, before.length))
  return `{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/${version}","metadata":${metadata}}`
}

function noList(asked: Resource, shown: Resource): Fault {
  if (asked.custom !== undefined && asked === shown) return new Fault(500, '', 'content is not a list')
  const type = asked.custom === undefined ? goTypeOf(shown) : `*${shown.version}.${shown.kind}`
  const message = `you requested PartialObjectMetadataList, but the requested object is not a list (${type})`
  return new Fault(406, 'NotAcceptable', message)
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
