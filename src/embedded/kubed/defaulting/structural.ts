import type { FieldType } from '../../../lib/kube-schema/schema.ts'
import { isObject, type Json } from '../../../lib/kube/json.ts'

/** Fills in the defaults of a structural schema; null for a field that has one and may not be null takes it. In place. */
export function defaultCustom(type: FieldType, value: Json): void {
  if (Array.isArray(value)) {
    if (type.element !== undefined) for (const item of value) defaultCustom(type.element, item)
    return
  }
  if (!isObject(value)) return
  for (const name of type.names) {
    const child = type.child(name)
    if (child?.schema.default === undefined) continue
    const isUnset = value[name] === undefined || (value[name] === null && child.schema.nullable !== true)
    if (isUnset) value[name] = structuredClone(child.schema.default)
  }
  for (const name in value) {
    const child = type.child(name)
    const field = value[name]
    if (child !== undefined && field !== undefined && name !== 'metadata') defaultCustom(child, field)
  }
}
