import { HASH } from '../characters.ts'
import {
  codeAt,
  endsToken,
  isBlank,
  isBreak,
  isBreakOrEnd,
  isDigit,
  isWord,
  markOf,
  scanFault,
  skip,
  skipBlanks,
  skipBreak,
  skipLine,
  type Mark,
  type Reading,
} from './reading.ts'

/** A directive: `%YAML` with its version, `%TAG` with its handle. */
export type Directive =
  { readonly kind: 'version'; readonly value: string } | { readonly kind: 'tag-directive'; readonly value: string }

/** Moves over `&name` or `*name`; answers the name. */
export function scanAnchor(reading: Reading): string {
  const start = markOf(reading)
  skip(reading)
  const name = readWord(reading)
  const isEnded = endsToken(codeAt(reading)) || '?:,]}%@`'.includes(reading.text.charAt(reading.index))
  if (name === '' || !isEnded) throw scanFault(reading, 'did not find expected alphabetic or numeric character', start)
  return name
}

function readWord(reading: Reading): string {
  const from = reading.index
  while (isWord(codeAt(reading))) skip(reading)
  return reading.text.slice(from, reading.index)
}

/** Moves over a tag; answers its handle, which is empty for `!<…>` and for `!` alone. */
export function scanTag(reading: Reading): string {
  const start = markOf(reading)
  const handle = codeAt(reading, 1) === 60 ? scanVerbatim(reading, start) : scanShorthand(reading, start)
  if (!endsToken(codeAt(reading))) throw scanFault(reading, 'did not find expected whitespace or line break', start)
  return handle
}

function scanVerbatim(reading: Reading, start: Mark): string {
  skip(reading, 2)
  scanUri(reading, start, false)
  if (codeAt(reading) !== 62) throw scanFault(reading, "did not find the expected '>'", start)
  skip(reading)
  return ''
}

function scanShorthand(reading: Reading, start: Mark): string {
  const handle = scanHandle(reading, start, false)
  const isHandle = handle.length > 1 && handle.endsWith('!')
  const from = reading.index
  scanUri(reading, start, !isHandle)
  if (isHandle) return handle
  return handle.length > 1 || reading.index > from ? '!' : ''
}

function scanHandle(reading: Reading, start: Mark, isDirective: boolean): string {
  if (codeAt(reading) !== 33) throw scanFault(reading, "did not find expected '!'", start)
  skip(reading)
  const word = readWord(reading)
  if (codeAt(reading) === 33) {
    skip(reading)
    return `!${word}!`
  }
  if (isDirective && word !== '') throw scanFault(reading, "did not find expected '!'", start)
  return `!${word}`
}

function scanUri(reading: Reading, start: Mark, mayBeEmpty: boolean): void {
  const from = reading.index
  for (;;) {
    if (codeAt(reading) === 37) scanEscapedCharacter(reading, start)
    else if (isWord(codeAt(reading)) || ";/?:@&=+$,.!~*'()[]".includes(reading.text[reading.index] ?? '\n'))
      skip(reading)
    else break
  }
  if (!mayBeEmpty && reading.index === from) throw scanFault(reading, 'did not find expected tag URI', start)
}

/** Moves over `%c3%a9`, one character. */
function scanEscapedCharacter(reading: Reading, start: Mark): void {
  const first = readOctet(reading, start)
  const width = first < 0x80 ? 1 : first >> 5 === 6 ? 2 : first >> 4 === 14 ? 3 : first >> 3 === 30 ? 4 : 0
  if (width === 0) throw scanFault(reading, 'found an incorrect leading UTF-8 octet', start)
  skip(reading, 3)
  for (let i = 1; i < width; i++) {
    if (readOctet(reading, start) >> 6 !== 2) throw scanFault(reading, 'found an incorrect trailing UTF-8 octet', start)
    skip(reading, 3)
  }
}

function readOctet(reading: Reading, start: Mark): number {
  const written = reading.text.slice(reading.index, reading.index + 3)
  if (!/^%[0-9A-Fa-f]{2}$/.test(written)) throw scanFault(reading, 'did not find URI escaped octet', start)
  return Number.parseInt(written.slice(1), 16)
}

/** Moves over a directive and its line. */
export function scanDirective(reading: Reading): Directive {
  const start = markOf(reading)
  skip(reading)
  const name = readWord(reading)
  if (name === '') throw scanFault(reading, 'could not find expected directive name', start)
  if (!endsToken(codeAt(reading))) throw scanFault(reading, 'found unexpected non-alphabetical character', start)
  const directive = scanDirectiveValue(reading, name, start)
  skipBlanks(reading)
  if (codeAt(reading) === HASH) skipLine(reading)
  if (!isBreakOrEnd(codeAt(reading))) throw scanFault(reading, 'did not find expected comment or line break', start)
  if (isBreak(codeAt(reading))) skipBreak(reading)
  return directive
}

function scanDirectiveValue(reading: Reading, name: string, start: Mark): Directive {
  if (name === 'YAML') {
    skipBlanks(reading)
    const major = readVersionNumber(reading, start)
    if (codeAt(reading) !== 46) throw scanFault(reading, "did not find expected digit or '.' character", start)
    skip(reading)
    return { kind: 'version', value: `${major}.${readVersionNumber(reading, start)}` }
  }
  if (name !== 'TAG') throw scanFault(reading, 'found unknown directive name', start)
  skipBlanks(reading)
  const handle = scanHandle(reading, start, true)
  if (!isBlank(codeAt(reading))) throw scanFault(reading, 'did not find expected whitespace', start)
  skipBlanks(reading)
  scanUri(reading, start, false)
  if (!endsToken(codeAt(reading))) throw scanFault(reading, 'did not find expected whitespace or line break', start)
  return { kind: 'tag-directive', value: handle }
}

function readVersionNumber(reading: Reading, start: Mark): number {
  const from = reading.index
  while (isDigit(codeAt(reading))) {
    if (reading.index - from === 2) throw scanFault(reading, 'found extremely long version number', start)
    skip(reading)
  }
  if (reading.index === from) throw scanFault(reading, 'did not find expected version number', start)
  return Number(reading.text.slice(from, reading.index))
}
