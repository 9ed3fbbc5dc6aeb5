import { DQUOTE, HASH, SQUOTE, SPACE, TAB } from '../characters.ts'
import {
  codeAt,
  endsToken,
  isBlank,
  isBlankOrBreak,
  isBreak,
  isBreakOrEnd,
  isDigit,
  isEnd,
  isMarkerAt,
  markOf,
  scanFault,
  skip,
  skipBlanks,
  skipBreak,
  skipLine,
  type Mark,
  type Reading,
} from './reading.ts'

/** Moves over a literal or folded scalar, whose block stands at `indent`. */
export function scanBlockScalar(reading: Reading, indent: number): void {
  const start = markOf(reading)
  skip(reading)
  const increment = readHeader(reading, start)
  skipBlanks(reading)
  if (codeAt(reading) === HASH) skipLine(reading)
  if (!isBreakOrEnd(codeAt(reading))) throw scanFault(reading, 'did not find expected comment or line break', start)
  if (isBreak(codeAt(reading))) skipBreak(reading)
  const given = increment === 0 ? 0 : Math.max(indent, 0) + increment
  const own = skipBlockBreaks(reading, given, indent, start)
  while (reading.column === own && !isEnd(codeAt(reading))) {
    skipLine(reading)
    if (isBreak(codeAt(reading))) skipBreak(reading)
    skipBlockBreaks(reading, own, indent, start)
  }
}

/** Reads `+`, `-` and the indentation, in any order; 0 when none is given. */
function readHeader(reading: Reading, start: Mark): number {
  const hadSign = skipSign(reading)
  const code = codeAt(reading)
  if (!isDigit(code)) return 0
  if (code === 48) throw scanFault(reading, 'found an indentation indicator equal to 0', start)
  skip(reading)
  if (!hadSign) skipSign(reading)
  return code - 48
}

function skipSign(reading: Reading): boolean {
  const code = codeAt(reading)
  if (code !== 43 && code !== 45) return false
  skip(reading)
  return true
}

/** Moves over indentation and empty lines; answers the indentation of the scalar, found out where it is not given (0). */
function skipBlockBreaks(reading: Reading, given: number, indent: number, start: Mark): number {
  let widest = 0
  for (;;) {
    const isWithin = (): boolean => given === 0 || reading.column < given
    while (isWithin() && codeAt(reading) === SPACE) skip(reading)
    widest = Math.max(widest, reading.column)
    if (isWithin() && codeAt(reading) === TAB)
      throw scanFault(reading, 'found a tab character where an indentation space is expected', start)
    if (!isBreak(codeAt(reading))) break
    skipBreak(reading)
  }
  return given === 0 ? Math.max(widest, indent + 1, 1) : given
}

/** Moves over a quoted scalar. */
export function scanQuoted(reading: Reading): void {
  const start = markOf(reading)
  const quote = codeAt(reading)
  skip(reading)
  for (;;) {
    if (isMarkerAt(reading)) throw scanFault(reading, 'found unexpected document indicator', start)
    if (isEnd(codeAt(reading))) throw scanFault(reading, 'found unexpected end of stream', start)
    if (scanQuotedWord(reading, quote, start)) return skip(reading)
    while (isBlankOrBreak(codeAt(reading))) isBlank(codeAt(reading)) ? skip(reading) : skipBreak(reading)
  }
}

/** Moves over what has no blanks; answers whether the quote that ends the scalar was reached. */
function scanQuotedWord(reading: Reading, quote: number, start: Mark): boolean {
  while (!endsToken(codeAt(reading))) {
    const code = codeAt(reading)
    if (code === quote) {
      if (quote === DQUOTE || codeAt(reading, 1) !== SQUOTE) return true
      skip(reading, 2)
    } else if (code === 92 && quote === DQUOTE) {
      if (isBreak(codeAt(reading, 1))) {
        skip(reading)
        skipBreak(reading)
        return codeAt(reading) === quote
      }
      scanEscape(reading, start)
    } else skip(reading)
  }
  return codeAt(reading) === quote
}

/** Letters of escapes, and how many hexadecimal digits follow them. */
const DIGITS_OF_ESCAPE: ReadonlyMap<string, number> = new Map([
  ...[...'0abt\tnvfre "\'\\N_LP'].map((letter) => [letter, 0] as const),
  ['x', 2],
  ['u', 4],
  ['U', 8],
])

function scanEscape(reading: Reading, start: Mark): void {
  const digits = DIGITS_OF_ESCAPE.get(reading.text[reading.index + 1] ?? '')
  if (digits === undefined) throw scanFault(reading, 'found unknown escape character', start)
  skip(reading, 2)
  if (digits === 0) return
  const written = reading.text.slice(reading.index, reading.index + digits)
  if (!/^[0-9A-Fa-f]+$/.test(written) || written.length < digits)
    throw scanFault(reading, 'did not find expected hexdecimal number', start)
  const value = Number.parseInt(written, 16)
  if ((value >= 0xd800 && value <= 0xdfff) || value > 0x10ffff)
    throw scanFault(reading, 'found invalid Unicode character escape code', start)
  skip(reading, digits)
}

/**
 * Moves over a plain scalar, and over the blanks behind it.
 *
 * @param indent that of the block it stands in
 * @returns whether it ended with a line
 */
export function scanPlain(reading: Reading, indent: number, isInFlow: boolean): boolean {
  const start = markOf(reading)
  let hasCrossed = false
  for (;;) {
    if (isMarkerAt(reading) || codeAt(reading) === HASH) break
    while (!endsToken(codeAt(reading)) && !endsPlain(reading, isInFlow)) {
      hasCrossed = false
      skip(reading)
    }
    if (!isBlankOrBreak(codeAt(reading))) break
    while (isBlankOrBreak(codeAt(reading))) {
      if (hasCrossed && reading.column <= indent && codeAt(reading) === TAB)
        throw scanFault(reading, 'found a tab character that violates indentation', start)
      if (isBlank(codeAt(reading))) skip(reading)
      else {
        skipBreak(reading)
        hasCrossed = true
      }
    }
    if (!isInFlow && reading.column <= indent) break
  }
  return hasCrossed
}

function endsPlain(reading: Reading, isInFlow: boolean): boolean {
  const code = codeAt(reading)
  if (code === 58 && endsToken(codeAt(reading, 1))) return true
  return isInFlow && IN_FLOW.has(code)
}

/** `,` `?` `[` `]` `{` `}` */
const IN_FLOW: ReadonlySet<number> = new Set([44, 63, 91, 93, 123, 125])
