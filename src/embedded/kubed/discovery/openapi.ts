import { createHash } from 'node:crypto'
import { DESCRIPTION_CHUNKS } from '../../../lib/kube-schema/data/descriptions.ts'
import { definition } from '../../../lib/kube-schema/builtin.ts'
import { unpack } from '../../../lib/kube-schema/unpack.ts'
import type { Schema } from '../../../lib/kube-schema/schema.ts'
import { isObject, type Json, type JsonObject } from '../../../lib/kube/json.ts'
import type { Registry } from '../resources/registry.ts'
import type { Resource } from '../resources/resource.ts'
import { withEnums } from './enums.ts'
import { type CommonTexts, customSchemaV3, META } from './custom-schema.ts'
import { type Parameter, placeOf, queryOf } from './parameters.ts'

type Texts = Readonly<Record<string, Readonly<Record<string, string>>>>

/** Hashes of all schemas are dear, and clients ask again and again. */
const indexes = new WeakMap<Registry, { readonly revision: number; readonly index: JsonObject }>()

/** `GET /openapi/v3`: which documents there are; the hash changes with the kinds. */
export function openapiIndex(registry: Registry): JsonObject {
  const revision = registry.revision()
  const known = indexes.get(registry)
  if (known?.revision === revision) return known.index
  const index = makeIndex(registry)
  indexes.set(registry, { revision, index })
  return index
}

function makeIndex(registry: Registry): JsonObject {
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
      schemas[nameOf(resource)] = customSchemaV3(resource, commonTexts())
    }
  }
  const paths: JsonObject = {}
  for (const resource of resources) Object.assign(paths, pathsOf(resource))
  return { openapi: '3.0.0', info: { title: 'Kubernetes', version: '1.37' }, paths, components: { schemas } }
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
  if (!texts.has(group)) texts.set(group, textsOf(group))
  const mixed = MIXED[name]
  if (mixed !== undefined) {
    const [format, ...types] = mixed
    schemas[name] = { ...(format === '' ? {} : { format }), oneOf: types.map((type) => ({ type })) }
    return
  }
  const refer = (ref: string): void => addDefinition(schemas, texts, ref)
  schemas[name] = toV3(name, schema, texts.get(group)?.[name.slice(dot + 1)], refer)
}

function toV3(
  name: string,
  schema: Schema,
  texts: Readonly<Record<string, string>> | undefined,
  refer: (name: string) => void,
): Json {
  const out = convert(schema, refer)
  if (!isObject(out)) return out
  if (texts?.[''] !== undefined) out.description = texts['']
  if (!isObject(out.properties)) return out
  for (const [field, value] of Object.entries(out.properties))
    if (isObject(value) && texts?.[field] !== undefined) value.description = texts[field]
  return { ...out, properties: withEnums(name, out.properties) }
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

/** Methods with their actions, on one object and on many. */
export const OPERATIONS = {
  one: [
    ['get', 'get'],
    ['put', 'put'],
    ['patch', 'patch'],
    ['delete', 'delete'],
  ],
  many: [
    ['get', 'list'],
    ['post', 'post'],
    ['delete', 'deletecollection'],
  ],
} as const

/** The path of a kind, as the documents write it. */
export function pathOfKind({ group, version, plural, isNamespaced }: Resource): string {
  return `/${group === '' ? 'api' : `apis/${group}`}/${version}${isNamespaced ? '/namespaces/{namespace}' : ''}/${plural}`
}

/** Descriptions of a package by definition and field. */
export function textsOf(group: string): Texts {
  return unpack<Texts>(DESCRIPTION_CHUNKS[group] ?? '')
}

/** Descriptions of the fields that every kind has. */
export function commonTexts(): CommonTexts {
  return (common ??= textsOf('io.k8s.api.core.v1').Pod ?? {})
}

let common: CommonTexts | undefined

function pathsOf(resource: Resource): JsonObject {
  const { group, version, kind } = resource
  const base = pathOfKind(resource)
  const gvk = { group, version, kind }
  const operation = (action: string): JsonObject => ({
    operationId: `${action}${kind}`,
    parameters: queryOf(action).map(inV3),
    responses: {
      200: {
        description: 'OK',
        content: { 'application/json': { schema: { $ref: `#/components/schemas/${nameOf(resource)}` } } },
      },
    },
    'x-kubernetes-action': action,
    'x-kubernetes-group-version-kind': gvk,
  })
  const { one, many } = OPERATIONS
  return {
    [base]: {
      ...Object.fromEntries(many.map(([method, action]) => [method, operation(action)])),
      parameters: placeOf(resource, false).map(inV3),
    },
    [`${base}/{name}`]: {
      ...Object.fromEntries(one.map(([method, action]) => [method, operation(action)])),
      parameters: placeOf(resource, true).map(inV3),
    },
  }
}

function inV3({ type, ...parameter }: Parameter): JsonObject {
  return { ...parameter, schema: { type, uniqueItems: true } }
}
