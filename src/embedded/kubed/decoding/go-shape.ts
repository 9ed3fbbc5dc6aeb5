import type { FieldType } from '../../../lib/kube-schema/schema.ts'
import { schemaWithin } from '../../../lib/kube-schema/go-types.ts'
import { isObject, type Json, type JsonObject } from '../../../lib/kube/json.ts'
import { rememberEmpty } from './emptied.ts'
import { zeroOf } from './typed.ts'

/**
 * Gives a decoded, defaulted value the shape in which Go writes it: zero values and empty lists left out where the type says
 * so, structs and required fields always there. Works in place.
 */
export function shapeLikeGo(type: FieldType, value: JsonObject): void {
  const go = type.schema['x-go']
  for (const name of go?.S ?? []) if (value[name] === undefined) value[name] = {}
  for (const name of go?.V ?? []) value[name] ??= zeroField(type.child(name))
  for (const name of go?.N ?? []) value[name] ??= null
  const isMap = type.names.length === 0
  for (const name of Object.keys(value)) {
    const field = value[name]
    const child = type.child(name)
    if (child === undefined || field === undefined || field === null) continue
    const shaped = child.kind === 'any' ? schemaWithin(child)?.type : child
    if (shaped !== undefined && shaped.special === undefined) shapeField(shaped, field)
    if (isMap || !isLeftOut(go, child, name, field)) continue
    if (typeof field === 'object') rememberEmpty(value, name, field)
    delete value[name]
  }
}

function zeroField(type: FieldType | undefined): Json {
  if (type === undefined || type.special !== undefined || type.kind !== 'scalar') return null
  return zeroOf(type)
}

function shapeField(type: FieldType, value: Json): void {
  if (Array.isArray(value)) {
    const { element } = type
    if (element !== undefined && element.kind === 'map' && element.special === undefined)
      for (const item of value) if (isObject(item)) shapeLikeGo(element, item)
  } else if (isObject(value)) shapeLikeGo(type, value)
}

function isLeftOut(go: FieldType['schema']['x-go'], type: FieldType, name: string, value: Json): boolean {
  if (value === '' && type.special === 'bytes') return go?.V?.includes(name) !== true
  if (value === '' || value === 0 || value === false) return go?.Z?.includes(name) === true
  const isCollection =
    type.kind === 'list' || (type.kind === 'map' && type.names.length === 0 && type.special === undefined)
  if (!isCollection || go?.V?.includes(name)) return go?.Z?.includes(name) === true && isObject(value) && isBare(value)
  return Array.isArray(value) ? value.length === 0 : isObject(value) && isBare(value)
}

const isBare = (value: JsonObject): boolean => Object.keys(value).length === 0
