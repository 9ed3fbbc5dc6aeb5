import type { FieldType } from '../../../../lib/kube-schema/schema.ts'
import { equal, isObject, type Json, objectOf } from '../../../../lib/kube/json.ts'

/**
 * True when a value is what it was before, as far as the schema tells which part was which: what is wrong with it then is no reason to
 * refuse a write that did not touch it.
 *
 * @see k8s.io/apiserver/pkg/cel/common CorrelatedObject.CachedDeepEqual
 */
export function isUnchanged(type: FieldType, value: Json, before: Json | undefined): boolean {
  if (value === null || before === null || before === undefined) return value === before
  if (Array.isArray(value))
    return Array.isArray(before) && value.length === before.length && hasSameItems(type, value, before)
  if (!isObject(value)) return value === before
  if (!isObject(before) || Object.keys(value).length !== Object.keys(before).length) return false
  return Object.keys(value).every((name) => {
    const child = type.child(name)
    const field = value[name]
    return child !== undefined && field !== undefined && Object.hasOwn(before, name)
      ? isUnchanged(child, field, before[name])
      : false
  })
}

function hasSameItems(type: FieldType, items: readonly Json[], before: Json[]): boolean {
  const { element, keys } = type
  if (keys === undefined || element === undefined) return equal([...items], before)
  const twinOf = twinsIn(type, before)
  return items.every((item) => {
    const twin = twinOf(item)
    return twin !== undefined && isUnchanged(element, item, twin)
  })
}

/** Tells what an item of a list was before: items of maps are known by their keys; of other lists none is known to be the same. */
export function twinsIn({ keys }: FieldType, before: Json | undefined): (item: Json) => Json | undefined {
  if (keys === undefined || !Array.isArray(before)) return () => undefined
  const byKeys = new Map<string, Json>()
  for (const old of before) {
    const known = keysText(keys, old)
    if (known !== undefined && !byKeys.has(known)) byKeys.set(known, old)
  }
  return (item) => byKeys.get(keysText(keys, item) ?? '')
}

/** Undefined for an item without one of its keys. */
function keysText(keys: readonly string[], item: Json): string | undefined {
  const values = keys.map((key) => objectOf(item)[key])
  return values.every(isScalar) ? JSON.stringify(values) : undefined
}

const isScalar = (value: Json | undefined): boolean =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
