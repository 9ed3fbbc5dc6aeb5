import { SluiceError } from '../../../../lib/error/sluice-error.ts'
import { compileRegexp, type GoRegexp } from '../../../../lib/go-regexp/go-regexp.ts'

/** Patterns of definitions in use; forgotten all at once when they are too many. */
const known = new Map<string, GoRegexp | string>()
const MOST_KNOWN = 2000

function compiled(pattern: string): GoRegexp | string {
  const found = known.get(pattern)
  if (found !== undefined) return found
  if (known.size >= MOST_KNOWN) known.clear()
  let made: GoRegexp | string
  try {
    made = compileRegexp(pattern)
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error
    made = error.message
  }
  known.set(pattern, made)
  return made
}

/** Why a pattern is no regular expression of Go; undefined when it is one. */
export function patternFault(pattern: string): string | undefined {
  const made = compiled(pattern)
  return typeof made === 'string' ? made : undefined
}

/** True when the pattern is found in the text. A pattern that is none finds nothing to complain about. */
export function fitsPattern(pattern: string, text: string): boolean {
  const made = compiled(pattern)
  return typeof made === 'string' || made.test(text)
}
