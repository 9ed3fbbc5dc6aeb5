import type { FieldType } from '../../../../lib/kube-schema/schema.ts'
import { equal, isObject, type Json, type JsonObject } from '../../../../lib/kube/json.ts'
import type { FieldError } from '../../fault.ts'
import { checkCombined } from './combined.ts'
import { checkEmbedded } from './embedded.ts'
import { fitsPattern } from './pattern.ts'
import { checkRules, hasRules } from './rules-of-schema.ts'

const BLOCKING = new Set(['NotSupported', 'Required', 'TooLong', 'TooMany', 'TypeInvalid'])
const UNCHECKED =
  'Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation'

/** Faults of a custom resource under its schema, then under the rules of the schema. */
export function validateCustom(type: FieldType, object: JsonObject, before: JsonObject | undefined): FieldError[] {
  const errors: FieldError[] = []
  checkRequired(type, object, '', errors)
  for (const name in object) {
    const value = object[name]
    const child = type.child(name)
    if (value !== undefined && child !== undefined && name !== 'metadata') check(child, value, name, errors)
  }
  checkEmbedded(type, object, '', errors)
  if (!hasRules(type.schema)) return errors
  if (errors.some((error) => BLOCKING.has(error.type)))
    errors.push({ field: '<nil>', type: 'Invalid', message: UNCHECKED })
  else checkRules({ type, value: object, before, path: '' }, errors)
  return errors
}

/** Faults of a default under its schema, then under the rules of the schema. That nothing in a list is there twice is asked of objects only. */
export function validateCustomValue(type: FieldType, value: Json): FieldError[] {
  const errors: FieldError[] = []
  check(type, value, '', errors)
  checkEmbedded(type, value, '', errors)
  const found = errors.filter((error) => error.type !== 'Duplicate')
  // As if it had been there before, then as if it were new.
  for (const before of hasRules(type.schema) ? [value, undefined] : [])
    if (found.length === 0) checkRules({ type, value, before, path: '' }, found)
  return found
}

/** A null that may not be is as good as absent. */
function checkRequired(type: FieldType, value: JsonObject, path: string, errors: FieldError[]): void {
  for (const name of type.schema.required ?? []) {
    const found = value[name]
    const isNull = found === null && type.child(name)?.schema.nullable !== true
    if (found === undefined || isNull)
      errors.push({ field: path === '' ? name : `${path}.${name}`, type: 'Required', message: 'Required value' })
  }
}

function check(type: FieldType, value: Json, path: string, errors: FieldError[]): void {
  const { schema } = type
  const bad = (kind: FieldError['type'], message: string): void =>
    void errors.push({ field: path, type: kind, message })
  if (value === null) {
    if (schema.nullable !== true && schema.type !== undefined && path.endsWith(']'))
      bad('TypeInvalid', `Invalid value: "null": ${path} in body must be of type ${schema.type}: "null"`)
    return
  }
  if (type.special !== 'intOrString') checkTyped(type, value, path, errors)
  else {
    if (typeof value !== 'string' && !Number.isInteger(value))
      bad(
        'TypeInvalid',
        `Invalid value: ${JSON.stringify(typeName(value))}: ${path} in body must be of type integer,string: ${JSON.stringify(typeName(value))}`,
      )
    checkCombined(type, value, path, errors, check)
  }
}

function checkTyped(type: FieldType, value: Json, path: string, errors: FieldError[]): void {
  const { schema } = type
  const bad = (kind: FieldError['type'], message: string): void =>
    void errors.push({ field: path, type: kind, message })
  const found = typeName(value)
  const fits = schema.type === undefined || schema.type === found || (schema.type === 'number' && found === 'integer')
  if (!fits)
    bad(
      'TypeInvalid',
      `Invalid value: ${JSON.stringify(found)}: ${path} in body must be of type ${schema.type}: ${JSON.stringify(found)}`,
    )
  if (!fits && schema.type === 'integer' && found === 'number')
    errors.push({
      field: '<nil>',
      type: 'Invalid',
      message: `Invalid value: "": Checked value must be of type integer (default format) in ${path}`,
    })
  checkCombined(type, value, path, errors, check)
  if (!fits) return
  if (schema.enum !== undefined && !schema.enum.some((each) => equal(each, value)))
    bad(
      'NotSupported',
      `Unsupported value: ${JSON.stringify(value)}: supported values: ${schema.enum.map((each) => JSON.stringify(each)).join(', ')}`,
    )
  if (typeof value === 'string') checkString(type, value, path, bad)
  else if (typeof value === 'number') checkNumber(type, value, path, bad)
  else if (Array.isArray(value)) checkList(type, value, path, bad, errors)
  else if (isObject(value)) checkMap(type, value, path, bad, errors)
}

type Bad = (kind: FieldError['type'], message: string) => void

function typeName(value: Json): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number'
  return typeof value
}

function checkString({ schema }: FieldType, value: string, path: string, bad: Bad): void {
  const length = [...value].length
  if (schema.maxLength !== undefined && length > schema.maxLength)
    bad('TooLong', `Too long: may not be more than ${schema.maxLength} bytes`)
  if (schema.minLength !== undefined && length < schema.minLength)
    bad(
      'Invalid',
      `Invalid value: ${JSON.stringify(value)}: ${path} in body should be at least ${schema.minLength} chars long`,
    )
  if (schema.pattern !== undefined && !fitsPattern(schema.pattern, value))
    bad('Invalid', `Invalid value: ${JSON.stringify(value)}: ${path} in body should match '${schema.pattern}'`)
  if (schema.format === 'date-time' && Number.isNaN(Date.parse(value)))
    bad(
      'TypeInvalid',
      `Invalid value: ${JSON.stringify(value)}: ${path} in body must be of type date-time: ${JSON.stringify(value)}`,
    )
}

function checkNumber({ schema }: FieldType, value: number, path: string, bad: Bad): void {
  if (schema.maximum !== undefined && (schema.exclusiveMaximum ? value >= schema.maximum : value > schema.maximum))
    bad(
      'Invalid',
      `Invalid value: ${value}: ${path} in body should be less than ${schema.exclusiveMaximum ? '' : 'or equal to '}${schema.maximum}`,
    )
  if (schema.minimum !== undefined && (schema.exclusiveMinimum ? value <= schema.minimum : value < schema.minimum))
    bad(
      'Invalid',
      `Invalid value: ${value}: ${path} in body should be greater than ${schema.exclusiveMinimum ? '' : 'or equal to '}${schema.minimum}`,
    )
  if (schema.multipleOf !== undefined && value % schema.multipleOf !== 0)
    bad('Invalid', `Invalid value: ${value}: ${path} in body should be a multiple of ${schema.multipleOf}`)
}

function checkList(type: FieldType, value: readonly Json[], path: string, bad: Bad, errors: FieldError[]): void {
  const { schema, element } = type
  if (schema.maxItems !== undefined && value.length > schema.maxItems)
    bad('TooMany', `Too many: ${value.length}: must have at most ${schema.maxItems} items`)
  if (schema.minItems !== undefined && value.length < schema.minItems)
    bad('Invalid', `Invalid value: ${value.length}: ${path} in body should have at least ${schema.minItems} items`)
  if (element !== undefined) value.forEach((item, index) => check(element, item, `${path}[${index}]`, errors))
  if (type.isSet || type.keys !== undefined) checkTwice(type, value, path, errors)
}

function checkTwice(type: FieldType, value: readonly Json[], path: string, errors: FieldError[]): void {
  const seen: Json[] = []
  value.forEach((item, index) => {
    const key: Json =
      type.keys === undefined || !isObject(item)
        ? item
        : Object.fromEntries(type.keys.map((name) => [name, item[name]]))
    if (seen.some((each) => equal(each, key)))
      errors.push({ field: `${path}[${index}]`, type: 'Duplicate', message: `Duplicate value: ${JSON.stringify(key)}` })
    seen.push(key)
  })
}

function checkMap(type: FieldType, value: JsonObject, path: string, bad: Bad, errors: FieldError[]): void {
  const { schema } = type
  const count = Object.keys(value).length
  if (schema.maxProperties !== undefined && count > schema.maxProperties)
    bad('TooMany', `Too many: ${count}: must have at most ${schema.maxProperties} items`)
  if (schema.minProperties !== undefined && count < schema.minProperties)
    bad('Invalid', `Invalid value: ${count}: ${path} in body should have at least ${schema.minProperties} properties`)
  checkRequired(type, value, path, errors)
  for (const name in value) {
    const field = value[name]
    const child = type.child(name)
    if (field !== undefined && child !== undefined) check(child, field, `${path}.${name}`, errors)
  }
}
