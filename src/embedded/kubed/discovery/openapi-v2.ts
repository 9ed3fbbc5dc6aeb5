import { isObject, type Json, type JsonObject, listOf, stringOf } from '../../../lib/kube/json.ts'
import type { Resource } from '../resources/resource.ts'

/**
 * Writes an OpenAPI v2 document as the protobuf message `openapi.v2.Document` of gnostic.
 *
 * @see https://github.com/google/gnostic-models/blob/main/openapiv2/OpenAPIv2.proto (field numbers)
 */
export function writeOpenapiV2(definitions: Readonly<Record<string, Json>>, resources: readonly Resource[]): Buffer {
  return Buffer.concat([
    text(1, '2.0'),
    bytes(2, Buffer.concat([text(1, 'Kubernetes'), text(2, '1.37')])),
    bytes(8, Buffer.concat(resources.map(pathItem))),
    bytes(9, Buffer.concat(Object.entries(definitions).map(([name, schema]) => named(1, name, schemaMessage(schema))))),
  ])
}

function varint(value: number): Buffer {
  const out: number[] = []
  let rest = value
  while (rest > 127) {
    out.push((rest & 127) | 128)
    rest = Math.floor(rest / 128)
  }
  return Buffer.from([...out, rest])
}

const bytes = (field: number, content: Buffer): Buffer =>
  Buffer.concat([varint(field * 8 + 2), varint(content.length), content])
const text = (field: number, value: Json | undefined): Buffer =>
  typeof value === 'string' ? bytes(field, Buffer.from(value)) : Buffer.alloc(0)
const flag = (field: number, value: boolean): Buffer =>
  value ? Buffer.from([...varint(field * 8), 1]) : Buffer.alloc(0)
/** A NamedSchema and its like: 1 name, 2 value. */
const named = (field: number, name: string, value: Buffer): Buffer =>
  bytes(field, Buffer.concat([text(1, name), bytes(2, value)]))

/** Extensions are NamedAny: the value is an Any whose second field is YAML. */
const extensions = (field: number, schema: JsonObject): Buffer =>
  Buffer.concat(
    Object.entries(schema)
      .filter(([key]) => key.startsWith('x-'))
      .map(([key, value]) => named(field, key, text(2, JSON.stringify(value)))),
  )

function schemaMessage(schema: Json | undefined): Buffer {
  if (!isObject(schema)) return Buffer.alloc(0)
  const { additionalProperties: extra, items, properties } = schema
  return Buffer.concat([
    text(1, schema.$ref),
    text(2, schema.format),
    text(4, schema.description),
    ...listOf(schema.required).map((name) => text(19, stringOf(name))),
    extra === undefined || extra === false
      ? Buffer.alloc(0)
      : bytes(21, extra === true ? flag(2, true) : bytes(1, schemaMessage(extra))),
    typeof schema.type === 'string' ? bytes(22, text(1, schema.type)) : Buffer.alloc(0),
    items === undefined ? Buffer.alloc(0) : bytes(23, bytes(1, schemaMessage(items))),
    isObject(properties)
      ? bytes(
          25,
          Buffer.concat(Object.entries(properties).map(([name, value]) => named(1, name, schemaMessage(value)))),
        )
      : Buffer.alloc(0),
    extensions(31, schema),
  ])
}

/** A query parameter: ParametersItem 1 parameter, 2 non-body, 3 query. */
const query = (name: string): Buffer =>
  bytes(8, bytes(1, bytes(2, bytes(3, Buffer.concat([text(2, 'query'), text(4, name)])))))

function pathItem(resource: Resource): Buffer {
  const { group, version, kind, plural, isNamespaced } = resource
  const path = `${group === '' ? '/api' : `/apis/${group}`}/${version}${isNamespaced ? '/namespaces/{namespace}' : ''}/${plural}/{name}`
  const patch = Buffer.concat([
    text(5, `patch${kind}`),
    query('dryRun'),
    query('fieldManager'),
    query('fieldValidation'),
    extensions(13, { 'x-kubernetes-action': 'patch', 'x-kubernetes-group-version-kind': { group, version, kind } }),
  ])
  return named(2, path, bytes(8, patch))
}
