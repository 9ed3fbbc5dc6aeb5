import { compileRegexp } from '../../go-regexp/go-regexp.ts'

/** A test for a whole text by a Go regular expression; an empty pattern takes everything. */
export function anchored(pattern: string | undefined): (text: string) => boolean {
  if (!pattern) return () => true
  if (/^[A-Za-z0-9/_-]+$/.test(pattern)) return (text) => text === pattern
  const expression = compileRegexp(`^(?:${pattern})$`)
  return (text) => expression.test(text)
}
