import { isObject, type Json, type JsonObject, objectOf } from '../../../../lib/kube/json.ts'

/** Fields of a schema, as the internal kind has them and in its order: Go's name, the name in JSON, and what stands there when there is nothing. */
const FIELDS: readonly (readonly [go: string, json: string, zero: Json])[] = [
  ['ID', 'id', ''],
  ['Schema', '$schema', ''],
  ['Ref', '$ref', null],
  ['Description', 'description', ''],
  ['Type', 'type', ''],
  ['Nullable', 'nullable', false],
  ['Format', 'format', ''],
  ['Title', 'title', ''],
  ['Default', 'default', null],
  ['Maximum', 'maximum', null],
  ['ExclusiveMaximum', 'exclusiveMaximum', false],
  ['Minimum', 'minimum', null],
  ['ExclusiveMinimum', 'exclusiveMinimum', false],
  ['MaxLength', 'maxLength', null],
  ['MinLength', 'minLength', null],
  ['Pattern', 'pattern', ''],
  ['MaxItems', 'maxItems', null],
  ['MinItems', 'minItems', null],
  ['UniqueItems', 'uniqueItems', false],
  ['MultipleOf', 'multipleOf', null],
  ['Enum', 'enum', null],
  ['MaxProperties', 'maxProperties', null],
  ['MinProperties', 'minProperties', null],
  ['Required', 'required', null],
  ['Items', 'items', null],
  ['AllOf', 'allOf', null],
  ['OneOf', 'oneOf', null],
  ['AnyOf', 'anyOf', null],
  ['Not', 'not', null],
  ['Properties', 'properties', null],
  ['AdditionalProperties', 'additionalProperties', null],
  ['PatternProperties', 'patternProperties', null],
  ['Dependencies', 'dependencies', null],
  ['AdditionalItems', 'additionalItems', null],
  ['Definitions', 'definitions', null],
  ['ExternalDocs', 'externalDocs', null],
  ['Example', 'example', null],
  ['XPreserveUnknownFields', 'x-kubernetes-preserve-unknown-fields', null],
  ['XEmbeddedResource', 'x-kubernetes-embedded-resource', false],
  ['XIntOrString', 'x-kubernetes-int-or-string', false],
  ['XListMapKeys', 'x-kubernetes-list-map-keys', null],
  ['XListType', 'x-kubernetes-list-type', null],
  ['XMapType', 'x-kubernetes-map-type', null],
  ['XValidations', 'x-kubernetes-validations', null],
]

/** What the root of a schema may have where status is a part of its own, in the server's words. */
const AT_ROOT = [
  ...['Description', 'Type', 'Format', 'Title', 'Maximum', 'ExclusiveMaximum', 'Minimum', 'ExclusiveMinimum'],
  ...['MaxLength', 'MinLength', 'Pattern', 'MaxItems', 'MinItems', 'UniqueItems', 'MultipleOf', 'Required', 'Items'],
  ...['Properties', 'ExternalDocs', 'Example', 'XPreserveUnknownFields', 'XValidations'],
]

/** Why a field may not stand at the root of a schema whose status is a part of its own. */
export const NOT_AT_ROOT = `only [${AT_ROOT.join(' ')}] fields are allowed at the root of the schema if the status subresource is enabled`

/** True when the root of a schema has no field that it may not have beside a status subresource. */
export function fitsBesideStatus(schema: JsonObject): boolean {
  return FIELDS.every(([go, json, zero]) => AT_ROOT.includes(go) || (schema[json] ?? zero) === zero)
}

/** A schema as the internal kind prints it. */
export function schemaText(schema: JsonObject): JsonObject {
  return Object.fromEntries(FIELDS.map(([go, json, zero]) => [go, printed(json, schema[json] ?? zero)]))
}

function printed(field: string, value: Json): Json {
  switch (field) {
    case 'allOf':
    case 'oneOf':
    case 'anyOf':
      return Array.isArray(value) ? value.map((each) => schemaText(objectOf(each))) : value
    case 'not':
      return isObject(value) ? schemaText(value) : value
    case 'items':
      return isObject(value) ? { Schema: schemaText(value), JSONSchemas: null } : value
    case 'properties':
    case 'patternProperties':
    case 'definitions':
      return isObject(value) ? schemasText(value) : value
    case 'additionalProperties':
    case 'additionalItems':
      if (typeof value === 'boolean') return { Allows: value, Schema: null }
      return isObject(value) ? { Allows: true, Schema: schemaText(value) } : value
    case 'x-kubernetes-validations':
      return Array.isArray(value) ? value.map((each) => ruleText(objectOf(each))) : value
    default:
      return value
  }
}

const schemasText = (schemas: JsonObject): JsonObject =>
  Object.fromEntries(
    Object.keys(schemas)
      .sort()
      .map((name) => [name, schemaText(objectOf(schemas[name]))]),
  )

/** A rule as the internal kind has it. */
export function ruleText(rule: JsonObject): JsonObject {
  return {
    Rule: rule.rule ?? '',
    Message: rule.message ?? '',
    MessageExpression: rule.messageExpression ?? '',
    Reason: rule.reason ?? null,
    FieldPath: rule.fieldPath ?? '',
    OptionalOldSelf: rule.optionalOldSelf ?? null,
  }
}
