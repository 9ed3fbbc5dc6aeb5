import { SluiceError } from '../../../../lib/error/sluice-error.ts'
import { compileRegexp, type GoRegexp } from '../../../../lib/go-regexp/go-regexp.ts'
import { remember } from '../../../../lib/value/remember.ts'

/** Patterns of definitions in use; what is wrong with those that are none. */
const compiled = remember(2000, (pattern): GoRegexp | string => {
  try {
    return compileRegexp(pattern)
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error
    return error.message
  }
})

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
