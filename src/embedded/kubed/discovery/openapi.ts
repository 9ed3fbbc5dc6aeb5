import type { IncomingMessage, ServerResponse } from 'node:http'
import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { DESCRIPTION_CHUNKS } from '../../../lib/kube-schema/data/descriptions.ts'
import { definition, definitionsOf, packageNames } from '../../../lib/kube-schema/builtin.ts'
import { unpack } from '../../../lib/kube-schema/unpack.ts'
import type { Schema } from '../../../lib/kube-schema/schema.ts'
import { asJson, isObject, type Json, type JsonObject, objectOf } from '../../../lib/kube/json.ts'
import type { Registry } from '../resources/registry.ts'
import type { Resource } from '../resources/resource.ts'
import { writeOpenapiV2 } from './openapi-v2.ts'

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta'
type Texts = Readonly<Record<string, Readonly<Record<string, string>>>>

/** `GET /openapi/v3`: which documents there are; the hash changes with the kinds. */
export function openapiIndex(registry: Registry): JsonObject {
  const paths: JsonObject = {}
  for (const { group, version } of registry.all()) {
    const path = pathOf(group, version)
    paths[path] ??= { serverRelativeURL: `/openapi/v3/${path}?hash=${hashOf(registry, group, version)}` }
  }
  return { paths }
}

const pathOf = (group: string, version: string): string =>
  group === '' ? `api/${version}` : `apis/${group}/${version}`

function hashOf(registry: Registry, group: string, version: string): string {
  const kinds = registry.all().filter((each) => each.group === group && each.version === version)
  const text = JSON.stringify(kinds.map(({ kind, plural, custom }) => [kind, plural, custom?.schema]))
  return createHash('sha256').update(text).digest('hex').toUpperCase()
}

/** One group version as an OpenAPI v3 document, made when it is asked for; undefined when it is not served. */
export function openapiV3(registry: Registry, path: string): JsonObject | undefined {
  const match = /^(?:api|apis\/([^/]+))\/([^/]+)$/.exec(path)
  if (match === null) return undefined
  const [, group = '', version = ''] = match
  const resources = registry.all().filter((each) => each.group === group && each.version === version)
  if (resources.length === 0) return undefined
  const schemas: JsonObject = {}
  const texts = new Map<string, Texts>()
  for (const resource of resources) {
    if (resource.custom === undefined) addDefinition(schemas, texts, resource.type.name ?? '')
    else {
      addDefinition(schemas, texts, META)
      schemas[nameOf(resource)] = customSchema(resource)
    }
  }
  const paths: JsonObject = {}
  for (const resource of resources) Object.assign(paths, pathsOf(resource))
  return { openapi: '3.0.0', info: { title: 'Kubernetes', version: 'v1.33.0' }, paths, components: { schemas } }
}

/** The name under which a document has a kind: `io.fluxcd.toolkit.source.v1.GitRepository`. */
export function nameOf(resource: Resource): string {
  if (resource.custom === undefined) return resource.type.name ?? ''
  return `${resource.group.split('.').reverse().join('.')}.${resource.version}.${resource.kind}`
}

/** Definitions that take values of two types: their format and types. */
const MIXED: Readonly<Record<string, readonly string[]>> = {
  'io.k8s.apimachinery.pkg.util.intstr.IntOrString': ['int-or-string', 'integer', 'string'],
  'io.k8s.apimachinery.pkg.api.resource.Quantity': ['', 'string', 'number'],
}

function addDefinition(schemas: JsonObject, texts: Map<string, Texts>, name: string): void {
  if (schemas[name] !== undefined) return
  const schema = definition(name)
  if (schema === undefined) return
  schemas[name] = {}
  const dot = name.lastIndexOf('.')
  const group = name.slice(0, dot)
  if (!texts.has(group)) texts.set(group, unpack<Texts>(DESCRIPTION_CHUNKS[group] ?? ''))
  const mixed = MIXED[name]
  if (mixed !== undefined) {
    const [format, ...types] = mixed
    schemas[name] = { ...(format === '' ? {} : { format }), oneOf: types.map((type) => ({ type })) }
    return
  }
  schemas[name] = toV3(schema, texts.get(group)?.[name.slice(dot + 1)], (ref) => addDefinition(schemas, texts, ref))
}

function toV3(
  schema: Schema,
  texts: Readonly<Record<string, string>> | undefined,
  refer: (name: string) => void,
): Json {
  const out = convert(schema, refer)
  if (!isObject(out)) return out
  if (texts?.[''] !== undefined) out.description = texts['']
  if (isObject(out.properties))
    for (const [field, value] of Object.entries(out.properties))
      if (isObject(value) && texts?.[field] !== undefined) value.description = texts[field]
  return out
}

function convert(value: unknown, refer: (name: string) => void): Json {
  if (Array.isArray(value)) return value.map((each) => convert(each, refer))
  if (!isObject(value)) return value as Json
  if (typeof value.$ref === 'string') {
    const name = value.$ref.slice('#/definitions/'.length)
    refer(name)
    const { $ref: _ref, ...rest } = value
    return { ...rest, allOf: [{ $ref: `#/components/schemas/${name}` }] }
  }
  const out: JsonObject = {}
  for (const [key, each] of Object.entries(value)) if (key !== 'x-go') out[key] = convert(each, refer)
  return out
}

function customSchema(resource: Resource): JsonObject {
  const schema = isObject(resource.custom?.schema) ? structuredClone(resource.custom.schema) : { type: 'object' }
  const properties = isObject(schema.properties) ? schema.properties : {}
  const { group, version, kind } = resource
  return {
    ...schema,
    properties: {
      ...properties,
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { allOf: [{ $ref: `#/components/schemas/${META}` }] },
    },
    'x-kubernetes-group-version-kind': [{ group, version, kind }],
  }
}

const QUERY = ['dryRun', 'fieldManager', 'fieldValidation']

function pathsOf(resource: Resource): JsonObject {
  const { group, version, kind, plural, isNamespaced } = resource
  const base = `/${group === '' ? 'api' : `apis/${group}`}/${version}${isNamespaced ? '/namespaces/{namespace}' : ''}/${plural}`
  const gvk = { group, version, kind }
  const parameters = QUERY.map((name) => ({ name, in: 'query', schema: { type: 'string', uniqueItems: true } }))
  const operation = (action: string): JsonObject => ({
    operationId: `${action}${kind}`,
    parameters: [...parameters],
    responses: {
      200: {
        description: 'OK',
        content: { 'application/json': { schema: { $ref: `#/components/schemas/${nameOf(resource)}` } } },
      },
    },
    'x-kubernetes-action': action,
    'x-kubernetes-group-version-kind': gvk,
  })
  return {
    [base]: { get: operation('list'), post: operation('post') },
    [`${base}/{name}`]: {
      get: operation('get'),
      put: operation('put'),
      patch: operation('patch'),
      delete: operation('delete'),
    },
  }
}

const PROTOBUF = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf'
let kept: { revision: number; registry: WeakRef<Registry>; gzip: Buffer } | undefined

/** `GET /openapi/v2` as protobuf (clients ask for `v2@v1.0`, which is no media type, and take `v2.v1.0`), which kubectl before 1.29 must have; kept compressed between changes of the kinds. */
export function openapiV2(registry: Registry, request: IncomingMessage, response: ServerResponse): void {
  const accept = request.headers.accept ?? ''
  if (!accept.includes('protobuf') && !accept.includes('*/*')) {
    response.writeHead(406, { 'content-type': 'text/plain; charset=utf-8' })
    response.end(`only ${PROTOBUF} is served\n`)
    return
  }
  if (kept === undefined || kept.revision !== registry.revision() || kept.registry.deref() !== registry)
    kept = {
      revision: registry.revision(),
      registry: new WeakRef(registry),
      gzip: gzipSync(writeOpenapiV2(allDefinitions(registry), registry.all())),
    }
  const { gzip } = kept
  const acceptsGzip = (request.headers['accept-encoding'] ?? '').includes('gzip')
  const headers = { 'content-type': PROTOBUF, 'cache-control': 'no-cache, private', vary: 'Accept' }
  if (acceptsGzip) {
    response.writeHead(200, { ...headers, 'content-encoding': 'gzip', 'content-length': gzip.length })
    response.end(gzip)
    return
  }
  const body = writeOpenapiV2(allDefinitions(registry), registry.all())
  response.writeHead(200, { ...headers, 'content-length': body.length })
  response.end(body)
}

/** Without descriptions: those who still ask for this document read explanations from the other one. */
function allDefinitions(registry: Registry): Record<string, Json> {
  const out: Record<string, Json> = {}
  for (const group of packageNames())
    for (const [name, schema] of Object.entries(definitionsOf(group) ?? {})) {
      const { 'x-go': _go, ...rest } = objectOf(asJson(schema))
      out[`${group}.${name}`] = rest
    }
  for (const resource of registry.all()) {
    if (resource.custom === undefined) continue
    const schema = customSchema(resource)
    const properties = isObject(schema.properties) ? schema.properties : {}
    out[nameOf(resource)] = { ...schema, properties: { ...properties, metadata: { $ref: `#/definitions/${META}` } } }
  }
  return out
}
