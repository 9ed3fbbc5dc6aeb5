import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { gunzipSync, gzipSync } from 'node:zlib'
import { definitionsOf, packageNames } from '../../../lib/kube-schema/builtin.ts'
import { asJson, isObject, type Json, type JsonObject, objectOf } from '../../../lib/kube/json.ts'
import { parseAccept } from '../negotiation/accept.ts'
import type { Registry } from '../resources/registry.ts'
import type { Resource } from '../resources/resource.ts'
import { customSchemaV2 } from './custom-schema.ts'
import { withEnums } from './enums.ts'
import { commonTexts, nameOf, OPERATIONS, pathOfKind, textsOf } from './openapi.ts'
import { queryOf } from './parameters.ts'
import { writeOpenapiV2 } from './openapi-v2.ts'

const PROTOBUF = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf'
const JSON_TYPE = 'application/json'

/** A document, compressed; made anew when kinds come or go. */
type Kept = {
  readonly revision: number
  readonly registry: WeakRef<Registry>
  readonly gzip: Buffer
  readonly etag: string
}

const kept = new Map<string, Kept>()

/** `GET /openapi/v2`: JSON, or protobuf for those who ask for it (they ask for `v2@v1.0`, which is no media type, and take `v2.v1.0`), as kubectl does. */
export function serveOpenapiV2(registry: Registry, request: IncomingMessage, response: ServerResponse): void {
  const type = typeFor(request.headers.accept ?? '')
  if (type === undefined) {
    response.writeHead(406, { 'content-type': 'text/plain; charset=utf-8' })
    response.end(`only ${JSON_TYPE} and ${PROTOBUF} are served\n`)
    return
  }
  const { gzip, etag } = documentOf(registry, type)
  const headers = { 'content-type': type, 'cache-control': 'no-cache, private', vary: 'Accept', etag }
  if (request.headers['if-none-match'] === etag) {
    response.writeHead(304, { ...headers })
    response.end()
    return
  }
  const acceptsGzip = (request.headers['accept-encoding'] ?? '').includes('gzip')
  const body = acceptsGzip ? gzip : gunzipSync(gzip)
  response.writeHead(200, {
    ...headers,
    'content-length': body.length,
    ...(acceptsGzip ? { 'content-encoding': 'gzip' } : {}),
  })
  response.end(body)
}

function typeFor(accept: string): string | undefined {
  if (accept === '') return JSON_TYPE
  for (const { type } of parseAccept(accept)) {
    if (type.includes('proto-openapi')) return PROTOBUF
    if (type === '*/*' || type === 'application/*' || type === JSON_TYPE) return JSON_TYPE
  }
  return undefined
}

function documentOf(registry: Registry, type: string): Kept {
  const found = kept.get(type)
  if (found?.revision === registry.revision() && found.registry.deref() === registry) return found
  const body =
    type === PROTOBUF
      ? writeOpenapiV2(allDefinitions(registry, false), registry.all())
      : Buffer.from(JSON.stringify(jsonDocument(registry)))
  const made = {
    revision: registry.revision(),
    registry: new WeakRef(registry),
    gzip: gzipSync(body),
    etag: `"${createHash('sha256').update(body).digest('hex').toUpperCase()}"`,
  }
  kept.set(type, made)
  return made
}

function jsonDocument(registry: Registry): JsonObject {
  const paths: JsonObject = {}
  for (const resource of registry.all()) Object.assign(paths, pathsOf(resource))
  const info = { title: 'Kubernetes', version: '1.37' }
  return { swagger: '2.0', info, paths, definitions: allDefinitions(registry, true) }
}

/** Those who ask for protobuf read explanations from the other document. */
function allDefinitions(registry: Registry, isExplained: boolean): Record<string, Json> {
  const out: Record<string, Json> = {}
  for (const group of packageNames()) {
    const texts = isExplained ? textsOf(group) : {}
    for (const [name, schema] of Object.entries(definitionsOf(group) ?? {})) {
      const { 'x-go': _go, ...rest } = objectOf(asJson(schema))
      out[`${group}.${name}`] = isExplained ? explained(`${group}.${name}`, rest, texts[name] ?? {}) : rest
    }
  }
  for (const resource of registry.all())
    if (resource.custom !== undefined)
      out[nameOf(resource)] = customSchemaV2(resource, isExplained ? commonTexts() : {})
  return out
}

function explained(full: string, schema: JsonObject, texts: Readonly<Record<string, string>>): JsonObject {
  const { properties } = schema
  const out: JsonObject = texts[''] === undefined ? { ...schema } : { description: texts[''], ...schema }
  if (!isObject(properties)) return out
  const described: JsonObject = {}
  for (const [name, each] of Object.entries(properties))
    described[name] = texts[name] === undefined ? each : { description: texts[name], ...objectOf(each) }
  return { ...out, properties: withEnums(full, described) }
}

function pathsOf(resource: Resource): JsonObject {
  const { group, version, kind } = resource
  const base = pathOfKind(resource)
  const operation = (action: string): JsonObject => ({
    operationId: `${action}${kind}`,
    parameters: queryOf(action).map((parameter) => ({ ...parameter, uniqueItems: true })),
    responses: { 200: { description: 'OK', schema: { $ref: `#/definitions/${nameOf(resource)}` } } },
    'x-kubernetes-action': action,
    'x-kubernetes-group-version-kind': { group, version, kind },
  })
  const { one, many } = OPERATIONS
  return {
    [base]: Object.fromEntries(many.map(([method, action]) => [method, operation(action)])),
    [`${base}/{name}`]: Object.fromEntries(one.map(([method, action]) => [method, operation(action)])),
  }
}
