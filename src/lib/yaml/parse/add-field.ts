import type { YamlMap, YamlNode, YamlScalar } from '../nodes.ts'
import { isOldBoolean, tagOf } from '../resolve.ts'
import { countNode, type Cursor } from './cursor.ts'

/** Adds a field; the last of two equal keys wins and the fact is noted. */
export function addField(c: Cursor, map: YamlMap, merges: YamlNode[], keyNode: YamlNode, value: YamlNode): void {
  const { fields } = map
  countNode(c)
  const key = asKey(c, map, keyNode)
  if (
    c.aliases === 'copied' &&
    key.value === '<<' &&
    (key.tag === '!!merge' || (key.tag === '' && key.style === 'plain'))
  ) {
    merges.push(value)
    return
  }
  noteOddKey(c, map, key)
  const before = fields.get(key.value)
  if (before) {
    c.duplicates.push({ key: key.value, first: before.keyStart, second: value.keyStart, value })
    map.overwritten ??= []
    map.overwritten.push({ key: key.value, value: before, at: fields.size })
  }
  fields.set(key.value, value)
}

/** Remembers a key that is no string to one of Go's libraries. */
function noteOddKey(c: Cursor, map: YamlMap, key: YamlScalar): void {
  const isString = isStringKey(c, key)
  if (isString && (key.style !== 'plain' || !isOldBoolean(key.value))) return
  if (!isString) {
    map.otherKey ??= key.value
    map.typedKey ??= key.value
  }
  map.oldKeys = (map.oldKeys ?? new Set()).add(key.value)
}

/** Go's libraries print a key that has a colon between brackets in quotes, and then it is a string. */
function isStringKey(c: Cursor, key: YamlScalar): boolean {
  const code = key.value.charCodeAt(0)
  if (key.style !== 'plain' || (key.value.length > 5 && code > 57)) return true
  return tagOf(key) === '!!str' || (c.flowDepth > 0 && key.value.includes(':'))
}

/** A key that is a collection is kept beside the fields, where its text stands for it. */
function asKey(c: Cursor, map: YamlMap, node: YamlNode): YamlScalar {
  if (node.kind === 'scalar') return node
  const key: YamlScalar = {
    kind: 'scalar',
    value: c.text.slice(node.start, node.end),
    tag: '',
    style: 'double',
    source: c.source,
    start: node.start,
    end: node.end,
    keyStart: -1,
  }
  map.collectionKeys = (map.collectionKeys ?? new Map()).set(key.value, node)
  return key
}
