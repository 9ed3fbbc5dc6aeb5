import { isObject, type Json, type JsonObject } from '../../../lib/kube/json.ts'

const emptied = new WeakMap<JsonObject, Map<string, Json>>()

/** Remembers of an object that a list or map was given empty, which Go's form leaves out. */
export function rememberEmpty(object: JsonObject, field: string, value: Json): void {
  const known = emptied.get(object)
  if (known === undefined) emptied.set(object, new Map([[field, value]]))
  else known.set(field, value)
}

/** True of a list or map that was given empty. */
export function wasGivenEmpty(object: JsonObject, field: string): boolean {
  return emptied.get(object)?.has(field) === true
}

/** True where anything in a value was given an empty list or map. */
export function holdsGivenEmpty(value: Json | undefined): boolean {
  if (Array.isArray(value)) return value.some(holdsGivenEmpty)
  if (!isObject(value)) return false
  return emptied.has(value) || Object.values(value).some(holdsGivenEmpty)
}

/** A value as it was given, for messages that tell an empty list or map from none; a copy. */
export function asGiven(value: Json | undefined): Json | undefined {
  if (Array.isArray(value)) return value.map((item) => asGiven(item) ?? null)
  if (!isObject(value)) return value
  const out: JsonObject = {}
  for (const [name, field] of Object.entries(value)) out[name] = asGiven(field)
  for (const [name, field] of emptied.get(value) ?? []) out[name] ??= field
  return out
}
