import { errorAt, syntaxError, type Cursor } from './cursor.ts'
import { copyNode, type YamlMap, type YamlNode, type YamlSeq } from '../nodes.ts'

/** Adds the fields of the `<<` value that the mapping does not have itself; earlier values of a list win over later ones. */
export function mergeInto(c: Cursor, map: YamlMap, merges: readonly YamlNode[]): void {
  if (c.rules === 'v2') return mergeInTurn(c, map, merges)
  const [merge, second] = merges
  if (second) throw syntaxError(c, 'duplicate merge key', second.keyStart)
  if (!merge) return
  for (const { fields } of mergedMaps(c, merge))
    for (const [key, value] of fields) if (!map.fields.has(key)) map.fields.set(key, value)
}

/** Each `<<` takes its turn where it stands: over what stands above it, and under what stands below. */
function mergeInTurn(c: Cursor, map: YamlMap, merges: readonly YamlNode[]): void {
  const own = new Map(map.fields)
  for (const merge of merges)
    for (const { fields } of mergedMaps(c, merge).reverse())
      for (const [key, value] of fields) if (!isBelow(own.get(key), merge)) map.fields.set(key, value)
}

function isBelow(field: YamlNode | undefined, merge: YamlNode): boolean {
  return field !== undefined && field.keyStart > merge.keyStart
}

/** The mappings of a `<<` value, the strongest first. */
function mergedMaps(c: Cursor, merge: YamlNode): YamlMap[] {
  const isList = merge.kind === 'seq' && !isAlias(c, merge)
  return (isList ? merge.items : [merge]).map((one) => {
    if (one.kind === 'map') return one
    throw notMergeable(c, one, isList)
  })
}

function notMergeable(c: Cursor, node: YamlNode, isInList: boolean): Error {
  const message = isAlias(c, node)
    ? 'invalid map merge: received alias for a non-map value'
    : isInList && node.kind === 'seq'
      ? 'invalid map merge: received a nested sequence'
      : 'map merge requires map or sequence of maps as the value'
  return syntaxError(c, message, node.start)
}

function isAlias(c: Cursor, node: YamlNode): boolean {
  return c.text[node.start] === '*'
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

/** How many nodes a copy of a tree has, values that were overwritten too; beyond `limit` it stops counting. */
export function countNodes(node: YamlNode, limit: number): number {
  if (node.kind === 'scalar') return 1
  let count = 1
  for (const child of copiedChildren(node)) {
    count += countNodes(child, limit - count)
    if (count > limit) return count
  }
  return count
}

function* copiedChildren(node: YamlMap | YamlSeq): Iterable<YamlNode> {
  yield* node.kind === 'seq' ? node.items : node.fields.values()
  if (node.kind === 'map') for (const { value } of node.overwritten ?? []) yield value
}
