import { trimEndOf } from '../../value/trim-end.ts'
import { COLON, CR, DQUOTE, HASH, LF, SPACE, TAB } from '../characters.ts'
import { atDocumentMarker, foldedBreaks, isBlankOrEnd, syntaxError, type Cursor } from './cursor.ts'
import { readEscape } from './escapes.ts'
import type { YamlScalar } from '../nodes.ts'

/** What is left out before a line break inside quotes. */
const BLANKS = ' \t\r'

/** Reads one line of a plain scalar in block context: where it ends, and whether a `: ` ended it. */
export function parsePlainLine(
  text: string,
  start: number,
): { readonly end: number; readonly stoppedAtColon: boolean } {
  let i = start
  let end = start
  for (;;) {
    const code = text.charCodeAt(i)
    if (code === COLON && isBlankOrEnd(text.charCodeAt(i + 1))) return { end, stoppedAtColon: true }
    if (code === LF || code !== code) return { end, stoppedAtColon: false }
    if (code === HASH && i > end) return { end, stoppedAtColon: false }
    i++
    if (code !== SPACE && code !== TAB && code !== CR) end = i
  }
}

/** Reads a plain scalar in block context; lines further right than the parent continue it. */
export function parsePlain(c: Cursor, minColumn: number): YamlScalar {
  const start = c.pos
  checkPlainStart(c)
  const first = parsePlainLine(c.text, start)
  let value = c.text.slice(start, first.end)
  c.pos = first.end
  let isOver = first.stoppedAtColon
  while (!isOver) {
    const end = c.pos
    if (nextLine(c, minColumn) === 0) break
    const line = parsePlainLine(c.text, c.pos)
    if (line.stoppedAtColon) throw mappingValue(c, line.end)
    value += foldedBreaks(c, end, c.pos) + c.text.slice(c.pos, line.end)
    c.pos = line.end
    isOver = line.stoppedAtColon
  }
  return { kind: 'scalar', value, tag: '', style: 'plain', source: c.source, start, end: c.pos, keyStart: -1 }
}

function mappingValue(c: Cursor, offset: number): Error {
  return syntaxError(
    c,
    'mapping values are not allowed in this context',
    offset,
    'check the indentation of this line and of the one above',
  )
}

/** Refuses a plain scalar that starts with what means something else. */
export function checkPlainStart(c: Cursor): void {
  const code = c.text.charCodeAt(c.pos)
  if (code === 37 || code === 64 || code === 96)
    throw syntaxError(c, 'found character that cannot start any token', c.pos, 'quote the value')
  if (code === 93 || code === 125 || code === 44)
    throw syntaxError(c, 'did not find expected node content', c.pos, 'quote the value')
  if (code === 33 || code === 38) throw syntaxError(c, 'did not find expected key', c.pos, 'quote the value')
}

/** Moves to the first character of a continuing line; answers the number of line ends crossed, 0 when none continues. */
function nextLine(c: Cursor, minColumn: number): number {
  const { text } = c
  let i = c.pos
  let lineStart = c.lineStart
  let breaks = 0
  for (;;) {
    const code = text.charCodeAt(i)
    if (code === LF) {
      breaks++
      lineStart = i + 1
      i++
    } else if (code === TAB && breaks > 0 && i - lineStart < minColumn) {
      throw syntaxError(c, 'found a tab character that violates indentation', i, 'indent with spaces')
    } else if (code === SPACE || code === CR || code === TAB) i++
    else break
  }
  const code = text.charCodeAt(i)
  if (breaks === 0 || code !== code || code === HASH || i - lineStart < minColumn) return 0
  const saved = { pos: c.pos, lineStart: c.lineStart }
  c.pos = i
  c.lineStart = lineStart
  if (!atDocumentMarker(c)) return breaks
  Object.assign(c, saved)
  return 0
}

/** Reads a quoted scalar, which may go over several lines. */
export function parseQuoted(c: Cursor): YamlScalar {
  const start = c.pos
  const isDouble = c.text.charCodeAt(start) === DQUOTE
  c.pos++
  const value = isDouble ? readDouble(c, start) : readSingle(c, start)
  return {
    kind: 'scalar',
    value,
    tag: '',
    style: isDouble ? 'double' : 'single',
    source: c.source,
    start,
    end: c.pos,
    keyStart: -1,
  }
}

function readSingle(c: Cursor, start: number): string {
  let value = ''
  for (;;) {
    const quote = c.text.indexOf("'", c.pos)
    if (quote < 0) throw unterminated(c, start)
    const lineFeed = c.text.lastIndexOf('\n', quote)
    if (lineFeed >= c.pos) {
      const first = c.text.indexOf('\n', c.pos)
      value += trimEndOf(c.text.slice(c.pos, first), BLANKS)
      c.pos = first
      value += foldBreaks(c, start)
      continue
    }
    value += c.text.slice(c.pos, quote)
    c.pos = quote + 1
    if (c.text.charCodeAt(c.pos) !== 39) return value
    value += "'"
    c.pos++
  }
}

function readDouble(c: Cursor, start: number): string {
  const { text } = c
  let value = ''
  let from = c.pos
  for (;;) {
    const code = text.charCodeAt(c.pos)
    if (code !== code) throw unterminated(c, start)
    if (code === DQUOTE) {
      value += text.slice(from, c.pos++)
      return value
    }
    if (code === 92) {
      value += text.slice(from, c.pos)
      if (isEscapedBreak(text, c.pos + 1)) {
        c.pos = text.indexOf('\n', c.pos)
        const folded = foldBreaks(c, start)
        value += folded === ' ' ? '' : folded
      } else value += readEscape(c)
      from = c.pos
    } else if (code === LF) {
      value += trimEndOf(text.slice(from, c.pos), BLANKS)
      value += foldBreaks(c, start)
      from = c.pos
    } else c.pos++
  }
}

function isEscapedBreak(text: string, i: number): boolean {
  return text.charCodeAt(i) === LF || (text.charCodeAt(i) === CR && text.charCodeAt(i + 1) === LF)
}

/** Crosses the line ends at hand: one becomes a space, n become n-1 line feeds. */
function foldBreaks(c: Cursor, start: number): string {
  const from = c.pos
  nextQuotedLine(c, start)
  if (atDocumentMarker(c)) throw syntaxError(c, 'found unexpected document indicator')
  return foldedBreaks(c, from, c.pos)
}

function nextQuotedLine(c: Cursor, start: number): void {
  for (;;) {
    const code = c.text.charCodeAt(c.pos)
    if (code !== code) throw unterminated(c, start)
    if (code === LF) c.lineStart = c.pos + 1
    else if (code !== SPACE && code !== TAB && code !== CR) return
    c.pos++
  }
}

function unterminated(c: Cursor, start: number): Error {
  return syntaxError(c, 'found unexpected end of stream', start, 'the quote that opens here is never closed')
}
