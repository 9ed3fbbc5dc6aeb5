import type { YamlNode } from './nodes.ts'
import { resolvePlain, resolveScalar, type YamlRules } from './resolve.ts'

/** How a tree becomes a plain value. */
export type ToValueOptions = {
  readonly rules?: YamlRules
  /** 'bigint' keeps integers beyond 2^53 exact; 'number' (default) is what JSON.parse gives. */
  readonly integers?: 'bigint' | 'number'
}

/** The plain value of a tree: objects, arrays, strings, numbers, booleans, null. */
export function toValue(node: YamlNode, options: ToValueOptions = {}): unknown {
  return convert(node, options.rules ?? 'v3', options.integers === 'bigint')
}

function convert(node: YamlNode, rules: YamlRules, exact: boolean): unknown {
  if (node.kind === 'scalar') {
    const value =
      node.tag === '' && node.style === 'plain' ? resolvePlain(node.value, rules) : resolveScalar(node, rules)
    return typeof value === 'bigint' && !exact ? Number(value) : value
  }
  if (node.kind === 'seq') {
    const list: unknown[] = []
    for (const item of node.items) list.push(convert(item, rules, exact))
    return list
  }
  const object: Record<string, unknown> = {}
  for (const [key, value] of node.fields) {
    if (key === '__proto__')
      Object.defineProperty(object, key, {
        value: convert(value, rules, exact),
        enumerable: true,
        writable: true,
        configurable: true,
      })
    else object[key] = convert(value, rules, exact)
  }
  return object
}
