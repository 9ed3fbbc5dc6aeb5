import { fault } from './substitution-syntax.ts'

type Operator = (value: string, args: readonly string[]) => string

/**
 * What envsubst does with a value, by operator. Values and arguments are bytes (latin1), as Go counts them.
 *
 * @throws SluiceError KUSTOMIZE_BUILD for what would stop Flux
 */
export function operate(operator: string, value: string, args: readonly string[]): string {
  if (operator === '#' && args.length === 0) return String(value.length)
  return (Object.hasOwn(OPERATORS, operator) ? OPERATORS[operator] : orDefault)?.(value, args) ?? value
}

const orDefault: Operator = (value, args) => (value === '' ? args.join('') : value)

const OPERATORS: Readonly<Record<string, Operator>> = {
  '^': (value) => mapFirst(value, upper),
  '^^': (value) => mapText(value, upper),
  ',': (value) => mapFirst(value, lower),
  ',,': (value) => mapText(value, lower),
  ':': slice,
  '#': (value, [pattern = '']) => trimPrefix(value, pattern, false),
  '##': (value, [pattern = '']) => trimPrefix(value, pattern, true),
  '%': (value, [pattern = '']) => reverse(trimPrefix(reverse(value), reverse(pattern), false)),
  '%%': (value, [pattern = '']) => reverse(trimPrefix(reverse(value), reverse(pattern), true)),
  '/': (value, [old = '', fresh = '']) => value.replace(old, () => fresh),
  '//': replaceAll,
  // Without a replacement these two do nothing at all.
  '/#': (value, [old = '', fresh]) =>
    fresh !== undefined && value.startsWith(old) ? fresh + value.slice(old.length) : value,
  '/%': (value, [old = '', fresh]) =>
    fresh !== undefined && value.endsWith(old) ? value.slice(0, value.length - old.length) + fresh : value,
}

const text = (bytes: string): string => Buffer.from(bytes, 'latin1').toString('utf8')
const bytes = (of: string): string => Buffer.from(of, 'utf8').toString('latin1')

/** A letter for a letter: what would become two (ß) stays. */
const upper = (char: string): string => single(char, char.toUpperCase())
const lower = (char: string): string => (char === 'İ' ? 'i' : single(char, char.toLowerCase()))
const single = (char: string, changed: string): string => ([...changed].length === 1 ? changed : char)

function mapText(value: string, change: (char: string) => string): string {
  return bytes([...text(value)].map(change).join(''))
}

function mapFirst(value: string, change: (char: string) => string): string {
  const [first = '', ...rest] = text(value)
  return bytes(first === '' ? '' : change(first) + rest.join(''))
}

function reverse(value: string): string {
  return bytes([...text(value)].reverse().join(''))
}

function slice(value: string, [start = '', length]: readonly string[]): string {
  const from = integer(start)
  if (from === undefined) return value
  const begin = from < 0 ? Math.max(value.length + from, 0) : from
  if (length === undefined) return value.slice(begin)
  const count = integer(length)
  if (count === undefined) return value
  if (begin + count >= value.length) return value.slice(begin)
  // Go's slices end the reconcile here.
  if (count < 0) throw fault(`a length of ${count} is below zero`)
  return value.slice(begin, begin + count)
}

function integer(word: string): number | undefined {
  return /^[+-]?\d{1,15}$/.test(word) ? Number(word) : undefined
}

function replaceAll(value: string, [old = '', fresh = '']: readonly string[]): string {
  if (old !== '') return value.replaceAll(old, () => fresh)
  return fresh + [...text(value)].map((char) => bytes(char) + fresh).join('')
}

/** Longest value that a pattern is tried on; each of its beginnings is. */
const LONGEST_TRIMMED = 10_000

/** Takes away the shortest or longest beginning that a pattern matches; one of no characters does not count. */
function trimPrefix(value: string, pattern: string, isLongest: boolean): string {
  if (!/[*?[\\]/.test(pattern)) return value.startsWith(pattern) ? value.slice(pattern.length) : value
  if (value.length > LONGEST_TRIMMED)
    throw fault(`a value of ${value.length} bytes is too long for the pattern ${pattern}`)
  const matches = compileGlob(pattern)
  if (!matches) return value
  const lengths = Array.from({ length: value.length }, (_, index) => (isLongest ? value.length - index : index + 1))
  const length = lengths.find((one) => matches(value.slice(0, one)))
  return length === undefined ? value : value.slice(length)
}

/** A pattern of Go's `path.Match` in which `*` and `?` match slashes, too; `undefined` for one that is none. */
function compileGlob(pattern: string): ((value: string) => boolean) | undefined {
  const token = /\*+|\?|\\(.)|\[(\^?)((?:\\.|[^\]\\])(?:\\.|[^\]\\])*)\]|([^\\[])/gsuy
  let source = ''
  let end = 0
  for (const [whole, escaped, not, range, char] of text(pattern).matchAll(token)) {
    end += whole.length
    if (whole.startsWith('*')) source += '[^]*'
    else if (whole === '?') source += '[^]'
    else if (range !== undefined) source += `[${not}${classOf(range)}]`
    else source += quote(escaped ?? char ?? '')
  }
  if (end < text(pattern).length) return undefined
  try {
    const expression = new RegExp(`^(?:${source})$`, 'u')
    return (value) => expression.test(text(value))
  } catch {
    return undefined
  }
}

const quote = (char: string): string => char.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')

/** The inside of `[a-z]`: characters and ranges, each character possibly behind a backslash. */
function classOf(range: string): string {
  return range.replace(/\\(.)|([\^[\]])/gsu, (_, escaped: string | undefined, special: string | undefined) =>
    escaped === undefined ? `\\${special}` : /[\w\s]/.test(escaped) ? escaped : `\\${escaped}`,
  )
}
