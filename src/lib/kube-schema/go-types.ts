import type { FieldType } from './schema.ts'
import { isObject, type Json, type JsonObject, listOf, objectOf } from '../kube/json.ts'
import { own } from '../value/own.ts'
import { EMBEDDED_STRUCTS, FIELD_ORDER, INTERNAL_TYPES, SERVED_TYPES } from './data/go-types.ts'
import { definitionType } from './builtin.ts'
import { unpack } from './unpack.ts'

/** Go's name of a field, its name in JSON, how it is written, and of what type it is. */
type Field = readonly [go: string, json: string, code: string, type?: string]

/** By package, kind and field. */
type Texts = Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, string>>>>>>

/** By the full name of a definition, and field: every field of every object is asked for. */
type Found = ReadonlyMap<string, Readonly<Record<string, string>>>

let served: Found | undefined
let embedded: Found | undefined
let order: Readonly<Record<string, Readonly<Record<string, string>>>> | undefined
let internal: Readonly<Record<string, readonly Field[]>> | undefined

/** The Go type of a field as Go names it in errors, where the OpenAPI document does not tell: `v1.SecretType`. */
export function goTypeOf(definition: string | undefined, field: string): string | undefined {
  if (definition === undefined) return undefined
  served ??= byDefinition(unpack<Texts>(SERVED_TYPES))
  // Where a package is imported by another name, Go prints its own.
  return served.get(definition)?.[field]?.replace(/\bapiv1\./, 'v1.')
}

/** The struct without a name in which Go has the field, with a dot: `VolumeSource.`; '' for most. */
export function embedderOf(definition: string | undefined, field: string): string {
  if (definition === undefined) return ''
  embedded ??= byDefinition(unpack<Texts>(EMBEDDED_STRUCTS))
  return embedded.get(definition)?.[field] ?? ''
}

function byDefinition(texts: Texts): Found {
  return new Map(
    Object.entries(texts).flatMap(([name, kinds]) =>
      Object.entries(kinds).map(([kind, fields]) => [`${name}.${kind}`, fields] as const),
    ),
  )
}

const SCHEMA = 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps'
/** What stands in a schema where a list of schemas, or a boolean, may stand too. */
const MAYBE_SCHEMA: Readonly<Record<string, 'array' | 'boolean'>> = {
  [`${SCHEMA}OrArray`]: 'array',
  [`${SCHEMA}OrBool`]: 'boolean',
}

/** The type of the schema that may stand in a field, and what may stand there else; undefined for all other fields. */
export function schemaWithin(
  declared: FieldType | undefined,
): { readonly type: FieldType; readonly or: 'array' | 'boolean' } | undefined {
  const or = declared?.name === undefined ? undefined : own(MAYBE_SCHEMA, declared.name)
  const type = or === undefined ? undefined : definitionType(SCHEMA)
  return or === undefined || type === undefined ? undefined : { type, or }
}
/** Of a type whose source lies apart from the others. @see k8s.io/apiextensions-apiserver types_jsonschema.go */
const SCHEMA_FIELDS = [
  ...['id', '$schema', '$ref', 'description', 'type', 'format', 'title', 'default'],
  ...['maximum', 'exclusiveMaximum', 'minimum', 'exclusiveMinimum', 'maxLength', 'minLength', 'pattern'],
  ...['maxItems', 'minItems', 'uniqueItems', 'multipleOf', 'enum', 'maxProperties', 'minProperties', 'required'],
  ...['items', 'allOf', 'oneOf', 'anyOf', 'not', 'properties', 'additionalProperties', 'patternProperties'],
  ...['dependencies', 'additionalItems', 'definitions', 'externalDocs', 'example', 'nullable'],
  ...['preserve-unknown-fields', 'embedded-resource', 'int-or-string', 'list-map-keys', 'list-type'].map(xOf),
  ...['map-type', 'validations'].map(xOf),
]

function xOf(name: string): string {
  return `x-kubernetes-${name}`
}

/** A value with its fields in the order in which Go writes them; keys of maps by name. */
export function inGoOrder(declared: FieldType | undefined, value: Json): Json {
  const type = schemaWithin(declared)?.type ?? declared
  if (Array.isArray(value)) return value.map((item) => inGoOrder(type?.element, item))
  if (!isObject(value)) return value
  const names = type?.name === undefined ? [] : fieldsOf(type.name)
  const rank = (name: string): number => (names.includes(name) ? names.indexOf(name) : names.length)
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => rank(a) - rank(b) || (a < b ? -1 : 1))
      .map(([name, field]) => [name, field === undefined ? undefined : inGoOrder(type?.child(name), field)]),
  )
}

function fieldsOf(definition: string): readonly string[] {
  if (definition === SCHEMA) return SCHEMA_FIELDS
  order ??= unpack<NonNullable<typeof order>>(FIELD_ORDER)
  const dot = definition.lastIndexOf('.')
  return order[definition.slice(0, dot)]?.[definition.slice(dot + 1)]?.split(' ') ?? []
}

/**
 * A value as the API server's own type prints it: every field, by Go's name, in Go's order.
 * @param type `core/PodSpec`
 */
export function internalForm(type: string, value: JsonObject): JsonObject {
  internal ??= unpack<NonNullable<typeof internal>>(INTERNAL_TYPES)
  const out: JsonObject = {}
  for (const field of internal[type] ?? []) writeField(field, value, out)
  return out
}

function writeField([go, json, code, type = '']: Field, holder: JsonObject, out: JsonObject): void {
  switch (code) {
    case 'E':
      Object.assign(out, internalForm(type, holder))
      return
    case 'O':
      Object.assign(out, byName(holder.metadata ?? {}, fieldsOf(OBJECT_META)))
      return
    case 'T':
      // Internal objects forget what they are called.
      return
    default:
      out[go] = written(code, type, holder[json])
  }
}

function written(code: string, type: string, value: Json | undefined): Json {
  switch (code) {
    case 'S':
      return internalForm(type, objectOf(value))
    case 'P':
      return isObject(value) ? internalForm(type, value) : null
    case 'L':
      return Array.isArray(value) ? listOf(value).map((item) => internalForm(type, objectOf(item))) : null
    case 'M':
      return isObject(value)
        ? Object.fromEntries(
            Object.keys(value)
              .sort()
              .map((key) => [key, internalForm(type, objectOf(value[key]))]),
          )
        : null
    default:
      return isObject(value) ? byName(value, []) : (value ?? ZEROS[code] ?? null)
  }
}

const OBJECT_META = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta'

/** A map, and the maps in it, by name; some names come first. Kinds that all groups share leave out what is empty. */
function byName(value: Json, first: readonly string[]): Json {
  if (!isObject(value)) return value
  const names = Object.keys(value)
    .filter((name) => !isEmpty(value[name]))
    .sort()
  const ordered = [...first.filter((name) => names.includes(name)), ...names.filter((name) => !first.includes(name))]
  return Object.fromEntries(ordered.map((name) => [name, byName(value[name] ?? null, [])]))
}

const isEmpty = (value: Json | undefined): boolean =>
  typeof value === 'object' && value !== null && Object.keys(value).length === 0

/** What a field has that is not there. */
const ZEROS: Readonly<Record<string, Json>> = { s: '', n: 0, b: false, q: '0', x: {} }
