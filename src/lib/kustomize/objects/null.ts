import type { YamlNode } from '../../yaml/nodes.ts'

/** Whether a node is null in YAML; what a transformer put there without a type is not. */
export function isNull(node: YamlNode | undefined): boolean {
  if (node?.kind !== 'scalar' || (node.tag === '' && node.end === 0)) return false
  return isNullText(node.value, node.style, node.tag)
}

function isNullText(value: string, style: string, tag: string): boolean {
  if (tag === '!!null') return true
  if (tag !== '' || style !== 'plain' || value.length > 4) return false
  return value === '' || value === '~' || value === 'null' || value === 'Null' || value === 'NULL'
}
