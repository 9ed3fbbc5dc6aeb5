import type { YamlNode } from './nodes.ts'
import { refold } from './refold.ts'
import { resolvePlain, resolveScalar, type YamlRules } from './resolve.ts'

/** How a tree becomes a plain value. */
export type ToValueOptions = {
  readonly rules?: YamlRules
  /** 'bigint' keeps integers beyond 2^53 exact; 'number' (default) is what JSON.parse gives. */
  readonly integers?: 'bigint' | 'number'
  /** Whether folded scalars come out as kustomize, which writes and reads them once more, leaves them; see {@link refold}. */
  readonly refolds?: boolean
}

type Rules = { readonly yaml: YamlRules; readonly exact: boolean; readonly refolds: boolean }

/** The plain value of a tree: objects, arrays, strings, numbers, booleans, null. */
export function toValue(node: YamlNode, options: ToValueOptions = {}): unknown {
  const exact = options.integers === 'bigint'
  return convert(node, { yaml: options.rules ?? 'v3', exact, refolds: options.refolds === true })
}

function convert(node: YamlNode, rules: Rules): unknown {
  if (node.kind === 'scalar') {
    const value =
      node.tag === '' && node.style === 'plain' ? resolvePlain(node.value, rules.yaml) : resolveScalar(node, rules.yaml)
    if (rules.refolds && node.style === 'folded' && typeof value === 'string') return refold(value)
    return typeof value === 'bigint' && !rules.exact ? Number(value) : value
  }
  if (node.kind === 'seq') {
    const list: unknown[] = []
    for (const item of node.items) list.push(convert(item, rules))
    return list
  }
  const object: Record<string, unknown> = {}
  for (const [key, value] of node.fields) {
    if (key === '__proto__')
      Object.defineProperty(object, key, {
        value: convert(value, rules),
        enumerable: true,
        writable: true,
        configurable: true,
      })
    else object[key] = convert(value, rules)
  }
  return object
}
