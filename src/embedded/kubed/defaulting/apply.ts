import { goTypeOf } from '../../../lib/kube-schema/go-types.ts'
import type { FieldType } from '../../../lib/kube-schema/schema.ts'
import { clone, isObject, type Json, type JsonObject } from '../../../lib/kube/json.ts'
import { RULES } from './kinds.ts'
import { roundResources } from './pod.ts'
import { DEFAULTS, ZERO_IS_UNSET } from './table.ts'

/** Sets the defaults of a built-in kind, all the way down. In place. */
export function applyDefaults(type: FieldType, value: JsonObject): void {
  // Structs are there before their defaults are set.
  for (const field of type.schema['x-go']?.S ?? []) value[field] ??= {}
  const name = type.shortName
  RULES[name]?.(value)
  const constants = DEFAULTS[name]
  const isUnset = (found: Json | undefined): boolean =>
    found === undefined || (ZERO_IS_UNSET.has(name) && (found === '' || found === 0))
  for (const field in constants) if (isUnset(value[field])) value[field] = clone(constants[field])
  for (const field in value) {
    const below = value[field]
    if (typeof below !== 'object' || below === null) continue
    // Only kinds of the core have such a default: the overhead of a RuntimeClass stays as it is.
    if (name !== 'node.v1.Overhead' && goTypeOf(type.name, field) === 'v1.ResourceList') roundResources(below)
    const child = type.child(field)
    if (child !== undefined && child.special === undefined) descend(child, below)
  }
}

function descend(type: FieldType, value: Json): void {
  if (Array.isArray(value)) {
    const { element } = type
    if (element?.kind === 'map') for (const item of value) if (isObject(item)) applyDefaults(element, item)
  } else if (isObject(value) && type.kind === 'map') applyDefaults(type, value)
}
