import * as cursor from './cursor.ts'
import { COLON, CR, DASH, DQUOTE, HASH, LF, QUESTION, SPACE, SQUOTE, TAB } from '../characters.ts'
import { at, column, isBlankOrEnd, syntaxError, type Cursor } from './cursor.ts'
import { addField } from './add-field.ts'
import { mergeInto } from './merge-keys.ts'
import type { YamlMap, YamlNode, YamlScalar, YamlSeq } from '../nodes.ts'
import { parseFlowCollection } from './parse-flow.ts'
import { isNameCharacter, parseAlias, parseProperties, register, type Properties } from './parse-properties.ts'
import { parseBlockScalar } from './parse-literal.ts'
import { checkPlainStart, parsePlain, parsePlainLine, parseQuoted } from './parse-scalar.ts'

/**
 * Reads the node at hand, which may be absent.
 *
 * @param minColumn a node further left belongs to somebody else
 * @param seqColumn a `- ` is welcome from this column on (one less than minColumn for the value of a key)
 * @param mayBeBlock false right behind `key:` on the same line, where no block collection may start
 */
export function parseBlockNode(c: Cursor, minColumn: number, seqColumn: number, mayBeBlock: boolean): YamlNode {
  const crossed = cursor.skipBlank(c)
  const block = mayBeBlock || crossed
  if (isAbsent(c, minColumn, seqColumn)) return emptyScalar(c)
  const code = at(c)
  if (code !== 38 && code !== 33) return parseContent(c, minColumn, block, undefined)
  return parseWithProperties(c, minColumn, seqColumn, block)
}

function isAbsent(c: Cursor, minColumn: number, seqColumn: number): boolean {
  if (c.pos >= c.text.length || cursor.atDocumentMarker(c)) return true
  const col = column(c)
  return col < minColumn && !(col >= seqColumn && isDash(c))
}

function parseWithProperties(c: Cursor, minColumn: number, seqColumn: number, block: boolean): YamlNode {
  const start = c.pos
  const col = column(c)
  const properties = parseProperties(c)
  const crossed = cursor.skipBlank(c)
  if (isAbsent(c, minColumn, seqColumn)) return register(c, properties, emptyScalar(c))
  if (crossed) return register(c, properties, parseContent(c, minColumn, true, undefined))
  if (block && startsKey(c)) return parseMap(c, col, { properties, start })
  return register(c, properties, parseContent(c, minColumn, false, undefined))
}

/** Reads what stands at the cursor; `key` carries the properties of a first key that were read already. */
function parseContent(c: Cursor, minColumn: number, block: boolean, key: undefined): YamlNode {
  const code = at(c)
  const col = column(c)
  if (code === DASH && isBlankOrEnd(at(c, 1))) {
    if (!block) throw syntaxError(c, 'block sequence entries are not allowed in this context')
    return parseSeq(c, col, col < minColumn)
  }
  if (code === QUESTION && isBlankOrEnd(at(c, 1))) {
    if (!block) throw syntaxError(c, 'mapping keys are not allowed in this context')
    return parseMap(c, col, key)
  }
  if (code === 124 || code === 62) return parseBlockScalar(c, minColumn)
  if (block && startsKey(c)) return parseMap(c, col, key)
  const node = parseInline(c, minColumn)
  // the node of a document may have ended, and what follows need not be read
  if (c.depth === 0) return node
  const end = c.pos
  skipSpaces(c)
  if (at(c) === COLON && isBlankOrEnd(at(c, 1))) throw syntaxError(c, 'mapping values are not allowed in this context')
  if (!atLineEnd(c)) throw syntaxError(c, 'did not find expected key')
  c.pos = end
  return node
}

function parseInline(c: Cursor, minColumn: number): YamlNode {
  const code = at(c)
  if (code === DQUOTE || code === SQUOTE) return parseQuoted(c)
  if (code === 91 || code === 123) return parseFlowCollection(c)
  if (code === 42) return parseAlias(c)
  return parsePlain(c, minColumn)
}

function atLineEnd(c: Cursor): boolean {
  const code = at(c)
  return code === LF || code === CR || code !== code || code === HASH
}

function skipSpaces(c: Cursor): void {
  while (at(c) === SPACE || at(c) === TAB) c.pos++
}

/** Looks ahead on the line at hand: does an implicit key start here? */
function startsKey(c: Cursor): boolean {
  const code = at(c)
  if (code === DQUOTE || code === SQUOTE) return colonBehindQuote(c, code)
  if (code === 42) return colonBehindAlias(c)
  if (code === 91 || code === 123) return colonBehindBrackets(c)
  if (code === 124 || code === 62) return false
  return parsePlainLine(c.text, c.pos).stoppedAtColon
}

function colonBehindQuote(c: Cursor, quote: number): boolean {
  return isColonAt(c, quoteEnd(c, c.pos, quote))
}

function isColonAt({ text }: Cursor, offset: number): boolean {
  let i = offset
  while (text.charCodeAt(i) === SPACE) i++
  return text.charCodeAt(i) === COLON && isBlankOrEnd(text.charCodeAt(i + 1))
}

/** Where the quote that begins at an offset has ended; the end of the text when it does not on its line. */
function quoteEnd({ text }: Cursor, start: number, quote: number): number {
  for (let i = start + 1; ; i++) {
    const code = text.charCodeAt(i)
    if (code !== code || code === LF) return text.length
    if (code === 92 && quote === DQUOTE) i++
    else if (code === quote) {
      if (quote === DQUOTE || text.charCodeAt(i + 1) !== SQUOTE) return i + 1
      i++
    }
  }
}

/** The brackets of a key are closed on their line. */
function colonBehindBrackets(c: Cursor): boolean {
  const { text } = c
  let depth = 0
  for (let i = c.pos; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === LF) return false
    if (code === 91 || code === 123) depth++
    else if (code === 93 || code === 125) {
      if (--depth === 0) return isColonAt(c, i + 1)
    } else if ((code === DQUOTE || code === SQUOTE) && !/\w/.test(text[i - 1] ?? '')) i = quoteEnd(c, i, code) - 1
  }
  return false
}

function colonBehindAlias(c: Cursor): boolean {
  let i = c.pos + 1
  while (isNameCharacter(c.text.charCodeAt(i))) i++
  while (c.text.charCodeAt(i) === SPACE) i++
  return c.text.charCodeAt(i) === COLON && isBlankOrEnd(c.text.charCodeAt(i + 1))
}

/** `isIndentless`: it stands in the column of its key, and then the mapping finds out what does not fit. */
function parseSeq(c: Cursor, col: number, isIndentless: boolean): YamlSeq {
  cursor.enter(c)
  const node: YamlSeq = { kind: 'seq', items: [], tag: '', source: c.source, start: c.pos, end: c.pos, keyStart: -1 }
  for (;;) {
    c.pos++
    cursor.refuseTab(c)
    const item = parseBlockNode(c, col + 1, col + 1, true)
    cursor.countNode(c)
    node.items.push(item)
    node.end = item.end
    cursor.skipBlank(c)
    if (c.pos >= c.text.length || column(c) < col || cursor.atDocumentMarker(c)) break
    if (isIndentless && column(c) > col) break
    if (column(c) > col) throw syntaxError(c, "did not find expected '-' indicator")
    if (!isDash(c)) break
  }
  cursor.leave(c)
  return node
}

function isDash(c: Cursor): boolean {
  return at(c) === DASH && isBlankOrEnd(at(c, 1))
}

type KeyProperties = { readonly properties: Properties; readonly start: number }

function parseMap(c: Cursor, col: number, first: KeyProperties | undefined): YamlMap {
  cursor.enter(c)
  const start = first?.start ?? c.pos
  const fields = new Map<string, YamlNode>()
  const node: YamlMap = { kind: 'map', fields, tag: '', source: c.source, start, end: start, keyStart: -1 }
  const merges: YamlNode[] = []
  let given = first
  for (;;) {
    const keyStart = given?.start ?? c.pos
    const key = parseKey(c, given?.properties)
    given = undefined
    const value = key.hasValue ? parseBlockNode(c, col + 1, col, key.isExplicit) : emptyScalar(c)
    value.keyStart = keyStart
    node.end = value.end
    addField(c, node, merges, key.node, value)
    cursor.skipBlank(c)
    if (c.pos >= c.text.length || column(c) < col || cursor.atDocumentMarker(c)) break
    if (column(c) > col || isDash(c)) throw syntaxError(c, 'did not find expected key')
  }
  if (merges.length > 0) mergeInto(c, node, merges)
  cursor.leave(c)
  return node
}

type Key = { readonly node: YamlNode; readonly isExplicit: boolean; readonly hasValue: boolean }

function parseKey(c: Cursor, properties: Properties | undefined): Key {
  if (at(c) === QUESTION && isBlankOrEnd(at(c, 1))) return parseExplicitKey(c)
  if (properties === undefined && (at(c) === 38 || at(c) === 33)) {
    const own = parseProperties(c)
    if (cursor.skipBlank(c)) throw missingColon(c)
    return parseKey(c, own)
  }
  if (at(c) === COLON && isBlankOrEnd(at(c, 1))) throw syntaxError(c, 'did not find expected key')
  if (!startsKey(c)) {
    if ('%@`'.includes(c.text[c.pos] ?? '')) checkPlainStart(c)
    throw missingColon(c)
  }
  const node = parseKeyScalar(c)
  skipSpaces(c)
  if (at(c) !== COLON) throw missingColon(c)
  c.pos++
  return { node: register(c, properties, node), isExplicit: false, hasValue: true }
}

function parseKeyScalar(c: Cursor): YamlNode {
  const code = at(c)
  if (code === DQUOTE || code === SQUOTE) return parseQuoted(c)
  if (code === 42) return parseAlias(c)
  if (code === 91 || code === 123) return parseFlowCollection(c)
  checkPlainStart(c)
  const { end } = parsePlainLine(c.text, c.pos)
  const node = scalarAt(c, c.pos, end)
  c.pos = end
  return node
}

function parseExplicitKey(c: Cursor): Key {
  const col = column(c)
  c.pos++
  cursor.refuseTab(c)
  const node = parseBlockNode(c, col + 1, col + 1, true)
  cursor.skipBlank(c)
  const hasValue = column(c) === col && at(c) === COLON && isBlankOrEnd(at(c, 1))
  if (hasValue) c.pos++
  return { node, isExplicit: true, hasValue }
}

function missingColon(c: Cursor): Error {
  return syntaxError(c, "could not find expected ':'")
}

function scalarAt(c: Cursor, start: number, end: number): YamlScalar {
  const value = c.text.slice(start, end)
  return { kind: 'scalar', value, tag: '', style: 'plain', source: c.source, start, end, keyStart: -1 }
}

function emptyScalar(c: Cursor): YamlScalar {
  return scalarAt(c, c.pos, c.pos)
}
