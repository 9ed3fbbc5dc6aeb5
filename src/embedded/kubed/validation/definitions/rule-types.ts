import type { CelScope } from '../../../../lib/cel/compile.ts'
import { isObject, type JsonObject, objectOf, stringOf } from '../../../../lib/kube/json.ts'

const SCALARS: Readonly<Record<string, string>> = {
  integer: 'int',
  number: 'double',
  string: 'string',
  boolean: 'bool',
}
/** Texts in these formats are more than texts. */
const FORMATS: Readonly<Record<string, string>> = {
  'date-time': 'google.protobuf.Timestamp',
  date: 'google.protobuf.Timestamp',
  duration: 'google.protobuf.Duration',
  byte: 'bytes',
}
/** Of metadata a rule sees the name alone. */
const META: JsonObject = {
  apiVersion: { type: 'string' },
  kind: { type: 'string' },
  metadata: { type: 'object', properties: { name: { type: 'string' }, generateName: { type: 'string' } } },
}
/** Words that no field can be called by in an expression. */
const RESERVED = new Set([
  ...['true', 'false', 'null', 'in', 'as', 'break', 'const', 'continue', 'else', 'for', 'function', 'if', 'import'],
  ...['let', 'loop', 'package', 'namespace', 'return', 'var', 'void', 'while'],
])
const ESCAPES: readonly (readonly [RegExp, string])[] = [
  [/__/g, '__underscores__'],
  [/\./g, '__dot__'],
  [/-/g, '__dash__'],
  [/\//g, '__slash__'],
]

/**
 * What a rule of a schema may speak of: `self`, and `oldSelf` as it was, with their types.
 *
 * @param isRoot true for the schema of the whole object
 * @param hasOldSelf false where `oldSelf` need not be there
 * @see https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#validation-rules
 */
export function ruleScope(schema: JsonObject, isRoot: boolean, hasOldSelf: boolean): CelScope {
  const structs: Record<string, Record<string, string>> = {}
  const self = typeText(isRoot ? withMeta(schema) : schema, 'object', structs)
  return { variables: { self, oldSelf: hasOldSelf ? self : `optional<${self}>` }, structs }
}

const withMeta = (schema: JsonObject): JsonObject => ({
  ...schema,
  properties: { ...objectOf(schema.properties), ...META },
})

function typeText(schema: JsonObject, name: string, structs: Record<string, Record<string, string>>): string {
  const { type, items, additionalProperties, properties } = schema
  if (schema.nullable === true || schema['x-kubernetes-int-or-string'] === true) return 'dyn'
  if (type === 'array') return `list<${isObject(items) ? typeText(items, `${name}.@idx`, structs) : 'dyn'}>`
  if (type === 'string') return FORMATS[stringOf(schema.format)] ?? 'string'
  if (type !== 'object') return SCALARS[stringOf(type)] ?? 'dyn'
  if (isObject(additionalProperties)) return `map<string, ${typeText(additionalProperties, `${name}.@elem`, structs)}>`
  if (!isObject(properties) || schema['x-kubernetes-preserve-unknown-fields'] === true) return 'dyn'
  const isWhole = schema['x-kubernetes-embedded-resource'] === true
  structs[name] = structOf(objectOf((isWhole ? withMeta(schema) : schema).properties), name, structs)
  return name
}

function structOf(
  properties: JsonObject,
  name: string,
  structs: Record<string, Record<string, string>>,
): Record<string, string> {
  const fields: Record<string, string> = {}
  for (const [property, schema] of Object.entries(properties)) {
    const field = escaped(property)
    if (field !== undefined) fields[field] = typeText(objectOf(schema), `${name}.${field}`, structs)
  }
  return fields
}

/** The name of a field in an expression; undefined where it has none. */
function escaped(property: string): string | undefined {
  if (RESERVED.has(property)) return `__${property}__`
  const name = ESCAPES.reduce((text, [from, to]) => text.replace(from, to), property)
  return /^[A-Za-z_]\w*$/.test(name) ? name : undefined
}
