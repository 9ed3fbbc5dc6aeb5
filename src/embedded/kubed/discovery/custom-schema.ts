import { equal, isObject, type Json, type JsonObject, listOf, objectOf, stringOf } from '../../../lib/kube/json.ts'
import type { Resource } from '../resources/resource.ts'

/** The definition of the metadata of every object. */
export const META = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta'

/** What `kubectl explain` says of the fields that every kind has: `apiVersion`, `kind`, `metadata`. */
export type CommonTexts = Readonly<Record<string, string>>

/** The schema of a custom resource in an OpenAPI v3 document. */
export function customSchemaV3(resource: Resource, texts: CommonTexts): JsonObject {
  const { custom } = resource
  const schema = isObject(custom?.schema) ? unfold(structuredClone(custom.schema)) : undefined
  const metadata = { description: texts.metadata, allOf: [{ $ref: `#/components/schemas/${META}` }] }
  return { ...(schema === undefined ? { type: 'object' } : withCommon(schema, texts, metadata)), ...marksOf(resource) }
}

const EITHER: Json = [{ type: 'integer' }, { type: 'string' }]

/**
 * Has what may be a number or a text say so in words that everybody knows. In place.
 *
 * @see k8s.io/apiextensions-apiserver/pkg/apiserver/schema/unfold.go
 */
function unfold(schema: JsonObject): JsonObject {
  const below = [schema.items, schema.additionalProperties, ...Object.values(objectOf(schema.properties))]
  for (const each of below) if (isObject(each)) unfold(each)
  if (schema['x-kubernetes-int-or-string'] !== true) return schema
  const all = listOf(schema.allOf)
  const isSaid = (part: Json | undefined): boolean => isObject(part) && equal(part.anyOf, EITHER)
  if (isSaid(schema) || isSaid(all[0])) return schema
  if (schema.anyOf === undefined) schema.anyOf = structuredClone(EITHER)
  else schema.allOf = [{ anyOf: structuredClone(EITHER) }, ...all]
  return schema
}

/**
 * The same in a v2 document, which has no words for nullable, unknown fields and alternatives: where they are, anything goes.
 *
 * @see k8s.io/apiextensions-apiserver/pkg/controller/openapi/v2/conversion.go
 */
export function customSchemaV2(resource: Resource, texts: CommonTexts): JsonObject {
  const { custom } = resource
  const schema = isObject(custom?.schema) ? custom.schema : undefined
  if (schema === undefined || schema['x-kubernetes-preserve-unknown-fields'] === true)
    return { type: 'object', ...marksOf(resource) }
  const metadata = { description: texts.metadata, $ref: `#/definitions/${META}` }
  return { ...withCommon(plainer(schema), texts, metadata), ...marksOf(resource) }
}

function marksOf({ group, version, kind, custom }: Resource): JsonObject {
  const selectable = (custom?.selectable ?? []).map((fieldPath) => ({ fieldPath }))
  return {
    'x-kubernetes-group-version-kind': [{ group, version, kind }],
    ...(selectable.length > 0 && { 'x-kubernetes-selectable-fields': selectable }),
  }
}

function withCommon(schema: JsonObject, texts: CommonTexts, metadata: JsonObject): JsonObject {
  const text = (name: string): JsonObject => ({ type: 'string', description: texts[name] })
  const properties = isObject(schema.properties) ? schema.properties : {}
  return { ...schema, properties: { ...properties, apiVersion: text('apiVersion'), kind: text('kind'), metadata } }
}

function plainer(schema: JsonObject): JsonObject {
  const { allOf: _all, oneOf: _one, anyOf: _any, not: _not, nullable, ...out } = schema
  const preserves = out['x-kubernetes-preserve-unknown-fields'] === true
  if (nullable === true || preserves) {
    delete out.items
    delete out.properties
  }
  if (nullable === true || (out.type === 'array' && out.items === undefined) || (preserves && out.type === 'object'))
    delete out.type
  const { properties, items, additionalProperties } = out
  if (isObject(properties)) {
    out.properties = Object.fromEntries(Object.entries(properties).map(([name, each]) => [name, below(each)]))
    const required = listOf(out.required).filter((name) => !isNullable(properties[stringOf(name)]))
    if (required.length === 0) delete out.required
    else out.required = required
  }
  if (items !== undefined) out.items = below(items)
  if (isNullable(additionalProperties)) delete out.required
  if (additionalProperties !== undefined) out.additionalProperties = below(additionalProperties)
  return out
}

const isNullable = (schema: Json | undefined): boolean => isObject(schema) && schema.nullable === true

const below = (schema: Json | undefined): Json | undefined => (isObject(schema) ? plainer(schema) : schema)
