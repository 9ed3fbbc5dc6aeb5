import { type Glob, parseGlob } from './glob.ts'

/** Reads a variable; undefined when it is not set. */
export type Lookup = (name: string) => string | undefined

/** A text that cannot be expanded; the caller knows file and line. */
export class ExpandError extends Error {}

/**
 * Expands `$x`, `${x}`, `${x:-y}`, `${x-y}`, `${x:+y}`, `${x+y}`, `${x:?why}`, `${x?why}`, `${x#p}`, `${x##p}`, `${x%p}`, `${x%%p}`,
 * `${x/p/r}` and `${x//p/r}` as Dockerfiles do, and takes quotes and escapes away. Single quotes keep what is inside.
 *
 * @throws ExpandError for an unfinished or unknown form
 */
export function expandWord(text: string, lookup: Lookup, escape = '\\'): string {
  const { value, at } = scan(text, 0, lookup, escape, undefined)
  return at === text.length ? value : value + text.slice(at)
}

/** Splits at spaces outside quotes, then expands each word; a word stays one word whatever its variables hold. */
export function expandWords(text: string, lookup: Lookup, escape = '\\'): string[] {
  return splitWords(text, escape).map((word) => expandWord(word, lookup, escape))
}

/** Splits at spaces outside quotes; quotes and escapes stay. */
export function splitWords(text: string, escape = '\\'): string[] {
  const words: string[] = []
  let word = ''
  let quote = ''
  let braces = 0
  for (let at = 0; at < text.length; at++) {
    const char = text.charAt(at)
    if (char === escape && quote !== "'") {
      word += char + text.charAt(++at)
      continue
    }
    if (quote !== '' ? char === quote : char === '"' || char === "'") quote = quote === '' ? char : ''
    else if (quote === '' && char === '$' && text.charAt(at + 1) === '{') braces++
    else if (quote === '' && char === '}' && braces > 0) braces--
    else if (quote === '' && braces === 0 && /\s/.test(char)) {
      if (word !== '') words.push(word)
      word = ''
      continue
    }
    word += char
  }
  if (word !== '') words.push(word)
  return words
}

type Scanned = { readonly value: string; readonly at: number }

function scan(text: string, from: number, lookup: Lookup, escape: string, until: string | undefined): Scanned {
  let value = ''
  let at = from
  while (at < text.length) {
    const char = text.charAt(at)
    if (char === until) return { value, at }
    if (char === "'") {
      const end = text.indexOf("'", at + 1)
      if (end < 0) throw new ExpandError('a single quote is not closed')
      value += text.slice(at + 1, end)
      at = end + 1
    } else if (char === '"') {
      const quoted = scanDouble(text, at + 1, lookup, escape)
      value += quoted.value
      at = quoted.at + 1
    } else if (char === escape) {
      value += text.charAt(at + 1)
      at += 2
    } else {
      const piece = scanPiece(text, at, lookup, escape)
      value += piece.value
      at = piece.at
    }
  }
  if (until !== undefined) throw new ExpandError(`"${text.slice(0, 80)}" lacks a closing "${until}"`)
  return { value, at }
}

function scanDouble(text: string, from: number, lookup: Lookup, escape: string): Scanned {
  let value = ''
  for (let at = from; at < text.length;) {
    const char = text.charAt(at)
    if (char === '"') return { value, at }
    if (char === escape && `"$${escape}`.includes(text.charAt(at + 1)) && at + 1 < text.length) {
      value += text.charAt(at + 1)
      at += 2
    } else {
      const piece = scanPiece(text, at, lookup, escape)
      value += piece.value
      at = piece.at
    }
  }
  throw new ExpandError('a double quote is not closed')
}

/** A variable, or a character as it is. */
function scanPiece(text: string, at: number, lookup: Lookup, escape: string): Scanned {
  return text.charAt(at) === '$' ? scanVariable(text, at, lookup, escape) : { value: text.charAt(at), at: at + 1 }
}

function scanVariable(text: string, from: number, lookup: Lookup, escape: string): Scanned {
  if (text.charAt(from + 1) !== '{') {
    const name = /^[A-Za-z_][A-Za-z0-9_]*/.exec(text.slice(from + 1))?.[0]
    if (name === undefined) return { value: '$', at: from + 1 }
    return { value: lookup(name) ?? '', at: from + 1 + name.length }
  }
  const head = /^\$\{([A-Za-z_][A-Za-z0-9_]*)(:?[-+?]|\/\/?|##?|%%?)?/.exec(text.slice(from))
  if (!head) throw new ExpandError(`"${text.slice(from, from + 40)}" is no variable`)
  const [whole, name = '', operator] = head
  const start = from + whole.length
  if (operator === undefined) {
    if (text.charAt(start) !== '}') throw new ExpandError(`unsupported modifier in "${text.slice(from, from + 40)}"`)
    return { value: lookup(name) ?? '', at: start + 1 }
  }
  if (operator.startsWith('/')) return replaceForm(text, start, name, operator, lookup, escape)
  const word = scan(text, start, lookup, escape, '}')
  return { value: applyOperator(name, operator, word.value, lookup(name)), at: word.at + 1 }
}

function applyOperator(name: string, operator: string, word: string, current: string | undefined): string {
  const isSet = operator.startsWith(':') ? current !== undefined && current !== '' : current !== undefined
  switch (operator.replace(':', '')) {
    case '-':
      return isSet ? (current ?? '') : word
    case '+':
      return isSet ? word : ''
    case '?':
      if (isSet) return current ?? ''
      throw new ExpandError(`${name}: ${word === '' ? 'is not set' : word}`)
    default:
      return trim(current ?? '', operator, word)
  }
}

/** Longer values are not searched for patterns: the time grows with their square. */
const MAX_SEARCHED = 16_384

function trim(value: string, operator: string, pattern: string): string {
  const glob = patternFor(value, pattern)
  const isLongest = operator.length === 2
  if (operator.startsWith('#')) {
    const ends = glob.endsFrom(value, 0)
    return value.slice((isLongest ? ends.at(-1) : ends[0]) ?? 0)
  }
  const starts = Array.from({ length: value.length + 1 }, (_, index) => (isLongest ? index : value.length - index))
  const start = starts.find((from) => glob.endsFrom(value, from).at(-1) === value.length)
  return value.slice(0, start ?? value.length)
}

function replaceForm(
  text: string,
  from: number,
  name: string,
  operator: string,
  lookup: Lookup,
  escape: string,
): Scanned {
  const pattern = scan(text, from, lookup, escape, '/')
  const word = scan(text, pattern.at + 1, lookup, escape, '}')
  const value = replaceMatches(lookup(name) ?? '', pattern.value, word.value, operator === '//')
  return { value, at: word.at + 1 }
}

function replaceMatches(value: string, pattern: string, replacement: string, isGlobal: boolean): string {
  const glob = patternFor(value, pattern)
  let result = ''
  let at = 0
  while (at < value.length) {
    const end = glob.endsFrom(value, at).at(-1) ?? at
    if (end === at) result += value.charAt(at++)
    else {
      result += replacement
      at = end
      if (!isGlobal) break
    }
  }
  return result + value.slice(at)
}

function patternFor(value: string, pattern: string): Glob {
  if (value.length > MAX_SEARCHED || pattern.length > 1024) throw new ExpandError('the value is too long for a pattern')
  return parseGlob(pattern, { slashIsPlain: true })
}
