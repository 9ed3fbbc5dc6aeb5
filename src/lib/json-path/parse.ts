import { trimOf } from '../value/trim-end.ts'

/** A step of a path; each goes from the values that the one before found. */
export type Step =
  | { readonly kind: 'text'; readonly value: string | number | boolean }
  | { readonly kind: 'field'; readonly name: string }
  | { readonly kind: 'wildcard' }
  | { readonly kind: 'recursive' }
  | {
      readonly kind: 'slice'
      readonly from?: number
      readonly to?: number
      readonly step?: number
      readonly isOne: boolean
    }
  | { readonly kind: 'union'; readonly parts: readonly Steps[] }
  | { readonly kind: 'filter'; readonly left: Steps; readonly operator: string; readonly right: Steps }
  /** `range` and its like, which a path of one value has no use for. */
  | { readonly kind: 'word' }
export type Steps = readonly Step[]

/** Why a text is no path. */
export class JsonPathError extends Error {}

/**
 * Reads what stands between the braces of a JSONPath template of Kubernetes; text behind a closing brace is left aside.
 *
 * @throws JsonPathError
 * @see k8s.io/client-go/util/jsonpath parser.go
 */
export function parseJsonPath(text: string): Steps {
  return parseAction({ text: `${text}}`, at: 0 })
}

type Cursor = { readonly text: string; at: number }

const TERMINATORS = new Set([' ', '\t', '\r', '\n', '.', ',', '[', ']', '$', '@', '{', '}'])
const isTerminator = (letter: string | undefined): boolean => letter === undefined || TERMINATORS.has(letter)
const NUMBER = /^[+-]?[\d.]*/
/** What follows an operator is of one line, which is looked at before anything is tried: `=====…\n` would be read again for each sign. */
const FILTER = /^([^!<>=]+)(?=[!<>=])(?=.+$)([!<>=]+)(.+?)$/
const SLICE = /^(-?\d*)(:-?\d*)?(:-?\d*)?$/

function parseAction(cursor: Cursor): Step[] {
  const steps: Step[] = []
  for (;;) {
    const rest = cursor.text.slice(cursor.at)
    const [first] = rest
    if (first === '}') return steps
    if (rest.startsWith('[?(')) steps.push(parseFilter(cursor))
    else if (rest.startsWith('..')) {
      if (steps.at(-1)?.kind === 'recursive') throw new JsonPathError('invalid multiple recursive descent')
      cursor.at += 2
      steps.push({ kind: 'recursive' })
      if (/^[_\p{L}\p{Nd}]/u.test(cursor.text.slice(cursor.at))) steps.push(parseField(cursor))
    } else if (first === undefined || first === '\r' || first === '\n') throw new JsonPathError('unclosed action')
    else if (first === ' ' || first === '@' || first === '$') cursor.at++
    else if (first === '[') steps.push(...parseIndex(cursor))
    else if (first === '"' || first === "'") steps.push(parseQuoted(cursor, first))
    else if (first === '.') {
      cursor.at++
      steps.push(parseField(cursor))
    } else if (/^[+\-\d]/.test(first)) steps.push(parseNumber(cursor))
    else if (/^[_\p{L}\p{Nd}]/u.test(rest)) steps.push(parseWord(cursor))
    else throw new JsonPathError(`unrecognized character in action: ${runeName(rest)}`)
  }
}

/** A letter as Go's `%#U` prints it. */
function runeName(text: string): string {
  const code = text.codePointAt(0) ?? 0
  return `U+${code.toString(16).toUpperCase().padStart(4, '0')} '${String.fromCodePoint(code)}'`
}

function parseField(cursor: Cursor): Step {
  const start = cursor.at
  while (!isTerminator(cursor.text[cursor.at])) cursor.at += cursor.text[cursor.at] === '\\' ? 2 : 1
  cursor.at = Math.min(cursor.at, cursor.text.length)
  const name = cursor.text.slice(start, cursor.at)
  return name === '*' ? { kind: 'wildcard' } : { kind: 'field', name: name.replaceAll('\\', '') }
}

function parseWord(cursor: Cursor): Step {
  const start = cursor.at
  while (!isTerminator(cursor.text[cursor.at])) cursor.at++
  const word = cursor.text.slice(start, cursor.at)
  return word === 'true' || word === 'false' ? { kind: 'text', value: word === 'true' } : { kind: 'word' }
}

function parseNumber(cursor: Cursor): Step {
  const text = NUMBER.exec(cursor.text.slice(cursor.at))?.[0] ?? ''
  cursor.at += text.length
  if (!/^[+-]?(\d+\.?\d*|\.\d+)$/.test(text)) throw new JsonPathError(`cannot parse number ${text}`)
  return { kind: 'text', value: Number(text) }
}

function parseQuoted(cursor: Cursor, quote: string): Step {
  const start = cursor.at++
  for (;;) {
    const letter = cursor.text[cursor.at++]
    if (letter === undefined || letter === '\n') throw new JsonPathError('unterminated quoted string')
    if (letter === quote && cursor.text[cursor.at - 2] !== '\\') break
  }
  const text = cursor.text.slice(start, cursor.at)
  const value = unquoted(text.slice(1, -1), quote)
  if (value === undefined) throw new JsonPathError(`unquote string ${text} error invalid syntax`)
  return { kind: 'text', value }
}

const ESCAPE = /\\(?:([abfnrtv\\'"])|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|([^]?))/g
const PLAIN: Readonly<Record<string, string>> = { a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' }

/** What a quoted text of Go stands for; undefined for what is none. */
function unquoted(text: string, quote: string): string | undefined {
  let isBad = false
  const out = text.replace(ESCAPE, (_whole, simple?: string, x?: string, u?: string, U?: string, octal?: string) => {
    if (simple !== undefined) {
      isBad ||= (simple === '"' || simple === "'") && simple !== quote
      return PLAIN[simple] ?? simple
    }
    const code = octal === undefined ? parseInt(x ?? u ?? U ?? '', 16) : parseInt(octal, 8)
    isBad ||= !(code <= 0x10ffff)
    return isBad ? '' : String.fromCodePoint(code)
  })
  return isBad ? undefined : out
}

/** `[0]`, `[1:3]`, `[*]`, `['name']`, or several of them. */
function parseIndex(cursor: Cursor): Step[] {
  const end = cursor.text.slice(cursor.at).search(/[\]\n]/)
  if (end < 0 || cursor.text[cursor.at + end] === '\n') throw new JsonPathError('unterminated array')
  const written = cursor.text.slice(cursor.at + 1, cursor.at + end)
  cursor.at += end + 1
  const parts = written.split(',')
  if (parts.length > 1) return [{ kind: 'union', parts: parts.map((part) => parseJsonPath(`[${trimOf(part, ' ')}]`)) }]
  const key = /^'([^']*)'$/.exec(written)?.[1]
  if (key !== undefined) return [...parseJsonPath(`.${key}`)]
  const found = SLICE.exec(written === '*' ? ':' : written)
  if (found === null) throw new JsonPathError(`invalid array index ${written}`)
  const [from, to, step] = found
    .slice(1)
    .map((each = '') => (/\d/.test(each) ? Number(each.replace(':', '')) : undefined))
  if ([found[1], found[2], found[3]].some((each) => each === '-' || each === ':-'))
    throw new JsonPathError('array index - is not a number')
  return [
    {
      kind: 'slice',
      isOne: found[2] === undefined,
      ...(from === undefined ? {} : { from }),
      ...(to === undefined ? {} : { to }),
      ...(step === undefined ? {} : { step }),
    },
  ]
}

function parseFilter(cursor: Cursor): Step {
  const start = (cursor.at += '[?('.length)
  let quote: string | undefined
  let isQuoted = false
  for (;;) {
    const letter = cursor.text[cursor.at++]
    if (letter === undefined || letter === '\n') throw new JsonPathError('unterminated filter')
    if (letter === '"' || letter === "'") {
      if (quote === undefined) quote = letter
      else if (cursor.text[cursor.at - 2] !== '\\' && letter === quote) isQuoted = true
    } else if (letter === ')' && (quote !== undefined) === isQuoted) break
  }
  if (cursor.text[cursor.at++] !== ']') throw new JsonPathError('unclosed array expect ]')
  const text = cursor.text.slice(start, cursor.at - 2)
  const [, left, operator, right] = FILTER.exec(text) ?? []
  if (left === undefined || operator === undefined || right === undefined)
    return { kind: 'filter', left: parseJsonPath(text), operator: 'exists', right: [] }
  return { kind: 'filter', left: parseJsonPath(left), operator, right: parseJsonPath(right) }
}
