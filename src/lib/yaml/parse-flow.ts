import {
  COLON,
  COMMA,
  DQUOTE,
  HASH,
  QUESTION,
  SQUOTE,
  at,
  enter,
  isBlankOrEnd,
  leave,
  skipBlank,
  syntaxError,
  type Cursor,
} from './cursor.ts'
import { mergeInto } from './merge-keys.ts'
import type { YamlMap, YamlNode, YamlScalar, YamlSeq } from './nodes.ts'
import { addField } from './parse-block.ts'
import { parseAlias, parseProperties, register } from './parse-properties.ts'
import { parseQuoted } from './parse-scalar.ts'

const OPEN_SEQ = 91
const CLOSE_SEQ = 93
const CLOSE_MAP = 125

/** Reads `[…]` or `{…}`. */
export function parseFlowCollection(c: Cursor): YamlNode {
  enter(c)
  const node = at(c) === OPEN_SEQ ? parseFlowSeq(c) : parseFlowMap(c)
  leave(c)
  return node
}

function parseFlowSeq(c: Cursor): YamlSeq {
  const node: YamlSeq = { kind: 'seq', items: [], tag: '', source: c.source, start: c.pos, end: 0, keyStart: -1 }
  c.pos++
  for (;;) {
    skipBlank(c)
    if (at(c) === CLOSE_SEQ) break
    node.items.push(parseFlowItem(c))
    skipBlank(c)
    if (at(c) === COMMA) c.pos++
    else if (at(c) !== CLOSE_SEQ) throw syntaxError(c, "did not find expected ',' or ']'")
  }
  c.pos++
  node.end = c.pos
  return node
}

/** An item of a sequence; `[a: b]` holds a mapping of one field. */
function parseFlowItem(c: Cursor): YamlNode {
  const start = c.pos
  const item = parseFlowNode(c)
  skipBlank(c)
  if (!isColon(c, item)) return item
  c.pos++
  const value = parseFlowValue(c)
  value.keyStart = start
  const fields = new Map<string, YamlNode>([[keyOf(c, item).value, value]])
  return { kind: 'map', fields, tag: '', source: c.source, start, end: c.pos, keyStart: -1 }
}

function parseFlowMap(c: Cursor): YamlMap {
  const fields = new Map<string, YamlNode>()
  const node: YamlMap = { kind: 'map', fields, tag: '', source: c.source, start: c.pos, end: 0, keyStart: -1 }
  const merges: YamlNode[] = []
  c.pos++
  for (;;) {
    skipBlank(c)
    if (at(c) === CLOSE_MAP) break
    parseFlowField(c, fields, merges)
    skipBlank(c)
    if (at(c) === COMMA) c.pos++
    else if (at(c) !== CLOSE_MAP) throw syntaxError(c, "did not find expected ',' or '}'")
  }
  c.pos++
  node.end = c.pos
  if (merges.length > 0) mergeInto(c, fields, merges)
  return node
}

function parseFlowField(c: Cursor, fields: Map<string, YamlNode>, merges: YamlNode[]): void {
  if (at(c) === QUESTION && isBlankOrEnd(at(c, 1))) {
    c.pos++
    skipBlank(c)
  }
  const keyStart = c.pos
  const key = parseFlowNode(c)
  skipBlank(c)
  const hasValue = isColon(c, key)
  if (hasValue) c.pos++
  const value = hasValue ? parseFlowValue(c) : emptyScalar(c)
  value.keyStart = keyStart
  addField(c, fields, merges, keyOf(c, key), value)
}

/** A `:` ends a key; behind a quoted key or a collection nothing need follow it. */
function isColon(c: Cursor, key: YamlNode): boolean {
  if (at(c) !== COLON) return false
  const next = at(c, 1)
  return isBlankOrEnd(next) || isFlowIndicator(next) || key.kind !== 'scalar' || key.style !== 'plain'
}

function parseFlowValue(c: Cursor): YamlNode {
  skipBlank(c)
  const code = at(c)
  if (code === COMMA || code === CLOSE_SEQ || code === CLOSE_MAP) return emptyScalar(c)
  return parseFlowNode(c)
}

function parseFlowNode(c: Cursor): YamlNode {
  const code = at(c)
  if (code !== code) throw syntaxError(c, "did not find expected ',' or ']'", c.pos, 'a bracket is never closed')
  if (code === 38 || code === 33) {
    const properties = parseProperties(c)
    skipBlank(c)
    const next = at(c)
    const isEmpty = next === COMMA || next === CLOSE_SEQ || next === CLOSE_MAP || next === COLON
    return register(c, properties, isEmpty ? emptyScalar(c) : parseFlowNode(c))
  }
  if (code === DQUOTE || code === SQUOTE) return parseQuoted(c, 0)
  if (code === OPEN_SEQ || code === 123) return parseFlowCollection(c)
  if (code === 42) return parseAlias(c)
  return parseFlowPlain(c)
}

function parseFlowPlain(c: Cursor): YamlScalar {
  const start = c.pos
  let value = ''
  for (;;) {
    const end = flowLineEnd(c.text, c.pos)
    value += c.text.slice(c.pos, end)
    c.pos = end
    const before = { pos: c.pos, lineStart: c.lineStart, comments: c.comments.length }
    const breaks = crossBreaks(c)
    if (breaks === 0 || isFlowIndicator(at(c)) || at(c) === HASH || at(c) === COLON || at(c) !== at(c)) {
      c.pos = before.pos
      c.lineStart = before.lineStart
      break
    }
    value += breaks === 1 ? ' ' : '\n'.repeat(breaks - 1)
  }
  if (c.pos === start && at(c) !== COLON) throw syntaxError(c, 'did not find expected node content')
  return { kind: 'scalar', value, tag: '', style: 'plain', source: c.source, start, end: c.pos, keyStart: -1 }
}

function crossBreaks(c: Cursor): number {
  let breaks = 0
  for (; isBlankOrEnd(at(c)) && c.pos < c.text.length; c.pos++) {
    if (at(c) !== 10) continue
    breaks++
    c.lineStart = c.pos + 1
  }
  return breaks
}

function flowLineEnd(text: string, start: number): number {
  let end = start
  for (let i = start; ; i++) {
    const code = text.charCodeAt(i)
    if (code !== code || code === 10 || isFlowIndicator(code)) return end
    if (code === COLON && (isBlankOrEnd(text.charCodeAt(i + 1)) || isFlowIndicator(text.charCodeAt(i + 1)))) return end
    if (code === HASH && i > end) return end
    if (code !== 32 && code !== 9 && code !== 13) end = i + 1
  }
}

function isFlowIndicator(code: number): boolean {
  return code === COMMA || code === OPEN_SEQ || code === CLOSE_SEQ || code === 123 || code === CLOSE_MAP
}

function keyOf(c: Cursor, node: YamlNode): YamlScalar {
  if (node.kind === 'scalar') return node
  throw syntaxError(c, 'a mapping key that is no scalar', node.start)
}

function emptyScalar(c: Cursor): YamlScalar {
  return {
    kind: 'scalar',
    value: '',
    tag: '',
    style: 'plain',
    source: c.source,
    start: c.pos,
    end: c.pos,
    keyStart: -1,
  }
}
