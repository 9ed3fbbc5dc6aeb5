import { invert, PERL, POSIX, type Ranges, tidy } from './classes.ts'
import { foldCase } from './fold.ts'
import { fault, look, type Reader, take, takeChar, takes } from './reader.ts'
import { unicodeClass } from './unicode.ts'

const NAMED = /\[:(\^?)(.*?):\]/sy
const PERL_CLASS = /\\([dswDSW])/y
const UNICODE_CLASS = /\\([pP])(?:\{([^}]*)\}|(.?))/suy
const OPEN_CLASS = /\\[pP]\{[^}]*$/y
const DASH = /-(?=[^\]])/y
const OCTAL = /0[0-7]{0,2}|[1-7][0-7]{1,2}/y
const HEX = /x(?:([0-9a-f]{2})|\{0*([0-9a-f]{1,5}|10[0-9a-f]{4})\})/iy
/** As far as Go reads it. */
const WRONG_HEX = /x\{0*(?:(?:1[1-9a-f]|[2-9a-f][0-9a-f])[0-9a-f]{4}|10[0-9a-f]{5})|x\{[0-9a-f]*.?|x[^{].?|x/isuy

/** Reads `[…]`; nothing but its end and ranges is special in it. */
export function parseClass(reader: Reader): Ranges {
  const start = reader.at++
  const isNegated = takes(reader, '^')
  const ranges: number[] = []
  for (let isFirst = true; isFirst || reader.pattern[reader.at] !== ']'; isFirst = false)
    ranges.push(...(readNamedClass(reader) ?? readClassEscape(reader) ?? readRange(reader, start)))
  reader.at++
  return isNegated ? invert(ranges) : tidy(ranges)
}

/** `[:alnum:]`, `[:^alnum:]`: undefined when there is none here. */
function readNamedClass(reader: Reader): Ranges | undefined {
  if (reader.pattern[reader.at] !== '[') return undefined
  const found = take(reader, NAMED)
  if (!found) return undefined
  const ranges = POSIX.get(found[2] ?? '')
  if (!ranges) throw fault('invalid character class range', found[0])
  return signed(ranges, found[1] === '', reader)
}

/** `\d`, `\W`, `\pL`, `\p{Greek}`, `\P{^Greek}`: undefined (unread) when there is none here. */
export function readClassEscape(reader: Reader): Ranges | undefined {
  if (reader.pattern[reader.at] !== '\\') return undefined
  const perl = take(reader, PERL_CLASS)?.[1]
  if (perl !== undefined) {
    const name = perl.toLowerCase()
    return signed(PERL.get(name) ?? [], perl === name, reader)
  }
  if (!look(reader, UNICODE_CLASS)) return undefined
  if (look(reader, OPEN_CLASS)) throw fault('invalid character class range', reader.pattern.slice(reader.at))
  const [whole = '', sign, braced, bare = ''] = take(reader, UNICODE_CLASS) ?? []
  const name = braced ?? bare
  const ranges = unicodeClass(name.replace(/^\^/, ''))
  if (!ranges) throw fault('invalid character class range', whole)
  return signed(ranges, (sign === 'p') !== name.startsWith('^'), reader)
}

function signed(ranges: Ranges, isPositive: boolean, { flags }: Reader): Ranges {
  const folded = flags.i ? foldCase(ranges) : ranges
  return isPositive ? tidy(folded) : invert(folded)
}

function readRange(reader: Reader, classStart: number): Ranges {
  const start = reader.at
  const low = readClassChar(reader, classStart)
  const high = take(reader, DASH) ? readClassChar(reader, classStart) : low
  if (high < low) throw fault('invalid character class range', reader.pattern.slice(start, reader.at))
  return reader.flags.i ? foldCase([low, high]) : [low, high]
}

function readClassChar(reader: Reader, classStart: number): number {
  if (reader.at >= reader.pattern.length) throw fault('missing closing ]', reader.pattern.slice(classStart))
  const char = reader.pattern[reader.at] === '\\' ? readEscapedChar(reader) : takeChar(reader)
  return char.codePointAt(0) ?? 0
}

const CONTROL: ReadonlyMap<string, string> = new Map([
  ['a', '\x07'],
  ['f', '\f'],
  ['t', '\t'],
  ['n', '\n'],
  ['r', '\r'],
  ['v', '\v'],
])

/** `\n`, `\x{1F600}`, `\077`, `\.`: the character that an escape stands for. */
export function readEscapedChar(reader: Reader): string {
  const start = reader.at++
  if (start + 1 >= reader.pattern.length) throw fault('trailing backslash at end of expression', '')
  const octal = take(reader, OCTAL)
  if (octal) return String.fromCodePoint(parseInt(octal[0], 8))
  const char = reader.pattern[reader.at] === 'x' ? readHex(reader) : readPlain(takeChar(reader))
  if (char === undefined) throw fault('invalid escape sequence', reader.pattern.slice(start, reader.at))
  return char
}

/** What stands for itself behind a backslash is no letter, no digit and ASCII. */
function readPlain(char: string): string | undefined {
  return CONTROL.get(char) ?? (/^[^0-9A-Za-z\x80-\u{10ffff}]$/u.test(char) ? char : undefined)
}

/** `x41`, `x{1F600}`; what is wrong is read as far as Go reads it. */
function readHex(reader: Reader): string | undefined {
  const found = take(reader, HEX)
  if (found) return String.fromCodePoint(parseInt(found[1] ?? found[2] ?? '', 16))
  take(reader, WRONG_HEX)
  return undefined
}
