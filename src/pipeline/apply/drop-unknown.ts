import type { KubeObject } from '../../lib/kube/object.ts'
import type { FieldType } from '../../lib/kube-schema/schema.ts'
import { isRecord } from '../../lib/value/is-record.ts'
import { goTypeOfApplied } from './go-structs.ts'

/** Marks a value that does not have the type of its field. */
class Mismatch extends Error {}

/**
 * Drops the fields that a built-in kind does not have, as Flux does in silence by passing objects through Go's types. One with a value of a wrong type
 * stays as it is: the server will say so.
 */
export function dropUnknownFields(object: KubeObject): KubeObject {
  const type = goTypeOfApplied(object)
  if (!type) return object
  try {
    return dropped(object, type) as KubeObject
  } catch (error) {
    if (error instanceof Mismatch) return object
    throw error
  }
}

function dropped(value: unknown, type: FieldType): unknown {
  if (value === null || type.kind === 'any' || type.special !== undefined) return value
  if (type.kind === 'list') {
    if (!Array.isArray(value)) throw new Mismatch()
    const { element } = type
    return element ? value.map((item) => dropped(item, element)) : value
  }
  if (type.kind === 'scalar') return fits(value, type) ? value : mismatch()
  if (!isRecord(value)) throw new Mismatch()
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, field]): [string, unknown][] => {
      const child = type.child(name)
      if (child) return [[name, dropped(field, child)]]
      return type.preservesUnknown || type.names.length === 0 ? [[name, field]] : []
    }),
  )
}

function mismatch(): never {
  throw new Mismatch()
}

function fits(value: unknown, { schema }: FieldType): boolean {
  switch (schema.type) {
    case 'integer':
    case 'number':
      return typeof value === 'number'
    case 'boolean':
      return typeof value === 'boolean'
    case 'string':
      return typeof value === 'string'
    default:
      return true
  }
}
