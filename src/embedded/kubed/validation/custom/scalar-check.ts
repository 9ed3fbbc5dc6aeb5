import type { FieldType } from '../../../../lib/kube-schema/schema.ts'
import { equal, isObject, type Json, sorted } from '../../../../lib/kube/json.ts'
import { goFloat } from '../../../../lib/yaml/write/go-numbers.ts'
import { goQuote } from '../../../../lib/value/go-quote.ts'
import type { FieldError } from '../../fault.ts'
import { unsupported } from '../fault-list.ts'
import { addFault, type Findings, noFindings } from './findings.ts'
import { fitsFormat, isTextFormat } from './formats.ts'
import { fitsPattern } from './pattern.ts'

/** Whole numbers from here on are floats in Go. */
const FIRST_FLOAT = 2 ** 63
/** Whole floats beyond this are no integers to the library. */
const MOST_EXACT = 2 ** 53 - 1
/** How near to a whole number a float is one. */
const EPSILON = 1e-9

/** A value must be of the type that its schema says. */
export function checkType(type: FieldType, value: Json, path: string): Findings {
  const found = noFindings()
  const types = typesOf(type)
  const bad = (wanted: string, has: string): Findings => {
    addFault(found, {
      field: path,
      type: 'TypeInvalid',
      message: `Invalid value: ${JSON.stringify(has)}: ${path} in body must be of type ${wanted}: ${JSON.stringify(has)}`,
    })
    return found
  }
  const has = typeName(value)
  if (value === null && types.length > 0 && type.schema.nullable !== true) return bad(types.join(','), has)
  found.checks = 1
  if (value === null) return found
  const isText = typeof value === 'string' || Array.isArray(value)
  const isNumeric = types.includes('integer') || types.includes('number')
  const fits =
    types.includes(has) ||
    (has === 'integer' && types.includes('number')) ||
    (has === 'number' && types.includes('integer') && isWhole(Number(value)))
  const format = formatOf(type)
  if (format !== '' && isText && !isNumeric) return found
  if (fits) return found
  found.checks = 0
  return format !== '' && !isText ? bad(format, goFormat(has)) : bad(types.join(','), has)
}

const typesOf = ({ schema, special }: FieldType): readonly string[] =>
  special === 'intOrString' ? ['integer', 'string'] : schema.type === undefined ? [] : [schema.type]

/** The format of a schema, where it is one that is known of its type. */
function formatOf({ schema, special }: FieldType): string {
  const { type, format = '' } = schema
  if (special === 'intOrString' || type === undefined || type === 'string') return isTextFormat(format) ? format : ''
  if (type === 'integer') return format === 'int32' || format === 'int64' ? format : ''
  if (type === 'number') return format === 'float' || format === 'double' ? format : ''
  return ''
}

function typeName(value: Json): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  if (isObject(value)) return 'object'
  if (typeof value !== 'number') return typeof value
  return isInteger(value) ? 'integer' : 'number'
}

const goFormat = (type: string): string => (type === 'integer' ? 'int64' : type === 'number' ? 'float64' : '')
const isInteger = (value: number): boolean => Number.isInteger(value) && Math.abs(value) < FIRST_FLOAT

function isWhole(value: number): boolean {
  if (Math.abs(value) > MOST_EXACT) return false
  const rounded = Math.sign(value) * Math.round(Math.abs(value))
  return value === rounded || (rounded !== 0 && Math.abs(value - rounded) < EPSILON * Math.abs(rounded))
}

/** A text must be as long as its schema says, and of its pattern; of several faults the first is told. */
export function checkString({ schema }: FieldType, value: string, path: string): Findings {
  const found = noFindings()
  const length = [...value].length
  const bad = (why: string): void =>
    addFault(found, {
      field: path,
      type: 'Invalid',
      message: `Invalid value: ${goQuote(value)}: ${path} in body ${why}`,
    })
  if (schema.maxLength !== undefined && length > schema.maxLength)
    addFault(found, {
      field: path,
      type: 'TooLong',
      message: `Too long: may not be more than ${schema.maxLength} byte${schema.maxLength === 1 ? '' : 's'}`,
    })
  else if (schema.minLength !== undefined && length < schema.minLength)
    bad(`should be at least ${schema.minLength} chars long`)
  else if (schema.pattern !== undefined && !fitsPattern(schema.pattern, value)) bad(`should match '${schema.pattern}'`)
  return found
}

/** A text must be of its format; undefined where there is none. */
export function checkFormat(type: FieldType, value: string, path: string): Findings | undefined {
  const format = formatOf(type)
  if (!isTextFormat(format)) return undefined
  const found = noFindings()
  if (!fitsFormat(format, value))
    addFault(found, {
      field: path,
      type: 'TypeInvalid',
      message: `Invalid value: ${goQuote(value)}: ${path} in body must be of type ${format}: ${goQuote(value)}`,
    })
  return found
}

/** A number must be in the range of its type and its schema. */
export function checkNumber(type: FieldType, value: number, path: string): Findings {
  const found = noFindings()
  const range = rangeFault(type, value, 'Checked', path)
  if (range !== undefined) addFault(found, range)
  const { multipleOf, minimum, maximum, exclusiveMinimum, exclusiveMaximum } = type.schema
  /** The bound is compared with as a whole number where both are, and told of so. */
  const bound = (
    name: string,
    given: number | undefined,
    why: (given: number, shown: string) => string | undefined,
  ): void => {
    if (given === undefined) return
    const fault = rangeFault(type, given, name, path)
    if (fault !== undefined) addFault(found, fault)
    const isWholly = fault === undefined && isInteger(value)
    const show = isWholly ? String : goFloat
    const exact = isWholly ? Math.trunc(given) : given
    const told = why(exact, show(exact))
    if (told === undefined) return
    const isFactor = told.startsWith('factor')
    const message = `Invalid value: ${show(isFactor ? exact : value)}: ${isFactor ? told : `${path} in body ${told}`}`
    addFault(found, { field: path, type: 'Invalid', message })
  }
  bound('MultipleOf', multipleOf, (factor, shown) => {
    if (factor <= 0) return `factor MultipleOf declared for ${path} must be positive: ${shown}`
    return isMultiple(value, factor) ? undefined : `should be a multiple of ${shown}`
  })
  bound('Minimum boundary', minimum, (least, shown) => {
    const isFine = exclusiveMinimum === true ? value > least : value >= least
    return isFine ? undefined : `should be greater than ${exclusiveMinimum === true ? '' : 'or equal to '}${shown}`
  })
  bound('Maximum boundary', maximum, (most, shown) => {
    const isFine = exclusiveMaximum === true ? value < most : value <= most
    return isFine ? undefined : `should be less than ${exclusiveMaximum === true ? '' : 'or equal to '}${shown}`
  })
  found.checks++
  return found
}

function isMultiple(value: number, factor: number): boolean {
  if (isInteger(value) && isInteger(factor)) return value % factor === 0
  return isWhole(factor < 1 ? (1 / factor) * value : value / factor)
}

const MOST_INT32 = 2 ** 31 - 1
const MOST_FLOAT32 = 3.4028235677973366e38

/** A number that its type cannot hold, or a bound that is none of the type. */
function rangeFault(type: FieldType, value: number, what: string, path: string): FieldError | undefined {
  const format = formatOf(type)
  const kind = type.special === 'intOrString' ? undefined : type.schema.type
  const isInt32 = value >= -MOST_INT32 - 1 && value <= MOST_INT32
  const fits =
    kind === 'integer'
      ? isInteger(value) && (format !== 'int32' || isInt32)
      : format !== 'float' || Math.abs(value) < MOST_FLOAT32
  if (fits) return undefined
  const told = format === '' ? '(default format)' : `with format ${format}`
  return {
    field: '<nil>',
    type: 'Invalid',
    message: `Invalid value: "": ${what} value must be of type ${kind ?? ''} ${told} in ${path}`,
  }
}

/** A value must be one of those that are listed, if any are; null never is. */
export function checkEnum({ schema }: FieldType, value: Json, path: string): Findings {
  const found = noFindings()
  const { enum: allowed = [] } = schema
  if (allowed.length === 0 || allowed.some((each) => isListed(value, each))) return found
  const faults: FieldError[] = []
  const texts = allowed.map((each) => (typeof each === 'string' ? each : JSON.stringify(each)))
  unsupported(faults, path, sorted(value), texts)
  for (const fault of faults) addFault(found, fault)
  return found
}

/** A listed whole number is compared with the whole part of the value. */
function isListed(value: Json, listed: Json): boolean {
  if (value === null || listed === null) return false
  if (typeof value === 'number' && typeof listed === 'number')
    return (isInteger(listed) ? Math.trunc(value) : value) === listed
  return equal(value, listed)
}
