import {
  isObject,
  type Json,
  type JsonObject,
  listOf,
  objectOf,
  objectsOf,
  sorted,
  stringOf,
} from '../../../../lib/kube/json.ts'
import { type FieldType, type Schema, typeOf } from '../../../../lib/kube-schema/schema.ts'
import { wasGivenEmpty } from '../../decoding/emptied.ts'
import { hasUnknownFields } from '../../decoding/custom.ts'
import type { FieldError } from '../../fault.ts'
import { validateCustomValue } from '../custom/custom.ts'
import { forbid, invalidValue, push, required, unsupported } from '../fault-list.ts'
import { checkRule, checkRuleText } from './rule-checks.ts'
import { RuleCosts } from './rule-costs.ts'
import { ruleScopeOf } from './rule-types.ts'
import { fitsBesideStatus, NOT_AT_ROOT, schemaText } from './schema-text.ts'
import { checkStructure } from './structural-checks.ts'

const TYPES = ['array', 'boolean', 'integer', 'number', 'object', 'string']
/** Keywords of JSON Schema that the server does not know, in its order. */
const UNKNOWN = ['id', 'additionalItems', 'patternProperties', 'definitions', 'dependencies', '$ref'] as const
const META = ['metadata', 'apiVersion', 'kind']

/** Faults of a schema of a definition: structure first; defaults and rules when that is sound. */
export function validateSchema(schema: JsonObject, path: string, hasStatus: boolean, errors: FieldError[]): void {
  if (hasStatus) checkBesideStatus(schema, path, errors)
  if (schema.nullable === true) forbid(errors, `${path}.nullable`, 'nullable cannot be true at the root')
  const structural: FieldError[] = []
  checkStructure(schema, 'root', path, structural)
  structural.sort((a, b) => (text(a) < text(b) ? -1 : 1))
  const isKnown = !hasUnknown(schema)
  if (isKnown) append(errors, structural)
  const isSound = isKnown && structural.length === 0
  const faults: FieldError[] = []
  // The root is a resource.
  if (isSound) checkDefaults({ ...schema, 'x-kubernetes-embedded-resource': true }, path, faults)
  append(errors, faults)
  const costs = new RuleCosts()
  const compiles = isSound && faults.length === 0
  const found = checkSchema(schema, path, { isRoot: true, compiles, instances: 1, costs })
  for (const more of [found.schema, found.rules, costs.faults(path)]) append(errors, more)
}

/** One by one, as a call takes no more than some hundred thousand arguments. */
function append(errors: FieldError[], more: readonly FieldError[]): void {
  for (const error of more) errors.push(error)
}

function checkBesideStatus(schema: JsonObject, path: string, errors: FieldError[]): void {
  if (!fitsBesideStatus(schema)) invalidValue(errors, path, schemaText(schema), NOT_AT_ROOT)
  else if (stringOf(schema.type) !== '' && schema.type !== 'object')
    invalidValue(
      errors,
      `${path}.type`,
      schema.type ?? '',
      'only "object" is allowed as the type at the root of the schema if the status subresource is enabled',
    )
}

const text = ({ field, message }: FieldError): string => `${field}: ${message}`

/** Of keywords that are given empty the server sees this one alone. */
const isTold = (schema: JsonObject, field: string): boolean =>
  schema[field] !== undefined || (field === 'dependencies' && wasGivenEmpty(schema, field))

/** With keywords that it does not know the server makes no structure at all. */
function hasUnknown(schema: JsonObject): boolean {
  return (
    UNKNOWN.some((field) => isTold(schema, field)) ||
    (Array.isArray(schema.items) && schema.items.length > 0) ||
    Object.values(objectOf(schema.properties)).some((each) => hasUnknown(objectOf(each))) ||
    (isObject(schema.items) && hasUnknown(schema.items)) ||
    (isObject(schema.additionalProperties) && hasUnknown(schema.additionalProperties))
  )
}

/** What is known of the place of a schema: `instances` is how many there are of it in an object at most, where the schemas above say so. */
type Place = {
  readonly isRoot: boolean
  /** True where rules are compiled. */
  readonly compiles: boolean
  readonly instances: number | undefined
  /** The part below which nothing is known of what was. */
  readonly uncorrelated?: string
  readonly costs: RuleCosts
}

/** Faults of a schema and those below it; rules come last, and only where the rest is without fault. */
type Found = { readonly schema: FieldError[]; readonly rules: FieldError[] }

function checkSchema(schema: JsonObject, path: string, place: Place): Found {
  const found: Found = { schema: [], rules: [] }
  const errors = found.schema
  checkKeywords(schema, path, errors)
  if (schema.uniqueItems === true)
    forbid(
      errors,
      `${path}.uniqueItems`,
      'uniqueItems cannot be set to true since the runtime complexity becomes quadratic',
    )
  checkBelow(schema, path, place, found)
  if (schema['x-kubernetes-preserve-unknown-fields'] === false)
    invalidValue(errors, `${path}.x-kubernetes-preserve-unknown-fields`, false, 'must be true or undefined')
  checkMapType(schema, path, errors)
  checkListType(schema, path, errors)
  const rules = objectsOf(schema['x-kubernetes-validations'])
  const at = (index: number): string => `${path}.x-kubernetes-validations[${index}]`
  rules.forEach((rule, index) => checkRuleText(rule, schema, at(index), errors))
  if (!place.compiles || errors.length > 0 || rules.length === 0) return found
  const scope = ruleScopeOf(schema, place.isRoot || schema['x-kubernetes-embedded-resource'] === true)
  if (scope !== undefined) rules.forEach((rule, index) => checkRule(rule, at(index), { ...place, scope }, found.rules))
  return found
}

function checkBelow(schema: JsonObject, path: string, place: Place, found: Found): void {
  const instances = place.instances === undefined ? undefined : instancesBelow(schema, place.instances)
  const inside: Place = { ...place, isRoot: false, instances }
  const add = (child: JsonObject, at: string, where: Place): void => {
    const { schema: faults, rules } = checkSchema(child, at, where)
    append(found.schema, faults)
    append(found.rules, rules)
  }
  const { additionalProperties: extra, items } = schema
  const properties = Object.entries(objectOf(schema.properties))
  if (extra !== undefined && extra !== true && properties.length > 0)
    forbid(found.schema, `${path}.additionalProperties`, 'additionalProperties and properties are mutual exclusive')
  if (isObject(extra)) add(extra, `${path}.additionalProperties`, inside)
  for (const [name, child] of properties) {
    const at = `${path}.properties[${name}]`
    if (place.isRoot && META.includes(name) && objectOf(child).default !== undefined)
      forbid(found.schema, `${at}.default`, `must not be set in top-level ${name}`)
    if (isObject(child)) add(child, at, inside)
  }
  const bare: Place = { ...inside, compiles: false }
  if (isObject(schema.not)) add(schema.not, `${path}.not`, bare)
  for (const list of ['allOf', 'oneOf', 'anyOf'])
    objectsOf(schema[list]).forEach((each, index) => add(each, `${path}.${list}[${index}]`, bare))
  if (!isObject(items)) return
  // Of a list without keys nobody can tell which item was which.
  const hasKeys = schema['x-kubernetes-list-type'] === 'map'
  const uncorrelated = place.uncorrelated ?? (hasKeys ? undefined : path)
  add(items, `${path}.items`, uncorrelated === undefined ? inside : { ...inside, uncorrelated })
}

/** How often a schema inside a list or map may be there. */
function instancesBelow(schema: JsonObject, instances: number): number | undefined {
  const isMap = schema.type === 'object' && schema.additionalProperties !== undefined
  if (!isMap && schema.type !== 'array') return instances
  const most = isMap ? schema.maxProperties : schema.maxItems
  return typeof most === 'number' ? instances * Math.max(0, most) : undefined
}

function checkKeywords(schema: JsonObject, path: string, errors: FieldError[]): void {
  const type = stringOf(schema.type)
  if (type !== '' && !TYPES.includes(type)) unsupported(errors, `${path}.type`, type, TYPES)
  for (const field of UNKNOWN)
    if (isTold(schema, field)) forbid(errors, `${path}.${field}`, `${field} is not supported`)
  if (type === 'null') forbid(errors, `${path}.type`, 'type cannot be set to null, use nullable as an alternative')
  if (Array.isArray(schema.items) && schema.items.length > 0)
    forbid(errors, `${path}.items`, 'items must be a schema object and not an array')
}

function checkMapType(schema: JsonObject, path: string, errors: FieldError[]): void {
  const kind = schema['x-kubernetes-map-type']
  if (kind === undefined) return
  mustBe(schema, 'object', 'x-kubernetes-map-type', path, errors)
  if (kind !== 'atomic' && kind !== 'granular')
    unsupported(errors, `${path}.x-kubernetes-map-type`, kind, ['atomic', 'granular'])
}

function mustBe(schema: JsonObject, type: string, extension: string, path: string, errors: FieldError[]): void {
  const why = `must be ${type} if ${extension} is specified`
  if (stringOf(schema.type) === '') required(errors, `${path}.type`, why)
  else if (schema.type !== type) invalidValue(errors, `${path}.type`, schema.type, why)
}

function checkListType(schema: JsonObject, path: string, errors: FieldError[]): void {
  const kind = schema['x-kubernetes-list-type']
  const keys = listOf(schema['x-kubernetes-list-map-keys'])
  const items = isObject(schema.items) ? schema.items : undefined
  const at = `${path}.x-kubernetes-list-type`
  if (kind !== undefined) mustBe(schema, 'array', 'x-kubernetes-list-type', path, errors)
  if (kind === 'set' && items !== undefined && schema.type === 'array') checkSetItems(items, path, errors)
  if (kind !== undefined && kind !== 'atomic' && kind !== 'set' && kind !== 'map')
    unsupported(errors, at, kind, ['atomic', 'set', 'map'])
  const nonEmpty = 'must be map if x-kubernetes-list-map-keys is non-empty'
  if (keys.length > 0 && kind === undefined) required(errors, at, nonEmpty)
  else if (keys.length > 0 && kind !== 'map') invalidValue(errors, at, kind, nonEmpty)
  if (kind === 'map') checkMapKeys(items, keys, path, errors)
  if (items !== undefined && (kind === 'map' || kind === 'set')) checkNulls(items, kind, keys, path, errors)
}

/** What is told apart by a value has one; a key that is there by default or not at all would have none. */
function checkNulls(items: JsonObject, kind: string, keys: readonly Json[], path: string, errors: FieldError[]): void {
  if (items.nullable === true)
    forbid(errors, `${path}.items.nullable`, `cannot be nullable when x-kubernetes-list-type is ${kind}`)
  const properties = objectOf(items.properties)
  for (const key of kind === 'map' ? keys.map(stringOf) : []) {
    const property = properties[key]
    const at = `${path}.items.properties[${key}]`
    if (!isObject(property)) continue
    if (property.default === undefined && !listOf(items.required).includes(key))
      required(
        errors,
        `${at}.default`,
        'this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property',
      )
    if (property.nullable === true)
      forbid(errors, `${at}.nullable`, 'this property is in x-kubernetes-list-map-keys, so it cannot be nullable')
  }
}

function checkSetItems(items: JsonObject, path: string, errors: FieldError[]): void {
  const why = 'must be atomic as item of a list with x-kubernetes-list-type=set'
  const [list, map] = [items['x-kubernetes-list-type'], items['x-kubernetes-map-type']]
  if (items.type === 'array' && list !== undefined && list !== 'atomic')
    invalidValue(errors, `${path}.items.x-kubernetes-list-type`, list, why)
  // The real server prints the other field's value here.
  if (items.type === 'object' && map !== 'atomic')
    invalidValue(errors, `${path}.items.x-kubernetes-map-type`, list, why)
}

function checkMapKeys(items: JsonObject | undefined, keys: readonly Json[], path: string, errors: FieldError[]): void {
  const at = `${path}.x-kubernetes-list-map-keys`
  if (keys.length === 0) required(errors, at, 'must not be empty if x-kubernetes-list-type is map')
  if (items === undefined)
    return required(errors, `${path}.items`, 'must have a schema if x-kubernetes-list-type is map')
  if (items.type !== 'object')
    return invalidValue(
      errors,
      `${path}.items.type`,
      stringOf(items.type),
      "must be object if parent array's x-kubernetes-list-type is map",
    )
  const properties = objectOf(items.properties)
  keys.forEach((key, index) => {
    const property = properties[stringOf(key)]
    const type = objectOf(property).type
    if (!isObject(property)) invalidValue(errors, at, [...keys], 'entries must all be names of item properties')
    else if (type === 'array' || type === 'object')
      invalidValue(
        errors,
        `${path}.items.properties[${stringOf(key)}].type`,
        items.type,
        "must be a scalar type if parent array's x-kubernetes-list-type is map",
      )
    if (keys.indexOf(key) < index) invalidValue(errors, at, [...keys], 'must not contain duplicate entries')
  })
}

/** Defaults must themselves be valid, by the rules too, and may hold no field that would be pruned. */
function checkDefaults(schema: JsonObject, path: string, errors: FieldError[]): void {
  if (schema.default !== undefined && schema.default !== null)
    checkDefault(typeOf(asDefault(schema)), schema.default, `${path}.default`, errors)
  if (isObject(schema.items)) checkDefaults(schema.items, `${path}.items`, errors)
  for (const [name, child] of Object.entries(objectOf(schema.properties)))
    checkDefaults(objectOf(child), `${path}.properties[${name}]`, errors)
}

/** Of what may be a number or a text the server looks at no default. */
function asDefault(schema: JsonObject): Schema {
  const { 'x-kubernetes-int-or-string': isEither, ...others } = schema
  const own: JsonObject = isEither === true ? others : schema
  const { items, properties } = own
  return {
    ...own,
    ...(isObject(items) ? { items: asDefault(items) } : {}),
    ...(isObject(properties)
      ? {
          properties: Object.fromEntries(Object.entries(properties).map(([k, each]) => [k, asDefault(objectOf(each))])),
        }
      : {}),
  } as Schema
}

function checkDefault(type: FieldType, value: Json, at: string, errors: FieldError[]): void {
  if (hasUnknownFields(type, value)) invalidValue(errors, at, sorted(value), 'must not have unknown fields')
  for (const { field, type: kind, message } of validateCustomValue(type, value))
    push(
      errors,
      field === '' || field === '<nil>' ? at : `${at}${field.startsWith('[') ? '' : '.'}${field}`,
      kind,
      message,
    )
}
