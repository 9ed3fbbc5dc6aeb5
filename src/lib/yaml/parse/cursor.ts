import { SluiceError } from '../../error/sluice-error.ts'
import type { Aliases, DuplicateKey, Source, YamlComment, YamlNode } from '../nodes.ts'
import { TAB, LF, CR, SPACE, HASH, DASH, startOf } from '../characters.ts'
import { hintFor } from './hints.ts'
import { positionOf } from '../position.ts'
import type { YamlRules } from '../resolve.ts'

/** Where the reader is, and what it has seen of the document at hand. */
export type Cursor = {
  readonly source: Source
  /** The text with line feeds for every line end. */
  readonly text: string
  /** Whether the source has line ends that are no line feeds and stay what they are. */
  readonly keepsBreaks: boolean
  /** Which library's reading of `<<` holds. */
  readonly rules: YamlRules
  readonly aliases: Aliases
  pos: number
  /** Offset where what belongs to the document at hand begins. */
  documentStart: number
  /** Offset of the first character of the line at hand. */
  lineStart: number
  depth: number
  /** How many fields and items were read. */
  nodes: number
  /** How many brackets are open. */
  flowDepth: number
  /** How many nodes aliases may still copy. */
  aliasBudget: number
  anchors: Map<string, YamlNode>
  comments: YamlComment[]
  duplicates: DuplicateKey[]
}

const MAX_DEPTH = 1000
/** Nodes take some 200 bytes each. */
const MAX_NODES = 4_000_000
const MAX_ALIAS_NODES = 1_000_000
/** Line ends besides the usual ones: a carriage return alone, NEXT LINE, and two that stay what they are. */
const ODD_BREAK = /\r(?!\n)|[\x85\u2028\u2029]/g
const NOT_ALLOWED = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]/

/** A reader at the start of a text; a byte order mark is skipped. */
export function createCursor(source: Source, rules: YamlRules, aliases: Aliases = 'copied'): Cursor {
  const start = startOf(source.text)
  const c: Cursor = {
    source,
    text: source.text.replace(ODD_BREAK, '\n'),
    keepsBreaks: /[\u2028\u2029]/.test(source.text),
    rules,
    aliases,
    pos: start,
    documentStart: start,
    lineStart: start,
    depth: 0,
    nodes: 0,
    flowDepth: 0,
    aliasBudget: MAX_ALIAS_NODES,
    anchors: new Map(),
    comments: [],
    duplicates: [],
  }
  const control = source.text.search(NOT_ALLOWED)
  if (control >= 0) throw errorAt(c, 'YAML_SYNTAX', 'control characters are not allowed', control)
  return c
}

/** The character at hand; NaN at the end of the text. */
export function at(c: Cursor, ahead = 0): number {
  return c.text.charCodeAt(c.pos + ahead)
}

/** Column of the position at hand, from 0. */
export function column(c: Cursor): number {
  return c.pos - c.lineStart
}

/** Whether a character ends a token: space, tab, line end, end of text. */
export function isBlankOrEnd(code: number): boolean {
  return code === SPACE || code === LF || code === TAB || code === CR || code !== code
}

/** Skips spaces, tabs, comments and line ends; answers whether a line end was crossed. */
export function skipBlank(c: Cursor): boolean {
  const { text } = c
  let crossed = c.pos === c.lineStart
  for (;;) {
    const code = text.charCodeAt(c.pos)
    if (code === SPACE || code === CR) c.pos++
    else if (code === TAB) skipTab(c, crossed)
    else if (code === LF) {
      c.pos++
      c.lineStart = c.pos
      crossed = true
    } else if (code === HASH) skipComment(c)
    else return crossed
  }
}

/** A tab may separate; in block context it may not stand before the first character of a line. */
function skipTab(c: Cursor, crossed: boolean): void {
  const isIndent = crossed && c.flowDepth === 0 && c.text.slice(c.lineStart, c.pos).trim() === ''
  if (isIndent) throw tabError(c)
  c.pos++
}

/** Refuses a tab between a `-` or `?` and what follows on its line. */
export function refuseTab(c: Cursor): void {
  let end = c.pos
  while (c.text.charCodeAt(end) === SPACE) end++
  if (c.text.charCodeAt(end) !== TAB) return
  c.pos = end
  throw tabError(c)
}

function tabError(c: Cursor): SluiceError {
  return syntaxError(c, 'found character that cannot start any token', c.pos, 'indent with spaces, not with tabs')
}

/** Reads a comment; a carriage return before the line's end is no part of it. */
export function skipComment(c: Cursor): void {
  let end = c.text.indexOf('\n', c.pos)
  if (end < 0) end = c.text.length
  const last = c.text.charCodeAt(end - 1) === CR ? end - 1 : end
  c.comments.push({ start: c.pos, end: last })
  c.pos = end
}

/** What a scalar has for the line ends between two places: one line feed becomes a space, the first of several goes. */
export function foldedBreaks(c: Cursor, from: number, to: number): string {
  const crossed = c.keepsBreaks ? c.source.text.slice(from, to).replace(ODD_BREAK, asBreak) : c.text.slice(from, to)
  const breaks = crossed.replace(/[^\n\u2028\u2029]/g, '')
  if (!breaks.startsWith('\n')) return breaks
  return breaks.slice(1) || ' '
}

/** The line end at an offset of the text. */
export function breakAt(c: Cursor, offset: number): string {
  return c.keepsBreaks ? (c.source.text[offset] ?? '\n').replace(/[^\u2028\u2029]/, '\n') : '\n'
}

function asBreak(found: string): string {
  return found === '\u2028' || found === '\u2029' ? found : '\n'
}

/** Whether `---` or `...` stands at the start of the line at hand. */
export function atDocumentMarker(c: Cursor): boolean {
  if (c.pos !== c.lineStart) return false
  const code = at(c)
  if (code !== DASH && code !== 46) return false
  return at(c, 1) === code && at(c, 2) === code && isBlankOrEnd(at(c, 3))
}

/** Counts a level of nesting; every `enter` has its `leave`. */
export function enter(c: Cursor): void {
  if (++c.depth > MAX_DEPTH)
    throw errorAt(c, 'YAML_LIMIT', `nested deeper than ${MAX_DEPTH} levels`, c.pos, 'flatten the document')
}

/** Counts a field or an item. */
export function countNode(c: Cursor): void {
  if (++c.nodes > MAX_NODES)
    throw errorAt(c, 'YAML_LIMIT', `more than ${MAX_NODES} fields and items`, c.pos, 'split the file')
}

/** Ends a level of nesting. */
export function leave(c: Cursor): void {
  c.depth--
}

/** A YAML_SYNTAX error at an offset, by default the one at hand. */
export function syntaxError(c: Cursor, message: string, offset = c.pos, hint = hintFor(message)): SluiceError {
  return errorAt(c, 'YAML_SYNTAX', message, offset, hint)
}

/** An error at an offset of the text. */
export function errorAt(
  c: Cursor,
  code: 'YAML_SYNTAX' | 'YAML_LIMIT',
  message: string,
  offset: number,
  hint?: string,
): SluiceError {
  const { line, column: col } = positionOf(c.source, offset)
  return new SluiceError(code, message, { where: `${c.source.file}:${line}:${col}`, ...(hint ? { hint } : {}) })
}
