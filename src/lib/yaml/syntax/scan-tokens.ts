import { COLON, COMMA, DASH, DQUOTE, HASH, QUESTION, SPACE, SQUOTE, startOf, TAB } from '../characters.ts'
import type { YamlRules } from '../resolve.ts'
import {
  codeAt,
  endsToken,
  isBlankOrBreak,
  isBreak,
  isEnd,
  isMarkerAt,
  markOf,
  scanFault,
  skip,
  skipBreak,
  skipLine,
  type Mark,
  type Reading,
} from './reading.ts'
import { scanAnchor, scanDirective, scanTag, type Directive } from './scan-names.ts'
import { scanBlockScalar, scanPlain, scanQuoted } from './scan-scalars.ts'

/** One token of YAML; `value` is the name of an anchor, the handle of a tag, what a directive says. */
export type Token = { readonly kind: TokenKind; readonly start: Mark; readonly value?: string }
type TokenKind =
  | Directive['kind']
  | 'stream-start'
  | 'stream-end'
  | 'document-start'
  | 'document-end'
  | 'block-sequence'
  | 'block-mapping'
  | 'block-end'
  | 'flow-sequence'
  | 'flow-mapping'
  | 'flow-sequence-end'
  | 'flow-mapping-end'
  | 'block-entry'
  | 'flow-entry'
  | 'key'
  | 'value'
  | 'alias'
  | 'anchor'
  | 'tag'
  | 'scalar'

/** A token that turns out to be a key once its `:` comes; `isRequired` where nothing but a key may stand. */
type PossibleKey = { readonly number: number; readonly isRequired: boolean; readonly mark: Mark }

/** The reader of tokens, as Go's library has it: it reads ahead, and so finds faults before its parser does. */
export type Scanner = Reading & {
  readonly queue: Token[]
  /** How many tokens were taken from the queue. */
  taken: number
  hasStarted: boolean
  indent: number
  readonly indents: number[]
  /** The possible key of each open bracket, and of the block around them. */
  readonly keys: (PossibleKey | undefined)[]
  /** Where in `keys` the possible key that begins with a token stands, by the token's number. */
  readonly keyAt: Map<number, number>
  isKeyAllowed: boolean
  /** Whether the token at the head of the queue is known to be no key. */
  isAvailable: boolean
}

/** How many characters a key may be long. */
const LONGEST_KEY = 1024

/** A scanner at the start of a text; a byte order mark is skipped there, and nowhere else. */
export function createScanner(text: string, rules: YamlRules): Scanner {
  return {
    ...{ text, rules, index: startOf(text), line: 0, column: 0 },
    ...{
      queue: [],
      taken: 0,
      hasStarted: false,
      indent: -1,
      indents: [],
      keys: [undefined],
      keyAt: new Map(),
      isKeyAllowed: true,
      isAvailable: false,
    },
  }
}

/** The token at hand, read together with those that may make a key of it; the newer library reads two more for comments' sake. */
export function peekToken(s: Scanner): Token {
  const ahead = s.rules === 'v3' ? 2 : 0
  // What is asked for again was complete when it was asked for first.
  while (!s.isAvailable && (s.queue.length <= ahead || mayBecomeKey(s))) fetchToken(s)
  s.isAvailable = true
  const [token] = s.queue
  if (token === undefined) throw new Error('a token was fetched and is not there')
  return token
}

/** Takes the token at hand. */
export function takeToken(s: Scanner): Token {
  const token = peekToken(s)
  s.queue.shift()
  s.taken++
  s.isAvailable = false
  return token
}

function mayBecomeKey(s: Scanner): boolean {
  const at = s.keyAt.get(s.taken)
  return at !== undefined && validKey(s, at) !== undefined
}

/** The possible key of a bracket, unless the line is over or it is too long. */
function validKey(s: Scanner, at: number): PossibleKey | undefined {
  const key = s.keys[at]
  if (key === undefined || (key.mark.line === s.line && key.mark.index + LONGEST_KEY >= s.index)) return key
  dropKey(s, at)
  return undefined
}

function dropKey(s: Scanner, at = s.keys.length - 1): void {
  const key = s.keys[at]
  if (key?.isRequired) throw scanFault(s, "could not find expected ':'", key.mark)
  forgetKey(s, at)
}

function forgetKey(s: Scanner, at: number): void {
  const key = s.keys[at]
  if (key) s.keyAt.delete(key.number)
  s.keys[at] = undefined
}

function saveKey(s: Scanner): void {
  if (!s.isKeyAllowed) return
  const isRequired = !isInFlow(s) && s.indent === s.column
  dropKey(s)
  const [at, number] = [s.keys.length - 1, s.taken + s.queue.length]
  s.keys[at] = { number, isRequired, mark: markOf(s) }
  s.keyAt.set(number, at)
}

const isInFlow = ({ keys }: Scanner): boolean => keys.length > 1

function push(s: Scanner, kind: TokenKind, start = markOf(s), value?: string): void {
  s.queue.push(value === undefined ? { kind, start } : { kind, start, value })
}

/** Opens a block at a column, unless one stands there already; `number` is that of the token before which it opens. */
function openBlock(s: Scanner, kind: 'block-sequence' | 'block-mapping', mark: Mark, number?: number): void {
  if (isInFlow(s) || s.indent >= mark.column) return
  s.indents.push(s.indent)
  s.indent = mark.column
  s.queue.splice(number === undefined ? s.queue.length : number - s.taken, 0, { kind, start: mark })
}

function closeBlocks(s: Scanner, column: number, mark: Mark): void {
  if (isInFlow(s)) return
  while (s.indent > column) {
    push(s, 'block-end', mark)
    s.indent = s.indents.pop() ?? -1
  }
}

function fetchToken(s: Scanner): void {
  if (!s.hasStarted) {
    s.hasStarted = true
    return push(s, 'stream-start')
  }
  const before = markOf(s)
  skipToToken(s)
  closeBlocks(s, s.column, s.rules === 'v3' ? before : markOf(s))
  const code = codeAt(s)
  if (isEnd(code)) return fetchEnd(s)
  if (s.column === 0 && code === 37) return fetchDirective(s)
  if (isMarkerAt(s)) return fetchMarker(s)
  if (!fetchIndicator(s, code) && !fetchNode(s, code)) throw scanFault(s, 'found character that cannot start any token')
}

function skipToToken(s: Scanner): void {
  for (;;) {
    while (codeAt(s) === SPACE || (codeAt(s) === TAB && (isInFlow(s) || !s.isKeyAllowed))) skip(s)
    if (codeAt(s) === HASH) skipComments(s)
    if (!isBreak(codeAt(s))) return
    skipBreak(s)
    if (!isInFlow(s)) s.isKeyAllowed = true
  }
}

/** Moves over a comment; the newer library reads those of the next lines at once, whatever stands before them. */
function skipComments(s: Scanner): void {
  for (;;) {
    skipLine(s)
    if (s.rules === 'v2') return
    let ahead = 0
    while (isBlankOrBreak(codeAt(s, ahead))) ahead++
    if (codeAt(s, ahead) !== HASH) return
    const next = s.index + ahead
    while (s.index < next) isBreak(codeAt(s)) ? skipBreak(s) : skip(s)
  }
}

function fetchEnd(s: Scanner): void {
  if (s.column !== 0) {
    s.column = 0
    s.line++
  }
  closeBlocks(s, -1, markOf(s))
  dropKey(s)
  s.isKeyAllowed = false
  push(s, 'stream-end')
}

function fetchDirective(s: Scanner): void {
  closeBlocks(s, -1, markOf(s))
  dropKey(s)
  s.isKeyAllowed = false
  const start = markOf(s)
  const { kind, value } = scanDirective(s)
  push(s, kind, start, value)
}

function fetchMarker(s: Scanner): void {
  closeBlocks(s, -1, markOf(s))
  dropKey(s)
  s.isKeyAllowed = false
  push(s, codeAt(s) === DASH ? 'document-start' : 'document-end')
  skip(s, 3)
}

/** Reads a token of one character; false when none is at hand. */
function fetchIndicator(s: Scanner, code: number): boolean {
  const isAlone = endsToken(codeAt(s, 1))
  if (code === 91 || code === 123) openBracket(s, code)
  else if (code === 93 || code === 125) closeBracket(s, code)
  else if (code === COMMA) fetchEntry(s)
  else if (code === DASH && isAlone) fetchDash(s)
  else if (code === QUESTION && (isAlone || isInFlow(s))) fetchKey(s)
  else if (code === COLON && (isAlone || isInFlow(s))) fetchValue(s)
  else return false
  return true
}

function openBracket(s: Scanner, code: number): void {
  saveKey(s)
  s.keys.push(undefined)
  s.isKeyAllowed = true
  push(s, code === 91 ? 'flow-sequence' : 'flow-mapping')
  skip(s)
}

function closeBracket(s: Scanner, code: number): void {
  dropKey(s)
  if (isInFlow(s)) s.keys.pop()
  s.isKeyAllowed = false
  push(s, code === 93 ? 'flow-sequence-end' : 'flow-mapping-end')
  skip(s)
}

function fetchEntry(s: Scanner): void {
  dropKey(s)
  s.isKeyAllowed = true
  push(s, 'flow-entry')
  skip(s)
}

function fetchDash(s: Scanner): void {
  if (!isInFlow(s) && !s.isKeyAllowed) throw scanFault(s, 'block sequence entries are not allowed in this context')
  openBlock(s, 'block-sequence', markOf(s))
  dropKey(s)
  s.isKeyAllowed = true
  push(s, 'block-entry')
  skip(s)
}

function fetchKey(s: Scanner): void {
  if (!isInFlow(s) && !s.isKeyAllowed) throw scanFault(s, 'mapping keys are not allowed in this context')
  openBlock(s, 'block-mapping', markOf(s))
  dropKey(s)
  s.isKeyAllowed = !isInFlow(s)
  push(s, 'key')
  skip(s)
}

function fetchValue(s: Scanner): void {
  const key = validKey(s, s.keys.length - 1)
  if (key) {
    s.queue.splice(key.number - s.taken, 0, { kind: 'key', start: key.mark })
    openBlock(s, 'block-mapping', key.mark, key.number)
    forgetKey(s, s.keys.length - 1)
    s.isKeyAllowed = false
  } else {
    if (!isInFlow(s) && !s.isKeyAllowed) throw scanFault(s, 'mapping values are not allowed in this context')
    openBlock(s, 'block-mapping', markOf(s))
    s.isKeyAllowed = !isInFlow(s)
  }
  push(s, 'value')
  skip(s)
}

/** Characters that begin no plain scalar, unless what follows them says so. */
const INDICATORS = '-?:,[]{}#&*!|>\'"%@`'

/** Reads a token that is a node or its properties; false when none is at hand. */
function fetchNode(s: Scanner, code: number): boolean {
  const start = markOf(s)
  if ((code === 124 || code === 62) && !isInFlow(s)) {
    dropKey(s)
    s.isKeyAllowed = true
    scanBlockScalar(s, s.indent)
    push(s, 'scalar', start)
    return true
  }
  const isName = code === 42 || code === 38 || code === 33
  const isQuoted = code === DQUOTE || code === SQUOTE
  if (!isName && !isQuoted && !beginsPlain(s, code)) return false
  saveKey(s)
  s.isKeyAllowed = false
  if (code === 33) push(s, 'tag', start, scanTag(s))
  else if (isName) push(s, code === 42 ? 'alias' : 'anchor', start, scanAnchor(s))
  else {
    if (isQuoted) scanQuoted(s)
    else if (scanPlain(s, s.indent, isInFlow(s))) s.isKeyAllowed = true
    push(s, 'scalar', start)
  }
  return true
}

function beginsPlain(s: Scanner, code: number): boolean {
  const next = codeAt(s, 1)
  if (code === DASH) return next !== SPACE && next !== TAB
  if (code === QUESTION || code === COLON) return !isInFlow(s) && !endsToken(next)
  return !endsToken(code) && !INDICATORS.includes(String.fromCharCode(code))
}
