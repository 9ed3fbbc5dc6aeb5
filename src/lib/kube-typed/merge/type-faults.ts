import type { FieldType, Special } from '../../kube-schema/schema.ts'
import { isObject, type Json, type JsonObject } from '../../kube/json.ts'
import { shownElement } from './path-element.ts'
import { itemElement, MergeError } from './typed-value.ts'

/**
 * Where a value does not have the types that its schema declares, in the words of structured-merge-diff; none: it can be applied.
 *
 * @see https://pkg.go.dev/sigs.k8s.io/structured-merge-diff/v6/typed
 */
export function typeFaults(type: FieldType, value: Json): string[] {
  // The way to a fault is written in front of it on the way back: almost always there is none.
  return check(type, value, false).map((fault) => fault.replace(/^: /, ''))
}

/** True of a value that can be compared with others of its type: what stands twice in a list is no hindrance then. */
export const isComparable = (type: FieldType, value: Json): boolean => check(type, value, true).length === 0

/** Faults as one text. */
export function joinFaults(faults: readonly string[]): string {
  const [only = ''] = faults
  return faults.length === 1 ? only : `errors:\n${faults.map((fault) => `  ${fault}`).join('\n')}`
}

const NONE: readonly string[] = []
/** Types that read their own JSON; only what they make of it shows whether it fits. */
const ANY_SCALAR: ReadonlySet<Special> = new Set(['intOrString', 'quantity', 'time', 'microTime'])

/** A text of a format is any scalar to who merges. @see k8s.io/kube-openapi/pkg/schemaconv convertPrimitive */
const isUntyped = ({ type, format = '' }: FieldType['schema']): boolean =>
  type === 'string' && format !== '' && format !== 'byte'

function check(type: FieldType, value: Json, allowsTwins: boolean): readonly string[] {
  const { kind, special, schema } = type
  if (value === null) return NONE
  if (kind === 'any')
    return schema.type !== 'object' || special !== undefined || isObject(value)
      ? NONE
      : [`: expected map, got ${goValue(value)}`]
  if (special === undefined ? isUntyped(schema) : ANY_SCALAR.has(special))
    return typeof value === 'object' ? [`: expected any scalar, got ${goValue(value)}`] : NONE
  if (kind === 'list') return checkList(type, value, allowsTwins)
  return kind === 'map' ? checkMap(type, value, allowsTwins) : checkScalar(type, value)
}

function checkScalar({ schema, special }: FieldType, value: Json): readonly string[] {
  const wanted = special === undefined ? schema.type : 'string'
  if (wanted === 'string' && typeof value !== 'string') return [`: expected string, got ${goSource(value)}`]
  if (wanted === 'boolean' && typeof value !== 'boolean') return [`: expected boolean, got ${goValue(value)}`]
  if ((wanted === 'integer' || wanted === 'number') && typeof value !== 'number')
    return [`: expected numeric (int or float), got ${goType(value)}`]
  return NONE
}

/** The type of a value as Go names it. */
function goType(value: Json): string {
  if (Array.isArray(value)) return '[]interface {}'
  return isObject(value) ? 'map[string]interface {}' : typeof value === 'boolean' ? 'bool' : typeof value
}

function checkList(type: FieldType, value: Json, allowsTwins: boolean): readonly string[] {
  if (!Array.isArray(value)) return [`: expected list, got ${goValue(value)}`]
  const { element } = type
  if (element === undefined) return NONE
  const isPlain = type.isAtomic || (type.keys === undefined && !type.isSet)
  const seen = new Set<string>()
  const faults: string[] = []
  for (const [index, item] of value.entries()) {
    const path = isPlain ? `[${index}]` : namedItem(type, item)
    // What can be no item is told of, and nothing behind it.
    if (path instanceof MergeError) return [...faults, `: element ${index}: ${path.message}`]
    if (!isPlain && !allowsTwins && seen.has(path)) faults.push(`: duplicate entries for key ${path}`)
    seen.add(path)
    for (const fault of check(element, item, allowsTwins)) faults.push(path + fault)
  }
  return faults
}

/** An item of an associative list is named by its keys or its value. */
function namedItem(type: FieldType, item: Json): string | MergeError {
  try {
    return shownElement(itemElement(type, item))
  } catch (error) {
    if (error instanceof MergeError) return error
    throw error
  }
}

function checkMap(type: FieldType, value: Json, allowsTwins: boolean): readonly string[] {
  if (!isObject(value)) return [`: expected map, got ${goValue(value)}`]
  const faults: string[] = []
  for (const name in value) {
    const child = type.child(name)
    const field = value[name]
    if (child !== undefined && field !== undefined)
      for (const fault of check(child, field, allowsTwins)) faults.push(`.${name}${fault}`)
    else if (child === undefined && !takesAnything(type)) {
      // The rest of this map is not looked at then.
      faults.push(`.${name}: field not declared in schema`)
      break
    }
  }
  return faults
}

function takesAnything({ schema, preservesUnknown, special, names }: FieldType): boolean {
  if (preservesUnknown || special === 'fieldsV1' || schema.additionalProperties !== undefined) return true
  return names.length === 0
}

/** The wrapper around a value as Go prints it with %v. */
const goValue = (value: Json): string => `&{${plain(value)}}`

/** The same with %#v. */
const goSource = (value: Json): string => `&value.valueUnstructured{Value:${source(value)}}`

function source(value: Json | undefined): string {
  if (value === null || value === undefined) return 'interface {}(nil)'
  if (Array.isArray(value)) return `[]interface {}{${value.map(source).join(', ')}}`
  if (!isObject(value)) return JSON.stringify(value)
  const fields = Object.keys(value)
    .sort()
    .map((name) => `${JSON.stringify(name)}:${source(value[name])}`)
  return `map[string]interface {}{${fields.join(', ')}}`
}

function plain(value: Json | undefined): string {
  if (Array.isArray(value)) return `[${value.map(plain).join(' ')}]`
  if (isObject(value)) return `map[${fieldsOf(value).join(' ')}]`
  return value === null ? '<nil>' : String(value)
}

const fieldsOf = (value: JsonObject): string[] =>
  Object.keys(value)
    .sort()
    .map((name) => `${name}:${plain(value[name])}`)
