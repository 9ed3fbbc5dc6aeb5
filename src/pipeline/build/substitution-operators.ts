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

/** Longest value that a pattern is tried on, and longest pattern: time grows with both. */
const LONGEST_TRIMMED = 10_000
/** The most characters of a value times parts of a pattern: a fraction of a second. */
const MOST_STEPS = 10_000_000

/** Takes away the shortest or longest beginning that a pattern matches; one of no characters does not count. */
function trimPrefix(value: string, pattern: string, isLongest: boolean): string {
  if (!/[*?[\\]/.test(pattern)) return value.startsWith(pattern) ? value.slice(pattern.length) : value
  if (value.length > LONGEST_TRIMMED)
    throw fault(`a value of ${value.length} bytes is too long for the pattern ${pattern.slice(0, 100)}`)
  if (pattern.length > LONGEST_TRIMMED) throw fault(`a pattern of ${pattern.length} bytes is too long`)
  const glob = compileGlob(pattern)
  if (!glob) return value
  if (value.length * glob.length > MOST_STEPS)
    throw fault(`a pattern of ${pattern.length} bytes is too long for a value of ${value.length} bytes`)
  const lengths = lengthsOf(glob, value)
  const length = isLongest ? lengths.at(-1) : lengths[0]
  return length === undefined ? value : value.slice(length)
}

type Atom = 'star' | ((char: string) => boolean)

/** A pattern of Go's `path.Match` in which `*` and `?` match slashes, too; `undefined` for one that is none. */
function compileGlob(pattern: string): readonly Atom[] | undefined {
  const token = /\*+|\?|\\(.)|\[(\^?)((?:\\.|[^\]\\])(?:\\.|[^\]\\])*)\]|([^\\[])/gsuy
  const atoms: Atom[] = []
  let end = 0
  try {
    for (const [whole, escaped, not, range, char] of text(pattern).matchAll(token)) {
      end += whole.length
      const set = range === undefined ? undefined : new RegExp(`^[${not}${classOf(range)}]$`, 'u')
      if (whole.startsWith('*')) atoms.push('star')
      else if (whole === '?') atoms.push(() => true)
      else atoms.push(set === undefined ? (one) => one === (escaped ?? char) : (one) => set.test(one))
    }
  } catch {
    return undefined
  }
  return end < text(pattern).length ? undefined : atoms
}

/** The lengths of the beginnings that match, the shortest first: where in the pattern one may be is carried on, so that no way is tried twice. */
function lengthsOf(atoms: readonly Atom[], value: string): readonly number[] {
  const lengths: number[] = []
  const note = (states: Uint8Array, length: number): void => {
    if (states[atoms.length] === 1) lengths.push(length)
  }
  let states = closed(
    atoms,
    Uint8Array.from({ length: atoms.length + 1 }, (_, place) => (place === 0 ? 1 : 0)),
  )
  for (let at = 0; at < value.length;) {
    const { char, width } = charOf(value, at)
    // a beginning may end within a character: what is left of it counts as one that cannot be read
    const cut = width > 1 ? advance(atoms, states, UNREADABLE) : undefined
    for (let within = 1; cut !== undefined && within < width; within++) note(cut, at + within)
    states = advance(atoms, states, char)
    at += width
    note(states, at)
  }
  return lengths
}

function advance(atoms: readonly Atom[], from: Uint8Array, char: string): Uint8Array {
  const to = new Uint8Array(from.length)
  for (const [place, atom] of atoms.entries()) {
    if (from[place] !== 1) continue
    if (atom === 'star') to[place] = 1
    else if (atom(char)) to[place + 1] = 1
  }
  return closed(atoms, to)
}

/** A star may stand for nothing. */
function closed(atoms: readonly Atom[], states: Uint8Array): Uint8Array {
  for (const [place, atom] of atoms.entries()) if (atom === 'star' && states[place] === 1) states[place + 1] = 1
  return states
}

const UNREADABLE = '\ufffd'

/** The character at a byte, and how many bytes it has; one that cannot be read has one. */
function charOf(value: string, at: number): { readonly char: string; readonly width: number } {
  const lead = value.charCodeAt(at)
  const width = lead < 0x80 ? 1 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1
  const char = text(value.slice(at, at + width))
  return bytes(char) === value.slice(at, at + width) ? { char, width } : { char: UNREADABLE, width: 1 }
}

/** The inside of `[a-z]`: characters and ranges, each character possibly behind a backslash. */
function classOf(range: string): string {
  return range.replace(/\\(.)|([\^[\]])/gsu, (_, escaped: string | undefined, special: string | undefined) =>
    escaped === undefined ? `\\${special}` : /[\w\s]/.test(escaped) ? escaped : `\\${escaped}`,
  )
}
