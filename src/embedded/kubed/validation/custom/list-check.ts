import type { FieldType } from '../../../../lib/kube-schema/schema.ts'
import { isObject, type Json, sorted } from '../../../../lib/kube/json.ts'
import type { FieldError } from '../../fault.ts'
import { duplicate, invalidValue } from '../fault-list.ts'

/**
 * Items that stand twice in the sets and maps of a value, each told once; what is no object is none of a map.
 *
 * @see k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype/validation.go
 */
export function repeatedItems(type: FieldType, value: Json, path = ''): FieldError[] {
  if (Array.isArray(value)) return inList(type, value, path)
  if (!isObject(value)) return []
  return Object.entries(value).flatMap(([name, field]) => {
    const child = type.child(name)
    if (child === undefined || field === undefined) return []
    return repeatedItems(child, field, type.declares(name) ? fieldBelow(path, name) : `${path}[${name}]`)
  })
}

const fieldBelow = (path: string, name: string): string => (path === '' ? name : `${path}.${name}`)

function inList(type: FieldType, list: readonly Json[], path: string): FieldError[] {
  const errors: FieldError[] = []
  const { element, keys, isSet } = type
  const odd = keys === undefined ? -1 : list.findIndex((item) => item !== null && !isObject(item))
  if (odd >= 0) invalidValue(errors, `${path}[${odd}]`, list[odd], 'must be an object for an array of list-type map')
  else if (keys !== undefined)
    tellTwice(
      list.map((item) => keyOf(keys, item)),
      path,
      errors,
    )
  else if (isSet) tellTwice(list, path, errors)
  if (element !== undefined)
    for (const [index, item] of list.entries())
      for (const repeated of repeatedItems(element, item, `${path}[${index}]`)) errors.push(repeated)
  return errors
}

function keyOf(keys: readonly string[], item: Json): Json {
  const found = keys.filter((key) => isObject(item) && item[key] !== undefined)
  return Object.fromEntries(found.map((key) => [key, isObject(item) ? item[key] : undefined]))
}

function tellTwice(items: readonly Json[], path: string, errors: FieldError[]): void {
  const times = new Map<string, number>()
  items.forEach((item, index) => {
    const key = sorted(item)
    const text = JSON.stringify(key)
    const seen = times.get(text) ?? 0
    times.set(text, seen + 1)
    if (seen === 1) duplicate(errors, `${path}[${index}]`, key)
  })
}
