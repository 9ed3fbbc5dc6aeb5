import {
  equal,
  isObject,
  type Json,
  type JsonObject,
  objectOf,
  objectsOf,
  stringOf,
} from '../../../../lib/kube/json.ts'
import type { FieldError } from '../../fault.ts'
import { forbid, invalidValue, required } from '../fault-list.ts'
import { patternFault } from '../custom/pattern.ts'

type Level = 'root' | 'item' | 'field'

const NO_TYPE: Readonly<Record<Level, string>> = {
  root: 'must not be empty at the root',
  item: 'must not be empty for specified array items',
  field: 'must not be empty for specified object fields',
}
const INT_OR_STRING = [{ type: 'integer' }, { type: 'string' }]
/** What only the structure itself may say, and how the server names the fault. */
const FORBIDDEN: readonly (readonly [field: string, why: string])[] = [
  ['type', 'must be empty to be structural'],
  ['additionalProperties', 'must be undefined to be structural'],
  ['default', 'must be undefined to be structural'],
  ['title', 'must be empty to be structural'],
  ['description', 'must be empty to be structural'],
  ['nullable', 'must be false to be structural'],
  ['x-kubernetes-preserve-unknown-fields', 'must be false to be structural'],
  ['x-kubernetes-embedded-resource', 'must be false to be structural'],
  ['x-kubernetes-int-or-string', 'must be false to be structural'],
  ['x-kubernetes-list-map-keys', 'must be empty to be structural'],
  ['x-kubernetes-list-type', 'must be undefined to be structural'],
  ['x-kubernetes-map-type', 'must be undefined to be structural'],
  ['x-kubernetes-validations', 'must be empty to be structural'],
]

/** Faults of the structure of a schema. @see k8s.io/apiextensions-apiserver/pkg/apiserver/schema validation.go */
export function checkStructure(schema: JsonObject, level: Level, path: string, errors: FieldError[]): void {
  const { type, items, properties, additionalProperties } = schema
  if (type === 'array' && (items === undefined || (Array.isArray(items) && items.length === 0)))
    required(errors, `${path}.items`, 'must be specified')
  if (isObject(items)) checkStructure(items, 'item', `${path}.items`, errors)
  for (const [name, child] of Object.entries(objectOf(properties)))
    if (name !== 'metadata' || level !== 'root')
      checkStructure(objectOf(child), 'field', `${path}.properties[${name}]`, errors)
  if (additionalProperties !== undefined && level === 'root')
    forbid(errors, `${path}.additionalProperties`, 'must not be used at the root')
  if (isObject(additionalProperties))
    checkStructure(additionalProperties, 'field', `${path}.additionalProperties`, errors)
  checkExtensions(schema, level, path, errors)
  checkValues(schema, path, errors)
  const isResource = level === 'root' || schema['x-kubernetes-embedded-resource'] === true
  if (level === 'root' && stringOf(type) !== '' && type !== 'object')
    invalidValue(errors, `${path}.type`, type, 'must be object at the root')
  const fields = objectOf(properties)
  for (const name of ['kind', 'apiVersion'])
    if (isResource && fields[name] !== undefined && objectOf(fields[name]).type !== 'string')
      invalidValue(errors, `${path}.properties[${name}].type`, stringOf(objectOf(fields[name]).type), 'must be string')
  if (isResource && isObject(fields.metadata))
    checkMetadata(fields.metadata, level, `${path}.properties[metadata]`, errors)
  if (level === 'root') checkCompleteness(schema, schema, path, path, errors)
}

function checkExtensions(schema: JsonObject, level: Level, path: string, errors: FieldError[]): void {
  const isIntOrString = schema['x-kubernetes-int-or-string'] === true
  const preserves = schema['x-kubernetes-preserve-unknown-fields'] === true
  const isEmbedded = schema['x-kubernetes-embedded-resource'] === true
  const why = 'must be false if x-kubernetes-int-or-string is true'
  if (isIntOrString && preserves) invalidValue(errors, `${path}.x-kubernetes-preserve-unknown-fields`, true, why)
  if (isIntOrString && isEmbedded) invalidValue(errors, `${path}.x-kubernetes-embedded-resource`, true, why)
  const type = stringOf(schema.type)
  const wanted = 'must be object if x-kubernetes-embedded-resource is true'
  if (isEmbedded && type === '') required(errors, `${path}.type`, wanted)
  else if (isEmbedded && type !== 'object') invalidValue(errors, `${path}.type`, type, wanted)
  else if (type === '' && !isIntOrString && !preserves) required(errors, `${path}.type`, NO_TYPE[level])
  if (isEmbedded && schema.additionalProperties !== undefined)
    forbid(errors, `${path}.additionalProperties`, 'must not be used if x-kubernetes-embedded-resource is set')
  if (isEmbedded && !preserves && Object.keys(objectOf(schema.properties)).length === 0)
    required(
      errors,
      `${path}.properties`,
      'must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields',
    )
}

function checkMetadata(metadata: JsonObject, level: Level, path: string, errors: FieldError[]): void {
  const { type, properties, description: _description, ...others } = metadata
  if (type !== 'object') invalidValue(errors, `${path}.type`, stringOf(type), 'must be object')
  const isPlain = Object.keys(objectOf(properties)).every((name) => name === 'name' || name === 'generateName')
  if (level === 'root' && (!isPlain || Object.keys(others).some((field) => field !== 'default')))
    forbid(
      errors,
      path,
      'must not specify anything other than name and generateName, but metadata is implicitly specified',
    )
}

function checkValues(schema: JsonObject, path: string, errors: FieldError[]): void {
  for (const list of ['anyOf', 'allOf', 'oneOf']) {
    const parts = objectsOf(schema[list])
    if (list === 'anyOf' && equal(parts, INT_OR_STRING)) continue
    parts.forEach((part, index) => {
      const skips = list === 'allOf' && index === 0 && equal(part.anyOf, INT_OR_STRING)
      checkNested(skips ? { ...part, anyOf: undefined } : part, `${path}.${list}[${index}]`, errors)
    })
  }
  if (isObject(schema.not)) checkNested(schema.not, `${path}.not`, errors)
  const pattern = stringOf(schema.pattern)
  const why = pattern === '' ? undefined : patternFault(pattern)
  if (why !== undefined)
    invalidValue(errors, `${path}.pattern`, pattern, `must be a valid regular expression, but isn't: ${why}`)
}

function checkNested(part: JsonObject, path: string, errors: FieldError[]): void {
  checkValues(part, path, errors)
  if (isObject(part.items)) checkNested(part.items, `${path}.items`, errors)
  for (const [name, child] of Object.entries(objectOf(part.properties)))
    checkNested(objectOf(child), `${path}.properties[${name}]`, errors)
  for (const [field, why] of FORBIDDEN) {
    const value = part[field]
    const isEmpty = value === undefined || value === false || value === '' || (Array.isArray(value) && !value.length)
    if (!isEmpty) forbid(errors, `${path}.${field}`, why)
  }
  if (objectOf(part.properties).metadata !== undefined)
    forbid(errors, `${path}.properties[metadata]`, 'must not be specified in a nested context')
}

/** Of what the parts of the root speak, the structure must have; what parts further down speak of is never looked for. */
function checkCompleteness(part: JsonObject, schema: JsonObject, path: string, at: string, errors: FieldError[]): void {
  if (isObject(part.not)) checkPart(part.not, schema, path, `${at}.not`, errors)
  for (const list of ['allOf', 'anyOf', 'oneOf'])
    objectsOf(part[list]).forEach((each, index) => checkPart(each, schema, path, `${at}.${list}[${index}]`, errors))
}

/** A part stands at `at`, and the structure of which it speaks at `path`. */
function checkPart(part: JsonObject, schema: JsonObject, path: string, at: string, errors: FieldError[]): void {
  checkCompleteness(part, schema, path, at, errors)
  const below = (child: Json | undefined, known: Json | undefined, step: string): void => {
    if (!isObject(child)) return
    if (isObject(known)) checkPart(child, known, `${path}.${step}`, `${at}.${step}`, errors)
    else required(errors, `${path}.${step}`, `because it is defined in ${at}.${step}`)
  }
  below(part.items, schema.items, 'items')
  for (const [name, child] of Object.entries(objectOf(part.properties)))
    below(child, objectOf(schema.properties)[name], `properties[${name}]`)
}
