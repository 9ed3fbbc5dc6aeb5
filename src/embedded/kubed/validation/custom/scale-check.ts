import { isObject, type Json, type JsonObject, stringOf } from '../../../../lib/kube/json.ts'
import type { FieldError } from '../../fault.ts'
import { invalidValue } from '../fault-list.ts'

const LARGEST = 2_147_483_647

/**
 * Faults of what a scale subresource reads: counts of the spec and the status, and a selector.
 *
 * @see k8s.io/apiextensions-apiserver/pkg/registry/customresource/validator.go
 */
export function checkScale(object: JsonObject, scale: JsonObject, isStatus: boolean, errors: FieldError[]): void {
  if (!isStatus) checkCount(object, stringOf(scale.specReplicasPath), errors)
  checkCount(object, stringOf(scale.statusReplicasPath), errors)
  const path = stringOf(scale.labelSelectorPath)
  if (path === '') return
  const { value, fault } = read(object, path, 'string')
  if (fault !== undefined) invalidValue(errors, path, '', fault)
  else if (value !== undefined && typeof value !== 'string')
    invalidValue(errors, path, '', accessorFault(path, value, 'string'))
}

function checkCount(object: JsonObject, path: string, errors: FieldError[]): void {
  const { value, fault } = read(object, path, 'int64')
  if (fault !== undefined) return invalidValue(errors, path, 0, fault)
  if (value === undefined) return
  if (typeof value !== 'number' || !Number.isInteger(value))
    return invalidValue(errors, path, 0, accessorFault(path, value, 'int64'))
  if (value < 0) invalidValue(errors, path, value, 'should be a non-negative integer')
  else if (value > LARGEST) invalidValue(errors, path, value, `should be less than or equal to ${LARGEST}`)
}

/** What stands at a path, or why nothing can. */
function read(object: JsonObject, path: string, wanted: string): { value?: Json | undefined; fault?: string } {
  let here: Json | undefined = object
  const steps = path.replace(/^\./, '').split('.')
  for (const [index, step] of steps.entries()) {
    if (!isObject(here)) {
      const at = `.${steps.slice(0, index + 1).join('.')}`
      return here === undefined || here === null ? {} : { fault: accessorFault(at, here, 'map[string]interface{}') }
    }
    here = here[step]
    if (here === undefined) return {}
  }
  return here === null ? { fault: accessorFault(path, here, wanted) } : { value: here }
}

const accessorFault = (path: string, value: Json, wanted: string): string =>
  `${path} accessor error: ${shown(value)} is of the type ${goType(value)}, expected ${wanted}`

/** As Go prints a value of its own. */
function shown(value: Json): string {
  if (value === null) return '<nil>'
  if (Array.isArray(value)) return `[${value.map(shown).join(' ')}]`
  if (!isObject(value)) return String(value)
  const fields = Object.keys(value).sort()
  return `map[${fields.map((name) => `${name}:${shown(value[name] ?? null)}`).join(' ')}]`
}

function goType(value: Json): string {
  if (value === null) return '<nil>'
  if (Array.isArray(value)) return '[]interface {}'
  if (isObject(value)) return 'map[string]interface {}'
  if (typeof value === 'number') return Number.isInteger(value) ? 'int64' : 'float64'
  return typeof value === 'boolean' ? 'bool' : 'string'
}
