import { isObject, type Json, type JsonObject } from './json.ts'

/** JSON merge patch (RFC 7386). The target is not changed; untouched branches are shared. */
export function mergePatch(target: Json | undefined, patch: Json): Json {
  if (!isObject(patch)) return patch
  const out: JsonObject = isObject(target) ? { ...target } : {}
  for (const name in patch) {
    const value = patch[name]
    if (value === undefined) continue
    if (value === null) delete out[name]
    else out[name] = mergePatch(out[name], value)
  }
  return out
}
