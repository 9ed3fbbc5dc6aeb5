import { CR, LF, SPACE, TAB } from '../characters.ts'
import type { YamlRules } from '../resolve.ts'

/** A place in a text; lines and columns from 0, `index` in UTF-16 units. */
export type Mark = { readonly line: number; readonly column: number; readonly index: number }

/** What Go's library says of a text that is no YAML, and where: the character at fault, and the start of what holds it. */
export class SyntaxFault extends Error {
  readonly part: 'scanner' | 'parser' | 'composer'
  readonly problem: Mark
  readonly context: Mark | undefined

  constructor(part: 'scanner' | 'parser' | 'composer', message: string, problem: Mark, context?: Mark) {
    super(message)
    this.part = part
    this.problem = problem
    this.context = context
  }
}

/** Where the reader of characters is. */
export type Reading = { readonly text: string; readonly rules: YamlRules; index: number; line: number; column: number }

/** The place at hand. */
export function markOf({ line, column, index }: Reading): Mark {
  return { line, column, index }
}

/** The character at hand, or some ahead; NaN at the end. */
export function codeAt({ text, index }: Reading, ahead = 0): number {
  return text.charCodeAt(index + ahead)
}

/** A fault of the scanner at the place at hand; without a context of its own the place is that, too. */
export function scanFault(reading: Reading, message: string, context?: Mark): SyntaxFault {
  const problem = markOf(reading)
  return new SyntaxFault('scanner', message, problem, context ?? problem)
}

export const isEnd = (code: number): boolean => code !== code
export const isBlank = (code: number): boolean => code === SPACE || code === TAB
export const isBreak = (code: number): boolean =>
  code === LF || code === CR || code === 0x85 || code === 0x2028 || code === 0x2029
export const isBreakOrEnd = (code: number): boolean => isBreak(code) || isEnd(code)
export const isBlankOrBreak = (code: number): boolean => isBlank(code) || isBreak(code)
export const endsToken = (code: number): boolean => isBlank(code) || isBreakOrEnd(code)
export const isDigit = (code: number): boolean => code >= 48 && code <= 57
/** Letters, digits, `_` and `-`. */
export const isWord = (code: number): boolean =>
  isDigit(code) || (code >= 65 && code <= 90) || (code >= 97 && code <= 122) || code === 95 || code === 45

/** Moves over characters that are no line ends; the second half of a surrogate pair has no column of its own. */
export function skip(reading: Reading, count = 1): void {
  for (let i = 0; i < count; i++) {
    const code = reading.text.charCodeAt(reading.index++)
    if (!(code >= 0xdc00 && code <= 0xdfff)) reading.column++
  }
}

/** Moves over the line end at hand. */
export function skipBreak(reading: Reading): void {
  reading.index += codeAt(reading) === CR && codeAt(reading, 1) === LF ? 2 : 1
  reading.column = 0
  reading.line++
}

/** Moves to the end of the line. */
export function skipLine(reading: Reading): void {
  while (!isBreakOrEnd(codeAt(reading))) skip(reading)
}

/** Moves over spaces and tabs. */
export function skipBlanks(reading: Reading): void {
  while (isBlank(codeAt(reading))) skip(reading)
}

/** Whether `---` or `...` stands at the start of the line at hand. */
export function isMarkerAt(reading: Reading): boolean {
  const code = codeAt(reading)
  if (reading.column !== 0 || (code !== 45 && code !== 46)) return false
  return codeAt(reading, 1) === code && codeAt(reading, 2) === code && endsToken(codeAt(reading, 3))
}
