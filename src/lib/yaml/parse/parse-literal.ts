import { CR, HASH, LF, SPACE, TAB } from '../characters.ts'
import { at, breakAt, isBlankOrEnd, syntaxError, type Cursor, skipComment } from './cursor.ts'
import type { YamlScalar } from '../nodes.ts'

type Header = { readonly isFolded: boolean; readonly chomp: 'clip' | 'strip' | 'keep'; readonly indent: number }

/** Reads `|` and `>` scalars. `minColumn` is one more than the parent's column. */
export function parseBlockScalar(c: Cursor, minColumn: number): YamlScalar {
  const start = c.pos
  const header = parseHeader(c)
  const parent = Math.max(minColumn - 1, 0)
  const indent = header.indent > 0 ? (minColumn === 0 ? 0 : parent) + header.indent : detectIndent(c, minColumn)
  const lines = readLines(c, indent)
  const joined = joinLines(lines, header)
  const value = c.keepsBreaks && !header.isFolded ? withBreaks(c, joined, start) : joined
  const style = header.isFolded ? 'folded' : 'literal'
  return { kind: 'scalar', value, tag: '', style, source: c.source, start, end: c.pos, keyStart: -1 }
}

function parseHeader(c: Cursor): Header {
  const isFolded = at(c) === 62
  let chomp: Header['chomp'] = 'clip'
  let indent = 0
  c.pos++
  for (; !isBlankOrEnd(at(c)) && at(c) !== HASH; c.pos++) {
    const code = at(c)
    if (code === 43) chomp = 'keep'
    else if (code === 45) chomp = 'strip'
    else if (code >= 49 && code <= 57 && indent === 0) indent = code - 48
    else throw syntaxError(c, 'did not find expected comment or line break')
  }
  while (at(c) === SPACE || at(c) === 9 || at(c) === CR) c.pos++
  if (at(c) === HASH) skipComment(c)
  if (at(c) !== LF && c.pos < c.text.length) throw syntaxError(c, 'did not find expected comment or line break')
  return { isFolded, chomp, indent }
}

/** The widest column up to the first line that is not empty; at least the parent's plus one. */
function detectIndent(c: Cursor, minColumn: number): number {
  let i = c.pos + 1
  let widest = 0
  for (;;) {
    const lineStart = i
    while (c.text.charCodeAt(i) === SPACE) i++
    const code = c.text.charCodeAt(i)
    if (code === TAB) throw syntaxError(c, 'found a tab character where an indentation space is expected', i)
    if (code === LF || (code === CR && c.text.charCodeAt(i + 1) === LF)) {
      widest = Math.max(widest, i - lineStart)
      i = code === LF ? i + 1 : i + 2
      continue
    }
    if (code !== code) return Math.max(widest, minColumn, 1)
    return Math.max(i - lineStart, widest, minColumn, 1)
  }
}

/** The lines of the scalar without their indentation; the cursor ends behind the last one's text. */
function readLines(c: Cursor, indent: number): string[] {
  const { text } = c
  const lines: string[] = []
  while (c.pos < text.length) {
    const lineStart = c.pos + 1
    if (lineStart >= text.length) {
      c.pos = text.length
      c.lineStart = text.length
      lines.push('')
      break
    }
    let i = lineStart
    while (i - lineStart < indent && text.charCodeAt(i) === SPACE) i++
    const code = text.charCodeAt(i)
    const isEmpty = code === LF || code !== code || (code === CR && text.charCodeAt(i + 1) === LF)
    if (!isEmpty && (i - lineStart < indent || isMarker(text, lineStart, indent))) break
    let end = text.indexOf('\n', i)
    if (end < 0) end = text.length
    const stop = text.charCodeAt(end - 1) === CR && end > i ? end - 1 : end
    lines.push(text.slice(i, stop))
    c.lineStart = lineStart
    c.pos = end
    if (end === text.length) break
  }
  if (c.pos < text.length) lines.push('')
  return lines
}

function isMarker(text: string, i: number, indent: number): boolean {
  if (indent > 0) return false
  const three = text.slice(i, i + 3)
  return (three === '---' || three === '...') && isBlankOrEnd(text.charCodeAt(i + 3))
}

/** Puts the line ends of the source where they are no line feeds; the first one behind the header ends that. */
function withBreaks(c: Cursor, value: string, start: number): string {
  let end = c.text.indexOf('\n', start)
  return value.replace(/\n/g, () => {
    end = c.text.indexOf('\n', end + 1)
    return breakAt(c, end)
  })
}

/** Joins lines; the last one is '' when the text ended with a line feed. */
function joinLines(lines: readonly string[], header: Header): string {
  const isTerminated = lines.at(-1) === ''
  const content = isTerminated ? lines.slice(0, -1) : [...lines]
  let trailing = 0
  while (content.length > 0 && content.at(-1) === '') {
    content.pop()
    trailing++
  }
  const body = header.isFolded ? fold(content) : content.join('\n')
  if (header.chomp === 'strip') return body
  const ends = (content.length > 0 && (isTerminated || trailing > 0) ? 1 : 0) + trailing
  if (header.chomp === 'keep') return body + '\n'.repeat(ends)
  return content.length > 0 && ends > 0 ? `${body}\n` : body
}

/** Folds lines: single breaks between lines of text become spaces; lines that start with a blank keep theirs. */
function fold(lines: readonly string[]): string {
  let out = ''
  let breaks = 0
  let wasBlank = false
  let isFirst = true
  for (const line of lines) {
    if (line === '') {
      breaks++
      continue
    }
    const isBlank = line.startsWith(' ') || line.startsWith('\t')
    if (isFirst) out += '\n'.repeat(breaks)
    else if (isBlank || wasBlank) out += '\n'.repeat(breaks + 1)
    else out += breaks === 0 ? ' ' : '\n'.repeat(breaks)
    out += line
    breaks = 0
    wasBlank = isBlank
    isFirst = false
  }
  return out
}
