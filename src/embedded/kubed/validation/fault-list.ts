import { goJson, type Json, type JsonObject } from '../../../lib/kube/json.ts'
import { goFloat } from '../../../lib/yaml/write/go-numbers.ts'
import { goQuote } from '../../../lib/value/go-quote.ts'
import type { FieldError } from '../fault.ts'

/** The pod around a container, or around a part of one. */
export type Place = {
  readonly pod: JsonObject
  readonly list: 'containers' | 'initContainers' | 'ephemeralContainers'
  /** The volumes of the pod that are without fault, by name. */
  readonly volumes: ReadonlyMap<string, JsonObject>
}

/** Checks what is below a field at once, not at the field's turn; `place` is told to the checks below, `at` is the path in their words. */
export type Below = (field: string, place?: Place, at?: string) => void

/** What rules as data cannot say of a definition. */
export type Check = (
  value: JsonObject,
  path: string,
  errors: FieldError[],
  below: Below,
  place: Place | undefined,
) => void

/** Adds a fault. */
export function push(errors: FieldError[], field: string, type: FieldError['type'], message: string): void {
  errors.push({ field, type, message })
}

/** A value as Go's messages print it. */
function printed(value: Json | undefined): string {
  if (typeof value === 'string') return goQuote(value)
  if (typeof value === 'number') return Number.isInteger(value) ? String(value) : goFloat(value)
  return goJson(value ?? null)
}

/** Adds a fault of a value that is not as it must be; some are told without a reason. */
export function invalidValue(errors: FieldError[], field: string, value: Json | undefined, why: string): void {
  push(errors, field, 'Invalid', `Invalid value: ${printed(value)}${why === '' ? '' : `: ${why}`}`)
}

/** Adds a fault of a field that must be there. */
export function required(errors: FieldError[], field: string, why = ''): void {
  push(errors, field, 'Required', why === '' ? 'Required value' : `Required value: ${why}`)
}

/** Adds a fault of a value that is none of those that are supported; they are printed as given. */
export function unsupported(
  errors: FieldError[],
  field: string,
  value: Json | undefined,
  supported: readonly string[],
): void {
  const list = supported.map(goQuote).join(', ')
  push(errors, field, 'NotSupported', `Unsupported value: ${printed(value)}: supported values: ${list}`)
}

/** Adds a fault of a field that may not be as it is. */
export function forbid(errors: FieldError[], field: string, why: string): void {
  push(errors, field, 'Forbidden', why === '' ? 'Forbidden' : `Forbidden: ${why}`)
}

/** Adds a fault of a value that is there already. */
export function duplicate(errors: FieldError[], field: string, value: Json | undefined): void {
  push(errors, field, 'Duplicate', `Duplicate value: ${printed(value)}`)
}

/** Adds a fault for every reason. */
export function invalidFor(
  errors: FieldError[],
  field: string,
  value: Json | undefined,
  reasons: readonly string[],
): void {
  for (const why of reasons) invalidValue(errors, field, value, why)
}

/** A number must be 0 or more. */
export function checkNatural(value: Json | undefined, path: string, errors: FieldError[]): void {
  if (typeof value === 'number' && value < 0) invalidValue(errors, path, value, 'must be greater than or equal to 0')
}

/** A field must be one of a few words, and there. */
export function checkWord(
  value: Json | undefined,
  path: string,
  allowed: readonly string[],
  errors: FieldError[],
  missing?: string,
): void {
  if (value === undefined || value === '') required(errors, path, missing)
  else if (typeof value !== 'string' || !allowed.includes(value)) unsupported(errors, path, value, allowed)
}

/** A number must be between two others. */
export function checkRange(value: Json | undefined, path: string, errors: FieldError[], max: number, min = 0): void {
  if (typeof value === 'number' && (value < min || value > max))
    invalidValue(errors, path, value, `must be between ${min} and ${max}, inclusive`)
}

/** The highest id of a user or a group. */
export const HIGHEST_ID = 2_147_483_647

/** A name must fit; an empty one does not, unless there is none. */
export function checkName(
  value: Json | undefined,
  path: string,
  test: (name: string) => string | undefined,
  errors: FieldError[],
): void {
  const why = typeof value === 'string' ? test(value) : undefined
  if (why !== undefined) invalidValue(errors, path, value, why)
}
