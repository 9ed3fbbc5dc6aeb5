import { COLON, COMMA, DASH, DQUOTE, HASH, QUESTION, SQUOTE } from '../characters.ts'
import {
  at,
  countNode,
  enter,
  foldedBreaks,
  isBlankOrEnd,
  leave,
  skipBlank,
  syntaxError,
  type Cursor,
} from './cursor.ts'
import { mergeInto } from './merge-keys.ts'
import type { YamlMap, YamlNode, YamlScalar, YamlSeq } from '../nodes.ts'
import { addField } from './add-field.ts'
import { parseAlias, parseProperties, register } from './parse-properties.ts'
import { parseQuoted } from './parse-scalar.ts'

const OPEN_SEQ = 91
const CLOSE_SEQ = 93
const CLOSE_MAP = 125

/** Reads `[…]` or `{…}`. */
export function parseFlowCollection(c: Cursor): YamlNode {
  enter(c)
  c.flowDepth++
  const node = at(c) === OPEN_SEQ ? parseFlowSeq(c) : parseFlowMap(c)
  c.flowDepth--
  leave(c)
  return node
}

function parseFlowSeq(c: Cursor): YamlSeq {
  const node: YamlSeq = {
    kind: 'seq',
    items: [],
    tag: '',
    source: c.source,
    start: c.pos,
    end: 0,
    keyStart: -1,
    isFlow: true,
  }
  c.pos++
  for (;;) {
    skipBlank(c)
    if (at(c) === CLOSE_SEQ) break
    countNode(c)
    node.items.push(parseFlowItem(c, node))
    skipBlank(c)
    if (at(c) === COMMA) c.pos++
    else if (at(c) !== CLOSE_SEQ) throw syntaxError(c, "did not find expected ',' or ']'")
  }
  c.pos++
  node.end = c.pos
  return node
}

/** An item of a sequence; `[a: b]` and `[? a]` hold a mapping of one field. */
function parseFlowItem(c: Cursor, list: YamlSeq): YamlNode {
  const start = c.pos
  const isExplicit = skipQuestion(c)
  const item = parseFlowNode(c)
  const hasValue = skipColon(c, item, start, list)
  if (!hasValue && !isExplicit) return item
  const value = hasValue ? parseFlowValue(c) : emptyScalar(c)
  value.keyStart = start
  const map = flowMap(c, start)
  addField(c, map, [], item, value)
  map.end = c.pos
  return map
}

function flowMap(c: Cursor, start: number): YamlMap {
  return { kind: 'map', fields: new Map(), tag: '', source: c.source, start, end: 0, keyStart: -1, isFlow: true }
}

function parseFlowMap(c: Cursor): YamlMap {
  const node = flowMap(c, c.pos)
  const merges: YamlNode[] = []
  c.pos++
  for (;;) {
    skipBlank(c)
    if (at(c) === CLOSE_MAP) break
    parseFlowField(c, node, merges)
    skipBlank(c)
    if (at(c) === COMMA) c.pos++
    else if (at(c) !== CLOSE_MAP) throw syntaxError(c, "did not find expected ',' or '}'")
  }
  c.pos++
  node.end = c.pos
  if (merges.length > 0) mergeInto(c, node, merges)
  return node
}

function parseFlowField(c: Cursor, map: YamlMap, merges: YamlNode[]): void {
  skipQuestion(c)
  const keyStart = c.pos
  const key = parseFlowNode(c)
  const hasValue = skipColon(c, key, keyStart, map)
  const value = hasValue ? parseFlowValue(c) : emptyScalar(c)
  value.keyStart = keyStart
  addField(c, map, merges, key, value)
}

/** Between brackets a `?` starts a key whatever follows it. */
function skipQuestion(c: Cursor): boolean {
  if (at(c) !== QUESTION) return false
  c.pos++
  skipBlank(c)
  return true
}

/** Moves behind the `:` of a key; behind a quoted key or a collection nothing need follow it, and it must stand on the key's line. */
function skipColon(c: Cursor, key: YamlNode, keyStart: number, within: YamlNode): boolean {
  skipBlank(c)
  if (at(c) !== COLON) return false
  if (!isBlankOrEnd(at(c, 1)) && !isFlowIndicator(at(c, 1)) && key.kind === 'scalar' && key.style === 'plain')
    return false
  if (keyStart < c.lineStart) throw noColonHere(c, within)
  c.pos++
  return true
}

function noColonHere(c: Cursor, { kind }: YamlNode): Error {
  const close = kind === 'seq' ? ']' : '}'
  return syntaxError(c, `did not find expected ',' or '${close}'`, c.pos, 'put the `:` on the line of its key')
}

function parseFlowValue(c: Cursor): YamlNode {
  skipBlank(c)
  const code = at(c)
  if (code === COMMA || code === CLOSE_SEQ || code === CLOSE_MAP) return emptyScalar(c)
  return parseFlowNode(c)
}

function parseFlowNode(c: Cursor): YamlNode {
  const code = at(c)
  if (code !== code) throw syntaxError(c, 'did not find expected node content', c.pos, 'a bracket is never closed')
  if (code === 38 || code === 33) {
    const properties = parseProperties(c)
    skipBlank(c)
    const next = at(c)
    const isEmpty = next === COMMA || next === CLOSE_SEQ || next === CLOSE_MAP || next === COLON
    return register(c, properties, isEmpty ? emptyScalar(c) : parseFlowNode(c))
  }
  if (code === DQUOTE || code === SQUOTE) return parseQuoted(c)
  if (code === OPEN_SEQ || code === 123) return parseFlowCollection(c)
  if (code === 42) return parseAlias(c)
  return parseFlowPlain(c)
}

function checkPlainStart(c: Cursor): void {
  const code = at(c)
  if (code === COLON || (code === DASH && isBlankOrEnd(at(c, 1))) || isFlowIndicator(code))
    throw syntaxError(c, 'did not find expected node content')
  if ('|>%@`'.includes(c.text[c.pos] ?? ''))
    throw syntaxError(c, 'found character that cannot start any token', c.pos, 'quote the value')
}

function parseFlowPlain(c: Cursor): YamlScalar {
  checkPlainStart(c)
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
    value += foldedBreaks(c, end, c.pos)
  }
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
    if (code === COLON && isBlankOrEnd(text.charCodeAt(i + 1))) return end
    if (code === HASH && i > end) return end
    if (code !== 32 && code !== 9 && code !== 13) end = i + 1
  }
}

/** Ends a plain scalar between brackets; a `?` does, too. */
function isFlowIndicator(code: number): boolean {
  return (
    code === COMMA || code === QUESTION || code === OPEN_SEQ || code === CLOSE_SEQ || code === 123 || code === CLOSE_MAP
  )
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
