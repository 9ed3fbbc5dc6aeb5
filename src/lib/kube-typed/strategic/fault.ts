import { isObject, type Json, type JsonObject } from '../../kube/json.ts'

/** A strategic merge patch that cannot be carried out, in kube-apiserver's words; `code` is what it answers. */
export class StrategicError extends Error {
  readonly code: 400 | 422 | 500

  constructor(message: string, code: StrategicError['code'] = 500) {
    super(message)
    this.code = code
  }
}

/** A directive whose value is not of its form. */
export const malformed = (what: 'primitive list' | 'retainKeys' | 'setElementOrder list'): StrategicError =>
  new StrategicError(`invalid patch format of ${what}`, 400)

export const unknownDirective = (directive: Json, map: JsonObject): StrategicError =>
  new StrategicError(`unknown patch type: ${goText(directive)} in map: ${goText(map)}`)

export const keyless = (map: JsonObject, key: string): StrategicError =>
  new StrategicError(`map: ${goText(map)} does not contain declared merge key: ${key}`)

/** @param wanted the Go type that was expected */
export const mistyped = (wanted: string, value: Json): StrategicError =>
  new StrategicError(`expected a ${wanted}, but received a ${goTypeOf(value)}`)

export const GO_MAP = 'map[string]interface {}'
export const GO_LIST = '[]interface {}'

/** The Go type that JSON is read into. */
export function goTypeOf(value: Json): string {
  if (value === null) return '%!s(<nil>)'
  if (Array.isArray(value)) return GO_LIST
  if (isObject(value)) return GO_MAP
  if (typeof value === 'number') return Number.isInteger(value) ? 'int64' : 'float64'
  return typeof value === 'boolean' ? 'bool' : 'string'
}

/** A value as Go prints it with %v. */
export function goText(value: Json | undefined): string {
  if (Array.isArray(value)) return `[${value.map(goText).join(' ')}]`
  if (!isObject(value)) return value === null ? '<nil>' : String(value)
  return `map[${Object.keys(value)
    .sort()
    .map((name) => `${name}:${goText(value[name])}`)
    .join(' ')}]`
}
