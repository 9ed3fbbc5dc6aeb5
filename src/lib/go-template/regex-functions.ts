import { SluiceError } from '../error/sluice-error.ts'
import { compileRegexp, type GoMatch, type GoRegexp } from '../go-regexp/go-regexp.ts'

type Text = (value: unknown) => string

type Functions = Readonly<Record<string, (...given: unknown[]) => unknown>>

/** Sprig's functions of regular expressions, with Go's syntax; an expression that is none is an error of the call. */
export function regexFunctions(text: Text): Functions {
  const plain = plainFunctions(text)
  const must = Object.entries(plain).filter(([name]) => name !== 'regexQuoteMeta')
  const strict = must.map(([name, call]) => [`must${name.slice(0, 1).toUpperCase()}${name.slice(1)}`, call] as const)
  return {
    ...plain,
    ...Object.fromEntries(strict),
    mustRegexMatch: (source, one) => compiled(text(source)).test(text(one)),
  }
}

function plainFunctions(text: Text): Functions {
  return {
    regexMatch: (source, one) => isMatch(text(source), text(one)),
    regexFind: (source, one) => textOf(compiled(text(source)).find(text(one))),
    regexFindAll: (source, one, most) => matchesIn(compiled(text(source)), text(one), most).map(textOf),
    regexReplaceAll(source, one, by) {
      const regexp = compiled(text(source))
      return replaceAll(regexp, text(one), (match) => regexp.expand(text(by), match))
    },
    regexReplaceAllLiteral: (source, one, by) => replaceAll(compiled(text(source)), text(one), () => text(by)),
    regexSplit: (source, one, most) => split(compiled(text(source)), text(one), Number(most)),
    regexQuoteMeta: (one) => text(one).replace(/[\\.+*?()|[\]{}^$]/g, '\\$&'),
  }
}

/** Sprig says of a text that is no expression that it does not match; its other functions fail. */
function isMatch(source: string, text: string): boolean {
  try {
    return compileRegexp(source).test(text)
  } catch (error) {
    if (error instanceof SluiceError) return false
    throw error
  }
}

function compiled(source: string): GoRegexp {
  try {
    return compileRegexp(source)
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error
    throw new Error(`regexp: Compile(\`${source}\`): ${error.message}`, { cause: error })
  }
}

function textOf(match: GoMatch | undefined): string {
  return match ? match.text.slice(match.slots[0], match.slots[1]) : ''
}

/** The matches that do not overlap; one of nothing right behind another does not count. */
function matchesIn(regexp: GoRegexp, text: string, most: unknown = -1): readonly GoMatch[] {
  const found: GoMatch[] = []
  const limit = Number(most) < 0 ? Infinity : Number(most)
  let last = -1
  for (let at = 0; at <= text.length && found.length < limit;) {
    const match = regexp.find(text, at)
    const [start = 0, end = 0] = match?.slots ?? []
    if (!match) break
    if (end > start || start !== last) found.push(match)
    last = end
    at = end > at ? end : at + 1
  }
  return found
}

function replaceAll(regexp: GoRegexp, text: string, by: (match: GoMatch) => string): string {
  let out = ''
  let at = 0
  for (const match of matchesIn(regexp, text)) {
    out += text.slice(at, match.slots[0]) + by(match)
    at = match.slots[1] ?? at
  }
  return out + text.slice(at)
}

/** The texts between matches: at most so many, the last with what is left; 0 makes none. */
function split(regexp: GoRegexp, text: string, most: number): readonly string[] {
  if (most === 0) return []
  const parts: string[] = []
  let at = 0
  for (const match of matchesIn(regexp, text)) {
    const [start = 0, end = 0] = match.slots
    if (most > 0 && parts.length === most - 1) break
    if (end === 0) continue
    parts.push(text.slice(at, start))
    at = end
  }
  if (at !== text.length || regexp.source !== '') parts.push(text.slice(at))
  return parts
}
