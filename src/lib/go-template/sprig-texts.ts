import { createHash } from 'node:crypto'
import { posix } from 'node:path'
import { trimEndOf } from '../value/trim-end.ts'
import { connectWords, joinWords } from './word-cases.ts'
import { bounded, boundedList, type GoFunction, list, LONGEST, number, show, text, type Value } from './values.ts'

const present = (given: readonly Value[]): readonly Value[] => given.filter((one) => one !== undefined && one !== null)

/** Sprig's functions of texts. */
export const textFunctions: Readonly<Record<string, GoFunction>> = {
  hello: () => 'Hello!',
  lower: (one) => text(one).toLowerCase(),
  upper: (one) => text(one).toUpperCase(),
  title: (one) => text(one).replace(/(^|\s)(\S)/g, (whole) => whole.toUpperCase()),
  untitle: (one) => text(one).replace(/(^|\s)(\S)/g, (whole) => whole.toLowerCase()),
  trim: (one) => text(one).trim(),
  trimAll: (cut, one) => trimChars(text(one), text(cut)),
  trimSuffix: (cut, one) =>
    text(one).endsWith(text(cut)) && text(cut) !== '' ? text(one).slice(0, -text(cut).length) : text(one),
  trimPrefix: (cut, one) => (text(one).startsWith(text(cut)) ? text(one).slice(text(cut).length) : text(one)),
  replace: (from, to, one) => bounded(text(one).replaceAll(text(from), text(to))),
  repeat: (count, one) => bounded(text(one).repeat(Math.min(Math.max(0, number(count)), LONGEST))),
  contains: (part, one) => text(one).includes(text(part)),
  hasPrefix: (part, one) => text(one).startsWith(text(part)),
  hasSuffix: (part, one) => text(one).endsWith(text(part)),
  indent: (count, one) => indentBy(number(count), text(one)),
  nindent: (count, one) => `\n${indentBy(number(count), text(one))}`,
  nospace: (one) => text(one).replace(/\s+/g, ''),
  snakecase: (one) => connectWords(text(one), '_'),
  kebabcase: (one) => connectWords(text(one), '-'),
  camelcase: (one) => joinWords(text(one)),
  plural: (one, many, count) => (number(count) === 1 ? one : many),
  initials: (one) =>
    text(one)
      .split(/\s+/)
      .map((word) => [...word][0] ?? '')
      .join(''),
  splitList: (separator, one) => boundedList(text(one).split(text(separator))),
  base: (one) => base(text(one)),
  dir: (one) => directory(text(one)),
  ext: (one) => extension(text(one)),
  b64enc: (one) => Buffer.from(text(one)).toString('base64'),
  b64dec: (one) => fromBase64(text(one)),
  sha1sum: (one) => hashOf('sha1', one),
  sha256sum: (one) => hashOf('sha256', one),
  sha512sum: (one) => hashOf('sha512', one),
  trimall: (cut, one) => trimChars(text(one), text(cut)),
  swapcase: (one) => swapCase(text(one)),
  trunc: (size, one) => truncate(number(size), text(one)),
  substr: (from, to, one) => substring(number(from), number(to), text(one)),
  quote: (...given) =>
    present(given)
      .map((one) => JSON.stringify(text(one)))
      .join(' '),
  squote: (...given) =>
    present(given)
      .map((one) => `'${text(one)}'`)
      .join(' '),
  cat: (...given) => present(given).map(text).join(' ').trim(),
  abbrev: (size, one) => (number(size) < 4 ? text(one) : abbreviate(text(one), 0, number(size))),
  abbrevboth: (from, size, one) =>
    number(size) < 4 || (number(from) > 0 && number(size) < 7)
      ? text(one)
      : abbreviate(text(one), number(from), number(size)),
  wrap: (size, one) => wrap(text(one), number(size), '\n', false),
  wrapWith: (size, by, one) => wrap(text(one), number(size), text(by) || '\n', true),
  toString: show,
  toStrings: (one) => (Array.isArray(one) ? present(list(one)).map(show) : present([one]).map(show)),
  join: (separator, one) =>
    bounded((Array.isArray(one) ? present(list(one)) : present([one])).map(text).join(text(separator))),
  split: (separator, one) => numbered(text(one).split(text(separator))),
  splitn: (separator, most, one) => numbered(splitN(text(one), text(separator), number(most))),
  b32enc: (one) => base32(Buffer.from(text(one))),
  b32dec: (one) => fromBase32(text(one)),
  adler32sum: (one) => String(adler32(Buffer.from(text(one)))),
  osBase: (one) => base(text(one)),
  osDir: (one) => directory(text(one)),
  osExt: (one) => extension(text(one)),
  clean: (one) => posix.normalize(text(one)).replace(/(?<=.)\/$/, ''),
  osClean: (one) => posix.normalize(text(one)).replace(/(?<=.)\/$/, ''),
  isAbs: (one) => text(one).startsWith('/'),
  osIsAbs: (one) => text(one).startsWith('/'),
}

function hashOf(algorithm: string, one: Value): string {
  return createHash(algorithm).update(text(one)).digest('hex')
}

function indentBy(count: number, value: string): string {
  const pad = ' '.repeat(Math.min(Math.max(0, count), 1000))
  return bounded(pad + value.replaceAll('\n', `\n${pad}`))
}

function trimChars(value: string, cut: string): string {
  let [start, end] = [0, value.length]
  while (start < end && cut.includes(value[start] ?? '')) start++
  while (end > start && cut.includes(value[end - 1] ?? '')) end--
  return value.slice(start, end)
}

/** The first letter of a word becomes a large one whatever it was. */
function swapCase(value: string): string {
  return value.replace(/./gsu, (char) => (char !== char.toLowerCase() ? char.toLowerCase() : char.toUpperCase()))
}

function truncate(size: number, value: string): string {
  return size < 0 ? value.slice(Math.min(size, 0)) : value.slice(0, size)
}

function substring(from: number, to: number, value: string): string {
  if (from < 0) return value.slice(0, Math.max(to, 0))
  return to < 0 || to > value.length ? value.slice(from) : value.slice(from, to)
}

const DOTS = '...'

function abbreviate(value: string, from: number, most: number): string {
  if (value.length <= most) return value
  const offset = Math.min(from, value.length, Math.max(value.length - (most - DOTS.length), 0))
  if (offset <= DOTS.length + 1) return value.slice(0, most - DOTS.length) + DOTS
  const isCut = offset + most - DOTS.length < value.length
  if (!isCut) return DOTS + value.slice(value.length - (most - DOTS.length))
  const inner = most - DOTS.length
  return DOTS + (inner < DOTS.length + 1 ? '' : abbreviate(value.slice(offset), 0, inner))
}

/** Breaks lines at blanks; a word that is too long is cut, or stays whole. */
function wrap(value: string, size: number, by: string, cutsWords: boolean): string {
  const width = Math.max(size, 1)
  let out = ''
  let at = 0
  while (value.length - at > width) {
    if (value[at] === ' ') {
      at++
      continue
    }
    const space = value.slice(at, at + width + 1).lastIndexOf(' ')
    const next = value.indexOf(' ', at + width)
    if (space < 0 && next < 0 && !cutsWords) break
    const end = space >= 0 ? at + space : cutsWords ? at + width : next
    out += value.slice(at, end) + by
    at = space < 0 && cutsWords ? end : end + 1
  }
  return bounded(out + value.slice(at))
}

function numbered(parts: readonly string[]): ReadonlyMap<string, string> {
  return new Map(boundedList(parts).map((part, i) => [`_${i}`, part]))
}

/** At most so many parts, the last with what is left; 0 makes none. */
function splitN(value: string, by: string, most: number): readonly string[] {
  const parts = value.split(by)
  if (most < 0 || parts.length <= most) return parts
  return most === 0 ? [] : [...parts.slice(0, most - 1), parts.slice(most - 1).join(by)]
}

function base(path: string): string {
  if (path === '') return '.'
  const plain = trimEndOf(path, '/')
  return plain === '' ? '/' : (plain.split('/').at(-1) ?? '')
}

function directory(path: string): string {
  const cleaned = posix.normalize(path.slice(0, path.lastIndexOf('/') + 1) || '.')
  return cleaned.replace(/(?<=.)\/$/, '')
}

function extension(path: string): string {
  return /\.[^./]*$/.exec(path)?.[0] ?? ''
}

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

function base32(bytes: Buffer): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('')
  const letters = (bits.match(/.{1,5}/g) ?? []).map((five) => BASE32[parseInt(five.padEnd(5, '0'), 2)] ?? '').join('')
  return letters.padEnd(Math.ceil(letters.length / 8) * 8, '=')
}

/** What is wrong with the letters is the answer, as in sprig. */
function fromBase32(letters: string): string {
  const digits = trimEndOf(letters, '=')
  const wrong = [...digits].findIndex((letter) => !BASE32.includes(letter))
  if (wrong >= 0 || letters.length % 8 !== 0)
    return `illegal base32 data at input byte ${wrong < 0 ? letters.length : wrong - (wrong % 8)}`
  const bits = [...digits].map((letter) => BASE32.indexOf(letter).toString(2).padStart(5, '0')).join('')
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => parseInt(byte, 2))).toString('utf8')
}

/** As {@link fromBase32}. */
function fromBase64(letters: string): string {
  const wrong = /^[A-Za-z0-9+/]*={0,2}$/.exec(letters) ? -1 : letters.search(/[^A-Za-z0-9+/]/)
  if (wrong >= 0 || letters.length % 4 !== 0)
    return `illegal base64 data at input byte ${wrong < 0 ? letters.length - (letters.length % 4) : wrong}`
  return Buffer.from(letters, 'base64').toString('utf8')
}

function adler32(bytes: Buffer): number {
  let [a, b] = [1, 0]
  for (const byte of bytes) {
    a = (a + byte) % 65521
    b = (b + a) % 65521
  }
  return b * 65536 + a
}
