import { errorAt, syntaxError, type Cursor } from './cursor.ts'
import { copyNode, type YamlNode } from './nodes.ts'

/** Adds the fields of `<<` values that the mapping does not have itself; earlier values win over later ones. */
export function mergeInto(c: Cursor, fields: Map<string, YamlNode>, merges: readonly YamlNode[]): void {
  const list = merges.flatMap((merge) => (merge.kind === 'seq' ? merge.items : [merge]))
  for (const merge of list) {
    if (merge.kind !== 'map')
      throw syntaxError(c, 'map merge requires map or sequence of maps as the value', merge.start)
    for (const [key, value] of merge.fields) if (!fields.has(key)) fields.set(key, value)
  }
}

/** A copy of an anchored node, counted against the document's budget, so that alias bombs end. */
export function copyBounded(c: Cursor, node: YamlNode, offset: number): YamlNode {
  c.aliasBudget -= countNodes(node, c.aliasBudget)
  if (c.aliasBudget < 0)
    throw errorAt(
      c,
      'YAML_LIMIT',
      'document contains excessive aliasing',
      offset,
      'write out what the aliases stand for',
    )
  return copyNode(node)
}

/** How many nodes a tree has; beyond `limit` it stops counting. */
export function countNodes(node: YamlNode, limit: number): number {
  if (node.kind === 'scalar') return 1
  let count = 1
  const children = node.kind === 'seq' ? node.items : node.fields.values()
  for (const child of children) {
    count += countNodes(child, limit - count)
    if (count > limit) return count
  }
  return count
}
