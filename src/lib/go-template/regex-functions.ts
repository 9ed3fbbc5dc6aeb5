import { SluiceError } from '../error/sluice-error.ts'
import { compileRegexp, type GoMatch, type GoRegexp, type RegexpBudget } from '../go-regexp/go-regexp.ts'
import { bounded, boundedList, type GoFunction, text, type Value } from './values.ts'

type Functions = Readonly<Record<string, GoFunction>>

/** A regular expression whose searches draw on the budget of a render. */
type Search = { readonly regexp: GoRegexp; readonly find: (text: string, from?: number) => GoMatch | undefined }

/** About a second of searching. */
const MOST_SEARCH_STEPS = 10_000_000

/**
 * Sprig's functions of regular expressions, with Go's syntax; an expression that is none is an error of the call.
 *
 * They belong to one render: all its searches together may take so many steps.
 */
export function regexFunctions(): Functions {
  const budget: RegexpBudget = { left: MOST_SEARCH_STEPS }
  const compiled = (source: Value): Search => searchOf(compile(text(source)), budget)
  const plain = plainFunctions(compiled, budget)
  const must = Object.entries(plain).filter(([name]) => name !== 'regexQuoteMeta')
  const strict = must.map(([name, call]) => [`must${name.slice(0, 1).toUpperCase()}${name.slice(1)}`, call] as const)
  return {
    ...plain,
    ...Object.fromEntries(strict),
    mustRegexMatch: (source, one) => compiled(source).find(text(one)) !== undefined,
  }
}

function plainFunctions(compiled: (source: Value) => Search, budget: RegexpBudget): Functions {
  return {
    regexMatch: (source, one) => isMatch(text(source), text(one), budget),
    regexFind: (source, one) => textOf(compiled(source).find(text(one))),
    regexFindAll: (source, one, most) => boundedList(matchesIn(compiled(source), text(one), most).map(textOf)),
    regexReplaceAll(source, one, by) {
      const search = compiled(source)
      return replaceAll(search, text(one), (match) => search.regexp.expand(text(by), match))
    },
    regexReplaceAllLiteral: (source, one, by) => replaceAll(compiled(source), text(one), () => text(by)),
    regexSplit: (source, one, most) => boundedList(split(compiled(source), text(one), Number(most))),
    regexQuoteMeta: (one) => text(one).replace(/[\\.+*?()|[\]{}^$]/g, '\\$&'),
  }
}

/** Sprig says of a text that is no expression that it does not match; its other functions fail. */
function isMatch(source: string, one: string, budget: RegexpBudget): boolean {
  let regexp: GoRegexp
  try {
    regexp = compileRegexp(source)
  } catch (error) {
    if (error instanceof SluiceError) return false
    throw error
  }
  return regexp.find(one, 0, budget) !== undefined
}

function searchOf(regexp: GoRegexp, budget: RegexpBudget): Search {
  return { regexp, find: (text, from) => regexp.find(text, from, budget) }
}

function compile(source: string): GoRegexp {
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
function matchesIn({ find }: Search, text: string, most: unknown = -1): readonly GoMatch[] {
  const found: GoMatch[] = []
  const limit = Number(most) < 0 ? Infinity : Number(most)
  let last = -1
  for (let at = 0; at <= text.length && found.length < limit;) {
    const match = find(text, at)
    const [start = 0, end = 0] = match?.slots ?? []
    if (!match) break
    if (end > start || start !== last) found.push(match)
    last = end
    at = end > at ? end : at + 1
  }
  return found
}

function replaceAll(search: Search, text: string, by: (match: GoMatch) => string): string {
  let out = ''
  let at = 0
  for (const match of matchesIn(search, text)) {
    out = bounded(out + text.slice(at, match.slots[0]) + by(match))
    at = match.slots[1] ?? at
  }
  return bounded(out + text.slice(at))
}

/** The texts between matches: at most so many, the last with what is left; 0 makes none. */
function split(search: Search, text: string, most: number): readonly string[] {
  if (most === 0) return []
  const parts: string[] = []
  let at = 0
  for (const match of matchesIn(search, text)) {
    const [start = 0, end = 0] = match.slots
    if (most > 0 && parts.length === most - 1) break
    if (end === 0) continue
    parts.push(text.slice(at, start))
    at = end
  }
  if (at !== text.length || search.regexp.source !== '') parts.push(text.slice(at))
  return parts
}
