import { syntaxError, type Cursor } from './cursor.ts'

const SIMPLE: Readonly<Record<string, string>> = {
  '0': '\0',
  a: '\x07',
  b: '\b',
  t: '\t',
  '\t': '\t',
  n: '\n',
  v: '\v',
  f: '\f',
  r: '\r',
  e: '\x1b',
  ' ': ' ',
  '"': '"',
  "'": "'",
  '/': '/',
  '\\': '\\',
  N: '\x85',
  _: '\xa0',
  L: '\u2028',
  P: '\u2029',
}

const HEX_LENGTH: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 }

/** Reads the escape sequence at hand (a backslash) of a double-quoted scalar. */
export function readEscape(c: Cursor): string {
  const letter = c.text[c.pos + 1] ?? ''
  const simple = SIMPLE[letter]
  if (simple !== undefined) {
    c.pos += 2
    return simple
  }
  const length = HEX_LENGTH[letter]
  if (length === undefined) throw syntaxError(c, 'found unknown escape character')
  const hex = c.text.slice(c.pos + 2, c.pos + 2 + length)
  if (hex.length < length || !/^[0-9a-fA-F]+$/.test(hex))
    throw syntaxError(c, 'did not find expected hexdecimal number')
  const code = parseInt(hex, 16)
  if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
    throw syntaxError(c, 'found invalid Unicode character escape code')
  c.pos += 2 + length
  return String.fromCodePoint(code)
}
