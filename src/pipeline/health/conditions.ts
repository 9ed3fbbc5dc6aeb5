import { SluiceError } from '../../lib/error/sluice-error.ts'
import type { Condition } from '../../lib/kube/read.ts'
import { isRecord } from '../../lib/value/is-record.ts'

/**
 * Reads `status.conditions` as kstatus does: what has another form makes the object's health unknown.
 *
 * @throws SluiceError OBJECT_INVALID in kstatus' words
 */
export function readConditions(object: Readonly<Record<string, unknown>>): readonly Condition[] {
  const conditions = fieldsOf(object['status'])['conditions']
  if (conditions === undefined || conditions === null) return []
  if (!Array.isArray(conditions)) throw malformed(`cannot restore slice from ${goKind(conditions)}`)
  return conditions.map((entry: unknown) => {
    const fields = fieldsOf(entry)
    return {
      type: textOf(fields['type'], 'string'),
      status: textOf(fields['status'], 'v1.ConditionStatus'),
      reason: textOf(fields['reason'], 'string'),
      message: textOf(fields['message'], 'string'),
    }
  })
}

/**
 * Reads a whole number as Go's `unstructured.NestedInt64` does; undefined when the way ends before.
 *
 * @throws SluiceError OBJECT_INVALID in Go's words
 */
export function readInteger(object: unknown, part: string, field: string): number | undefined {
  const parent: unknown = isRecord(object) ? object[part] : undefined
  if (parent === undefined || parent === null) return undefined
  if (!isRecord(parent)) throw mistyped(`${part}.${field}`, parent, 'map[string]interface{}')
  if (!Object.hasOwn(parent, field)) return undefined
  const value = parent[field]
  if (!Number.isInteger(value)) throw mistyped(`${part}.${field}`, value, 'int64')
  return Number(value)
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  if (value === undefined || value === null) return {}
  if (isRecord(value)) return value
  throw malformed(`cannot restore struct from: ${goKind(value)}`)
}

function textOf(value: unknown, type: string): string {
  if (value === undefined || value === null) return ''
  if (typeof value === 'string') return value
  if (Number.isInteger(value)) throw malformed(`cannot convert int64 to ${type}`)
  throw malformed('unrecognized type: string')
}

function goKind(value: unknown): string {
  if (Array.isArray(value)) return 'slice'
  if (typeof value === 'number') return Number.isInteger(value) ? 'int64' : 'float64'
  if (typeof value === 'boolean') return 'bool'
  return typeof value === 'string' ? 'string' : 'map'
}

const GO_TYPES: Readonly<Record<string, string>> = { slice: '[]interface {}', map: 'map[string]interface {}' }

function mistyped(path: string, value: unknown, wanted: string): SluiceError {
  const kind = goKind(value)
  const type = value === null ? '<nil>' : (GO_TYPES[kind] ?? kind)
  const shown = value === null ? '<nil>' : typeof value === 'object' ? JSON.stringify(value) : String(value)
  return malformed(
    `looking up ${path} from resource: .${path} accessor error: ${shown} is of the type ${type}, expected ${wanted}`,
  )
}

function malformed(message: string): SluiceError {
  return new SluiceError('OBJECT_INVALID', message, { where: 'status' })
}
