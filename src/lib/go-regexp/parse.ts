import { SluiceError } from '../error/sluice-error.ts'
import { invert, PERL, POSIX, type Ranges } from './classes.ts'
import type { Node } from './program.ts'

/** A pattern read: its tree, its groups (0 is the whole match) and their names. */
export type Parsed = { readonly node: Node; readonly groups: number; readonly names: ReadonlyMap<string, number> }

type Flags = { readonly i: boolean; readonly m: boolean; readonly s: boolean; readonly U: boolean }
type Reader = {
  readonly pattern: string
  readonly chars: readonly string[]
  at: number
  groups: number
  depth: number
  readonly names: Map<string, number>
}

const DEEPEST = 250
const LONGEST = 10_000

/**
 * Reads a regular expression of Go (RE2): no backreferences, no look-around.
 *
 * @throws SluiceError REGEXP_SYNTAX with Go's own sentence; REGEXP_LIMIT above 10,000 characters
 * @see https://github.com/google/re2/wiki/Syntax
 */
export function parsePattern(pattern: string): Parsed {
  if (pattern.length > LONGEST) throw new SluiceError('REGEXP_LIMIT', 'error parsing regexp: expression too large')
  const reader: Reader = { pattern, chars: [...pattern], at: 0, groups: 1, depth: 0, names: new Map() }
  const node = parseEither(reader, { i: false, m: false, s: false, U: false })
  if (reader.at < reader.chars.length) throw fault('unexpected )', pattern)
  return { node, groups: reader.groups, names: reader.names }
}

function parseEither(reader: Reader, given: Flags): Node {
  if (++reader.depth > DEEPEST) throw fault('expression nests too deeply', reader.pattern)
  const branches: Node[] = []
  let items: Node[] = []
  let flags = given
  for (;;) {
    const char = reader.chars[reader.at]
    if (char === undefined || char === ')') break
    if (char === '|') {
      reader.at++
      branches.push({ kind: 'list', items })
      items = []
      continue
    }
    const changed = char === '(' ? parseFlagChange(reader, flags) : undefined
    if (changed) flags = changed
    else items.push(parseRepeat(reader, flags))
  }
  reader.depth--
  branches.push({ kind: 'list', items })
  return branches.length === 1 ? { kind: 'list', items } : { kind: 'either', items: branches }
}

/** `(?i)` changes the flags of what follows; anything else is left unread. */
function parseFlagChange(reader: Reader, flags: Flags): Flags | undefined {
  const found = /^\(\?([imsU]*)(?:-([imsU]+))?\)/.exec(reader.chars.slice(reader.at, reader.at + 16).join(''))
  if (!found || found[0] === '(?)') return undefined
  reader.at += found[0].length
  return withFlags(flags, found[1] ?? '', found[2] ?? '')
}

function withFlags(flags: Flags, on: string, off: string): Flags {
  const pick = (name: keyof Flags): boolean => (on.includes(name) || flags[name]) && !off.includes(name)
  return { i: pick('i'), m: pick('m'), s: pick('s'), U: pick('U') }
}

function parseRepeat(reader: Reader, flags: Flags): Node {
  const start = reader.at
  let item = parseAtom(reader, flags)
  let previous = ''
  for (;;) {
    const count = parseCount(reader)
    if (!count) return item
    const isLazy = (reader.chars[reader.at] === '?') !== flags.U
    if (reader.chars[reader.at] === '?') reader.at++
    const written = reader.chars.slice(start, reader.at).join('')
    if (previous !== '') throw fault('invalid nested repetition operator', previous + count.text)
    if (count.min > 1000 || (count.max > 1000 && count.max !== Infinity) || count.min > count.max)
      throw fault('invalid repeat count', count.text)
    previous = count.text
    item = { kind: 'repeat', item, min: count.min, max: count.max, isLazy }
    if (written.length > LONGEST) return item
  }
}

function parseCount(reader: Reader): { min: number; max: number; text: string } | undefined {
  const char = reader.chars[reader.at]
  const simple = { '*': [0, Infinity], '+': [1, Infinity], '?': [0, 1] }[char ?? '']
  if (char !== undefined && simple) {
    reader.at++
    return { min: simple[0] ?? 0, max: simple[1] ?? Infinity, text: char }
  }
  if (char !== '{') return undefined
  const found = /^\{(\d{1,5})(,(\d{1,5})?)?\}/.exec(reader.chars.slice(reader.at, reader.at + 16).join(''))
  if (!found) return undefined
  reader.at += found[0].length
  const min = Number(found[1])
  return {
    min,
    max: found[2] === undefined ? min : found[3] === undefined ? Infinity : Number(found[3]),
    text: found[0],
  }
}

function parseAtom(reader: Reader, flags: Flags): Node {
  const char = reader.chars[reader.at] ?? ''
  if (char === '(') return parseGroup(reader, flags)
  if (char === '[') return parseClass(reader, flags)
  if (char === '\\') return parseEscape(reader, flags)
  if ('*+?'.includes(char)) throw fault('missing argument to repetition operator', char)
  if (char === '{' && parseCount({ ...reader, at: reader.at }))
    throw fault('missing argument to repetition operator', '{')
  reader.at++
  if (char === '.') return set(flags.s ? [0, 0x10ffff] : [0, 9, 11, 0x10ffff], flags)
  if (char === '^') return { kind: 'assert', what: flags.m ? 'line-start' : 'text-start' }
  if (char === '$') return { kind: 'assert', what: flags.m ? 'line-end' : 'text-end' }
  return literal(char, flags)
}

function parseGroup(reader: Reader, flags: Flags): Node {
  const head = reader.chars.slice(reader.at, reader.at + 200).join('')
  const named = /^\(\?P?<([A-Za-z0-9_]+)>/.exec(head)
  const flagged = /^\(\?([imsU]*)(?:-([imsU]+))?:/.exec(head)
  if (head.startsWith('(?') && !named && !flagged)
    throw /^\(\?P?</.test(head) && !/^\(\?<[=!]/.test(head)
      ? fault('invalid named capture', head.split('>')[0] + '>')
      : fault('invalid or unsupported Perl syntax', head.slice(0, 3))
  reader.at += (named ?? flagged)?.[0].length ?? 1
  const index = flagged ? 0 : reader.groups++
  const name = named?.[1]
  if (name !== undefined && reader.names.has(name)) throw fault('duplicate capture group name', name)
  if (name !== undefined) reader.names.set(name, index)
  const item = parseEither(reader, flagged ? withFlags(flags, flagged[1] ?? '', flagged[2] ?? '') : flags)
  if (reader.chars[reader.at] !== ')') throw fault('missing closing )', reader.pattern)
  reader.at++
  return flagged ? item : { kind: 'group', item, index }
}

function parseEscape(reader: Reader, flags: Flags): Node {
  const char = reader.chars[reader.at + 1]
  if (char === undefined) throw fault('trailing backslash at end of expression', '')
  const asserted = ({ A: 'text-start', z: 'text-end', b: 'word', B: 'not-word' } as const)[char]
  if (asserted !== undefined) {
    reader.at += 2
    return { kind: 'assert', what: asserted }
  }
  if (char === 'Q') return parseQuoted(reader, flags)
  const ranges = readClassEscape(reader)
  if (ranges) return set(ranges, flags)
  return literal(readEscapedChar(reader), flags)
}

function parseQuoted(reader: Reader, flags: Flags): Node {
  const rest = reader.chars.slice(reader.at + 2)
  const end = rest.findIndex((char, i) => char === '\\' && rest[i + 1] === 'E')
  const quoted = end < 0 ? rest : rest.slice(0, end)
  reader.at += 2 + quoted.length + (end < 0 ? 0 : 2)
  return { kind: 'list', items: quoted.map((char) => literal(char, flags)) }
}

/** `\d`, `\W`, `\pL`, `\p{Greek}`: undefined (unread) when the escape is no class. */
function readClassEscape(reader: Reader): Ranges | undefined {
  const char = reader.chars[reader.at + 1] ?? ''
  const perl = PERL[char.toLowerCase()]
  if (perl) {
    reader.at += 2
    return char === char.toLowerCase() ? perl : invert(perl)
  }
  if (char !== 'p' && char !== 'P') return undefined
  const found = /^\\[pP](?:\{(\^?)([A-Za-z_]+)\}|([A-Z]))/.exec(reader.chars.slice(reader.at, reader.at + 40).join(''))
  const name = found?.[2] ?? found?.[3]
  const ranges = name === undefined ? undefined : unicodeRanges(name)
  if (!found || !ranges) throw fault('invalid character class range', found?.[0] ?? `\\${char}`)
  reader.at += found[0].length
  return (char === 'P') !== (found[1] === '^') ? invert(ranges) : ranges
}

const UNICODE = new Map<string, Ranges | undefined>()

function unicodeRanges(name: string): Ranges | undefined {
  if (UNICODE.has(name)) return UNICODE.get(name)
  const ranges = name === 'Any' ? [0, 0x10ffff] : scanUnicode(name)
  UNICODE.set(name, ranges)
  return ranges
}

function scanUnicode(name: string): Ranges | undefined {
  let test: RegExp
  try {
    test = new RegExp(name.length <= 2 ? `^\\p{${name}}$` : `^\\p{Script=${name}}$`, 'u')
  } catch {
    return undefined
  }
  const ranges: number[] = []
  for (let code = 0; code <= 0x1ffff; code++)
    if (test.test(String.fromCodePoint(code))) {
      if (ranges.at(-1) === code - 1) ranges[ranges.length - 1] = code
      else ranges.push(code, code)
    }
  return ranges
}

const CONTROL: Readonly<Record<string, string>> = { a: '\x07', f: '\f', t: '\t', n: '\n', r: '\r', v: '\v' }

function readEscapedChar(reader: Reader): string {
  const head = reader.chars.slice(reader.at, reader.at + 12).join('')
  const hex = /^\\x(?:([0-9A-Fa-f]{2})|\{([0-9A-Fa-f]{1,6})\})/.exec(head)
  const octal = /^\\(0[0-7]{0,2}|[1-7][0-7]{1,2})/.exec(head)
  const coded = hex ? parseInt(hex[1] ?? hex[2] ?? '0', 16) : octal ? parseInt(octal[1] ?? '0', 8) : undefined
  const char = reader.chars[reader.at + 1] ?? ''
  if (coded !== undefined && coded <= 0x10ffff) {
    reader.at += (hex ?? octal)?.[0].length ?? 2
    return String.fromCodePoint(coded)
  }
  if (!(char in CONTROL) && /[A-Za-z0-9]/.test(char)) throw fault('invalid escape sequence', `\\${char}`)
  reader.at += 2
  return CONTROL[char] ?? char
}

function parseClass(reader: Reader, flags: Flags): Node {
  const start = reader.at++
  const negated = reader.chars[reader.at] === '^'
  if (negated) reader.at++
  const ranges: number[] = []
  for (let isFirst = true; ; isFirst = false) {
    const char = reader.chars[reader.at]
    if (char === undefined) throw fault('missing closing ]', reader.chars.slice(start).join(''))
    if (char === ']' && !isFirst) break
    ranges.push(...readClassItem(reader))
  }
  reader.at++
  if (!negated) return set(ranges, flags)
  return { kind: 'set', ranges, negated: true, foldsCase: flags.i }
}

function readClassItem(reader: Reader): Ranges {
  const posix = /^\[:(\^?)([a-z]+):\]/.exec(reader.chars.slice(reader.at, reader.at + 16).join(''))
  if (posix) {
    const ranges = POSIX[posix[2] ?? '']
    if (!ranges) throw fault('invalid character class range', posix[0])
    reader.at += posix[0].length
    return posix[1] === '^' ? invert(ranges) : ranges
  }
  if (reader.chars[reader.at] === '\\') {
    const ranges = readClassEscape(reader)
    if (ranges) return ranges
  }
  const start = reader.at
  const low = readClassChar(reader)
  const isRange = reader.chars[reader.at] === '-' && ![undefined, ']'].includes(reader.chars[reader.at + 1])
  if (!isRange) return [low, low]
  reader.at++
  const high = readClassChar(reader)
  if (high < low) throw fault('invalid character class range', reader.chars.slice(start, reader.at).join(''))
  return [low, high]
}

function readClassChar(reader: Reader): number {
  if (reader.chars[reader.at] === '\\') return readEscapedChar(reader).codePointAt(0) ?? 0
  return (reader.chars[reader.at++] ?? '').codePointAt(0) ?? 0
}

function literal(char: string, flags: Flags): Node {
  const code = char.codePointAt(0) ?? 0
  return set([code, code], flags)
}

function set(ranges: Ranges, flags: Flags): Node {
  return { kind: 'set', ranges, negated: false, foldsCase: flags.i }
}

function fault(what: string, where: string): SluiceError {
  const quoted = where === '' ? '``' : `\`${where}\``
  return new SluiceError('REGEXP_SYNTAX', `error parsing regexp: ${what}: ${quoted}`, {
    hint: 'patterns are regular expressions of Go (RE2): https://github.com/google/re2/wiki/Syntax',
  })
}
