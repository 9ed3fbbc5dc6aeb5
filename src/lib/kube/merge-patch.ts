import { isObject, type Json, type JsonObject } from './json.ts'

/**
 * JSON merge patch (RFC 7386) as kube-apiserver applies it: maps in lists say nothing by null, either, unless
 * the list takes the place of a map. The target is not changed;
 * untouched branches are shared.
 *
 * @see gopkg.in/evanphx/json-patch.v4 MergePatch
 */
export function mergePatch(target: Json | undefined, patch: Json): Json {
  if (Array.isArray(patch)) return isObject(target) ? patch : patch.map(withoutNulls)
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

/** An item of a list: a null itself stays. */
const withoutNulls = (item: Json): Json => (item === null ? item : mergePatch(undefined, item))
