import { embedderOf, goTypeOf, schemaWithin } from '../../../lib/kube-schema/go-types.ts'
import type { FieldType } from '../../../lib/kube-schema/schema.ts'
import { isObject, type Json } from '../../../lib/kube/json.ts'
import { GoTimeError, parseGoTime } from '../../../lib/kube/go-time.ts'
import { isQuantityError, parseQuantity } from '../../../lib/kube/quantity.ts'
import { trimEndOf } from '../../../lib/value/trim-end.ts'
import { inexact } from './json-text.ts'
import { isInexact, isInt64, type Spelling } from './number-text.ts'

/** A value that does not fit its Go type, in Go's words. */
export class DecodeError extends Error {}

/** Fields that the kind does not have, as paths. */
export type Unknown = string[]

/** How a value is read, and what is found on the way. */
export type Reading = {
  readonly unknown: Unknown
  /**
   * The value was decoded and merged already: the converter that restores it into its type has other words, and cuts whole numbers to their size.
   *
   * @see https://pkg.go.dev/k8s.io/apimachinery/pkg/runtime#UnstructuredConverter
   */
  readonly isRestored?: boolean
  /** How odd numbers are written; undefined where there are none. */
  readonly spelling?: Spelling | undefined
  /** How the number that is read is written, when it is odd. */
  readonly text?: string | undefined
}

/**
 * Reads a value as Go reads it into its types: null is absence, unknown fields are dropped and named, quantities and times
 * become canonical.
 *
 * @throws DecodeError when a value has another type than its field
 */
export function decodeTyped(
  type: FieldType,
  value: Json,
  path: string,
  reading: Reading,
  owner = '',
  fields = path,
  goType?: string,
): Json | undefined {
  if (value === null) return undefined
  if (type.special !== undefined) return decodeSpecial(type, value, fields, owner, reading)
  if (type.kind === 'any') return decodeSchema(type, value, path, reading, fields)
  if (type.kind === 'scalar') return decodeScalar(type, value, fields, owner, goType, reading)
  if (type.kind === 'list') {
    if (!Array.isArray(value)) throw mismatch(reading, value, fields, owner, goType ?? goListOf(type), 'slice from')
    return decodeItems(type, value, path, reading, owner, fields, goType?.replace(/^\[\]/, ''))
  }
  const isMap = type.names.length === 0
  if (!isObject(value))
    throw mismatch(reading, value, fields, owner, goType ?? goName(type), isMap ? 'map from' : 'struct from:')
  const here = isMap ? owner : bareName(type)
  const spelled = reading.spelling?.get(value)
  for (const name of Object.keys(value)) {
    const field = value[name]
    const child = type.child(name)
    const text = spelled?.get(name)
    if (text === undefined && isRightScalar(child, field)) continue
    const below = path === '' ? name : `${path}.${name}`
    if (child === undefined) {
      if (!isMap || type.schema.additionalProperties === undefined) {
        reading.unknown.push(below)
        delete value[name]
      }
      continue
    }
    // Go names the fields of structs on the way, not the keys of maps.
    const own = isMap ? '' : `${embedderOf(type.name, name)}${name}`
    const named = isMap ? fields : fields === '' ? own : `${fields}.${own}`
    const declared = goTypeOf(type.name, name)
    const read = text === undefined ? reading : { ...reading, text }
    const decoded = field === undefined ? undefined : decodeTyped(child, field, below, read, here, named, declared)
    if (decoded !== undefined) value[name] = decoded
    else if (isMap && field === null && child.kind !== 'any') value[name] = zeroOf(child)
    else delete value[name]
  }
  return value
}

/**
 * What may be a schema among other things reads itself, and drops fields that it does not know without a word.
 *
 * @see k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1 marshal.go
 */
function decodeSchema(type: FieldType, value: Json, path: string, reading: Reading, fields: string): Json | undefined {
  const within = schemaWithin(type)
  if (within === undefined) return value
  const schemaOf = (each: Json): Json =>
    decodeTyped(within.type, each, path, { ...reading, unknown: [] }, 'JSONSchemaProps', fields) ?? {}
  if (isObject(value)) return schemaOf(value)
  if (within.or === 'array') return Array.isArray(value) ? value.map(schemaOf) : undefined
  if (typeof value === 'boolean') return value
  throw new DecodeError('boolean or JSON schema expected')
}

/** Most fields are scalars of their type: those stay as they are, and nobody needs their path. */
const isRightScalar = (type: FieldType | undefined, value: Json | undefined): boolean =>
  type?.kind === 'scalar' && type.special === undefined && fits(type, value)

function decodeItems(
  type: FieldType,
  list: Json[],
  path: string,
  reading: Reading,
  owner: string,
  fields: string,
  goType: string | undefined,
): Json[] {
  const { element } = type
  if (element === undefined) return list
  const spelled = reading.spelling?.get(list)
  return list.map((item, index) => {
    const text = spelled?.get(String(index))
    const read = text === undefined ? reading : { ...reading, text }
    return decodeTyped(element, item, `${path}[${index}]`, read, owner, fields, goType) ?? zeroOf(element)
  })
}

/** What Go has where nothing was said: null for a pointer. */
export function zeroOf(type: FieldType): Json {
  if (type.kind === 'any') return null
  if (type.kind === 'list') return []
  if (type.kind === 'map') return {}
  if (type.special === 'quantity') return '0'
  return { string: '', integer: 0, number: 0, boolean: false }[type.schema.type ?? 'string'] ?? null
}

function decodeScalar(
  type: FieldType,
  value: Json,
  path: string,
  owner: string,
  goType: string | undefined,
  reading: Reading,
): Json {
  const { type: scalar, format } = type.schema
  if (fits(type, value) && (scalar !== 'integer' || isWhole(reading))) return value
  if (reading.isRestored && format === 'int32' && typeof value === 'number' && Number.isInteger(value))
    return Number(BigInt.asIntN(32, BigInt(value)))
  throw mismatch(reading, value, path, owner, goType ?? goName(type), undefined, scalar)
}

const fits = ({ schema }: FieldType, value: Json | undefined): boolean =>
  schema.type === 'integer' ? isInRange(value, schema.format) : typeof value === schema.type

const isInRange = (value: Json | undefined, format: string | undefined): boolean =>
  typeof value === 'number' && Number.isInteger(value) && (format !== 'int32' || value === (value | 0))

/** True of a number that Go reads as a whole one. @throws Fault 400 for one that would not be kept as it is */
function isWhole({ text }: Reading): boolean {
  if (text === undefined) return true
  if (isInexact(text)) throw inexact(text)
  return isInt64(text)
}

function decodeSpecial(type: FieldType, value: Json, path: string, owner: string, reading: Reading): Json {
  switch (type.special) {
    case 'quantity': {
      const quantity = parseQuantity(
        typeof value === 'string'
          ? value
          : (reading.text ?? (typeof value === 'number' ? value : JSON.stringify(value))),
      )
      if (isQuantityError(quantity)) throw new DecodeError(quantity.error)
      return quantity.text
    }
    case 'intOrString':
      if (typeof value === 'string' || (isInRange(value, 'int32') && isWhole(reading))) return value
      throw mismatch(reading, value, path, owner, 'int32', undefined, 'itself')
    case 'time':
    case 'microTime':
      return decodeTime(value, type.special === 'microTime', path, owner, reading)
    case 'bytes':
      return decodeBytes(value, path, owner, reading)
    default:
      return value
  }
}

/** Almost all moments are written like this; days that not every month has are looked at. */
const CANONICAL = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\dZ$/

function decodeTime(value: Json, micro: boolean, path: string, owner: string, reading: Reading): Json {
  if (typeof value !== 'string') throw mismatch(reading, value, path, owner, 'string', undefined, 'itself')
  if (!micro && CANONICAL.test(value)) return value
  try {
    return parseGoTime(value, micro)
  } catch (error) {
    throw error instanceof GoTimeError ? new DecodeError(error.message) : error
  }
}

function decodeBytes(value: Json, path: string, owner: string, reading: Reading): Json {
  if (typeof value !== 'string') throw mismatch(reading, value, path, owner, '[]uint8', 'slice from')
  const bare = value.replace(/[\r\n]/g, '')
  const badAt = firstNotBase64(value, bare)
  if (badAt === undefined) return bare
  const prefix = reading.isRestored ? 'error decoding from json: ' : ''
  throw new DecodeError(`${prefix}illegal base64 data at input byte ${badAt}`)
}

/** Where Go's decoder stops in a text, which is `bare` without ends of lines. */
function firstNotBase64(text: string, bare: string): number | undefined {
  const bad = /[^A-Za-z0-9+/=\r\n]/.exec(text)
  if (bad !== null) return bad.index
  if (/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(bare)) return undefined
  return Math.max(0, Math.floor(trimEndOf(bare, '=').length / 4) * 4)
}

/** The kind of a value that was merged already. */
function reflectKind(value: Json): string {
  if (Array.isArray(value)) return 'slice'
  if (isObject(value)) return 'map'
  if (typeof value === 'number') return Number.isInteger(value) ? 'int64' : 'float64'
  return typeof value === 'boolean' ? 'bool' : typeof value
}

/** Go would convert numbers to each other, and whole ones to texts; then it is told that it may not. */
function notConverted(value: Json, wanted: string, scalar: string | undefined): string | undefined {
  if (scalar === undefined) return undefined
  if (scalar === 'itself') return `json: cannot unmarshal ${shownKind(value, wanted)} into Go value of type ${wanted}`
  const isConvertible =
    typeof value === 'number' && (scalar !== 'string' || Number.isInteger(value)) && scalar !== 'boolean'
  if (isConvertible) return `cannot convert ${reflectKind(value)} to ${wanted}`
  return `unrecognized type: ${scalar === 'boolean' ? 'bool' : scalar === 'string' ? 'string' : wanted}`
}

/** What Go's decoder calls the kind of a value. */
export const goKindOf = (value: Json): string =>
  Array.isArray(value) ? 'array' : value === null ? 'null' : typeof value === 'boolean' ? 'bool' : typeof value

const shownKind = (value: Json, wanted: string, text?: string): string =>
  typeof value === 'number' && /^u?int/.test(wanted) ? `number ${text ?? value}` : goKindOf(value)

/** @param scalar what the schema calls the type; `itself` where the type reads its own JSON */
function mismatch(
  { isRestored = false, text }: Reading,
  value: Json,
  path: string,
  owner: string,
  wanted: string,
  container?: string,
  scalar?: string,
): DecodeError {
  const restored = !isRestored
    ? undefined
    : container === undefined
      ? notConverted(value, wanted, scalar)
      : `cannot restore ${container} ${reflectKind(value)}`
  const field = owner === '' ? path : `${owner}.${path}`
  return new DecodeError(
    restored ??
      `json: cannot unmarshal ${shownKind(value, wanted, text)} into Go struct field ${field} of type ${wanted}`,
  )
}

/** The name of a struct without its package. */
function bareName(type: FieldType): string {
  return type.name === undefined ? goName(type) : type.name.slice(type.name.lastIndexOf('.') + 1)
}

function goName(type: FieldType): string {
  const { schema, name } = type
  if (name !== undefined) {
    const [version = '', kind = ''] = name.split('.').slice(-2)
    return `${version}.${kind}`
  }
  if (schema.type === 'integer') return schema.format ?? 'int32'
  if (schema.type === 'number') return 'float64'
  if (schema.type === 'boolean') return 'bool'
  if (type.kind === 'map')
    return `map[string]${type.child('') === undefined ? 'string' : goName(type.child('') ?? type)}`
  return schema.type ?? 'string'
}

function goListOf(type: FieldType): string {
  return `[]${type.element === undefined ? 'string' : goName(type.element)}`
}
