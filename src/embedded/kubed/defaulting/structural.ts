import type { FieldType } from '../../../lib/kube-schema/schema.ts'
import { isObject, type Json } from '../../../lib/kube/json.ts'

/** Fills in the defaults of a structural schema; null for a field that has one and may not be null takes it. In place. */
export function defaultCustom(type: FieldType, value: Json): void {
  if (Array.isArray(value)) {
    const { element } = type
    if (element === undefined) return
    for (const [index, item] of value.entries()) defaultCustom(element, (value[index] = orDefault(element, item)))
    return
  }
  if (!isObject(value)) return
  for (const name of type.names) {
    const child = type.child(name)
    const preset = child?.schema.default
    if (preset !== undefined && value[name] === undefined) value[name] = structuredClone(preset)
  }
  for (const name in value) {
    const child = type.child(name)
    const field = value[name]
    if (child === undefined || field === undefined || name === 'metadata') continue
    const own = orDefault(child, field)
    if (own !== field) value[name] = own
    defaultCustom(child, own)
  }
}

/** The default in place of a null that may not be. */
function orDefault({ schema }: FieldType, value: Json): Json {
  const isUnset = value === null && schema.nullable !== true && schema.default !== undefined
  return isUnset ? structuredClone(schema.default ?? null) : value
}
