import { SluiceError } from '../error/sluice-error.ts'

/** The switches `(?imsU)`. */
export type Flags = { readonly i: boolean; readonly m: boolean; readonly s: boolean; readonly U: boolean }

/** A pattern that is being read, from `at` on. */
export type Reader = { readonly pattern: string; at: number; flags: Flags }

/** What a sticky expression finds here, read; undefined (nothing read) when it does not match. */
export function take(reader: Reader, expression: RegExp): RegExpExecArray | undefined {
  const found = look(reader, expression)
  if (found) reader.at += found[0].length
  return found
}

/** What a sticky expression finds here, left unread. */
export function look({ pattern, at }: Reader, expression: RegExp): RegExpExecArray | undefined {
  expression.lastIndex = at
  return expression.exec(pattern) ?? undefined
}

/** Whether a character is the next one, which then is read. */
export function takes(reader: Reader, char: string): boolean {
  const isNext = reader.pattern[reader.at] === char
  if (isNext) reader.at++
  return isNext
}

/** The next character, read; '' at the end. */
export function takeChar(reader: Reader): string {
  const code = reader.pattern.codePointAt(reader.at)
  if (code === undefined) return ''
  const char = String.fromCodePoint(code)
  reader.at += char.length
  return char
}

/** What is wrong with a pattern, in Go's words, and the part of it that is at fault. */
export function fault(what: string, where: string): SluiceError {
  return new SluiceError('REGEXP_SYNTAX', `error parsing regexp: ${what}: \`${where}\``, {
    hint: 'patterns are regular expressions of Go (RE2): https://github.com/google/re2/wiki/Syntax',
  })
}
