import { SluiceError } from '../error/sluice-error.ts'
import { goQuote } from '../value/go-quote.ts'
import { comparePrereleases, compareVersions, parseLoose, type Version } from './version.ts'

/** A range such as `>=1.1, <2 || ^3.0.0-0`: groups joined by `||`, each a list of terms that must all hold. */
export type Constraint = { readonly groups: readonly Group[]; readonly original: string }

type Group = { readonly terms: readonly Term[]; readonly allowsPre: boolean }

/** One comparison; what was left out or written as `x` is dirty. */
type Term = {
  readonly op: Op
  readonly version: Version
  readonly isDirty: boolean
  readonly isMinorDirty: boolean
  readonly isPatchDirty: boolean
}

type Op = '=' | '!=' | '>' | '<' | '>=' | '<=' | '~' | '^'

const OPS: Readonly<Record<string, Op>> = {
  '': '=',
  '=': '=',
  '!=': '!=',
  '>': '>',
  '<': '<',
  '>=': '>=',
  '=>': '>=',
  '<=': '<=',
  '=<': '<=',
  '~': '~',
  '~>': '~',
  '^': '^',
}

const LONGEST = 512
const MOST_GROUPS = 32
/** The library takes a bar for a part of a version, and refuses that afterwards. */
const PART = '[0-9xX*|]+'
const SUFFIX = '[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*'
/** Go's white space, without what Unicode has besides. */
const SPACE = '[\\t\\n\\f\\r ]'
const WRITTEN = `v?(?:${PART})(?:\\.${PART})?(?:\\.${PART})?(?:-${SUFFIX})?(?:\\+${SUFFIX})?`
const RANGE = new RegExp(`${SPACE}*(${WRITTEN})${SPACE}+-${SPACE}+(${WRITTEN})${SPACE}*`, 'g')
const TERM = new RegExp(
  `${SPACE}*(!=|>=|=>|<=|=<|~>|=|>|<|~|\\^|)${SPACE}*v?(${PART})(?:\\.(${PART}))?(?:\\.(${PART}))?(-${SUFFIX})?(\\+${SUFFIX})?`,
  'y',
)

const END = new RegExp(`^${SPACE}*$`)
const SEPARATOR = new RegExp(`^(?:${SPACE}*,|${SPACE}+)`)

/**
 * Reads a range with Masterminds' rules, which are not npm's: commas are AND, `!=` exists, `>=1.0.0-0` lets every prerelease in.
 *
 * @throws SluiceError SEMVER_CONSTRAINT, in the library's words, when the text is no range, longer than 512 bytes or of more than 32 groups
 * @see https://github.com/Masterminds/semver#checking-version-constraints
 */
export function parseConstraint(text: string): Constraint {
  if (Buffer.byteLength(text) > LONGEST) throw refusal(`constraint string is too long (max ${LONGEST} bytes)`)
  const groups = rewriteRanges(text).split('||')
  if (groups.length > MOST_GROUPS) throw refusal(`too many constraint groups (max ${MOST_GROUPS})`)
  return { groups: groups.map(parseGroup), original: text }
}

/** Whether a version is inside the range. */
export function satisfies(version: Version, { groups }: Constraint): boolean {
  return groups.some((group) => group.terms.every((term) => checkTerm(version, term, group.allowsPre)))
}

/** Turns `1.2 - 3` into `>= 1.2, <= 3 `. */
export function rewriteRanges(text: string): string {
  return text.replace(RANGE, '>= $1, <= $2 ')
}

/** The terms are looked at when the whole group has the form of one. */
function parseGroup(text: string): Group {
  const found = findTerms(text)
  const terms = found.map(makeTerm)
  return { terms, allowsPre: terms.some((term) => term.version.pre !== '') }
}

function findTerms(text: string): readonly RegExpExecArray[] {
  const terms: RegExpExecArray[] = []
  let at = 0
  for (;;) {
    TERM.lastIndex = at
    const found = TERM.exec(text)
    if (!found) throw improper(text)
    terms.push(found)
    at = TERM.lastIndex
    const rest = text.slice(at)
    if (END.test(rest)) return terms
    const separator = SEPARATOR.exec(rest)
    if (!separator) throw improper(text)
    at += separator[0].length
  }
}

function makeTerm(found: RegExpExecArray): Term {
  const [, written = '', major = '', minor, patch, pre = '', build = ''] = found
  const op = OPS[written]
  const isMajorOpen = isOpen(major)
  const isMinorDirty = !isMajorOpen && isOpen(minor)
  const isPatchDirty = !isMajorOpen && !isMinorDirty && isOpen(patch)
  const isDirty = isMajorOpen || isMinorDirty || isPatchDirty
  const text = isMajorOpen
    ? `0.0.0${pre}`
    : isMinorDirty
      ? `${major}.0.0${pre}`
      : isPatchDirty
        ? `${major}.${minor}.0${pre}`
        : `${major}.${minor}.${patch}${pre}${build}`
  const version = parseLoose(text)
  if (!version || op === undefined) throw refusal('constraint parser error')
  return { op, version, isDirty, isMinorDirty, isPatchDirty }
}

function isOpen(part: string | undefined): boolean {
  return part === undefined || part === 'x' || part === 'X' || part === '*'
}

function checkTerm(version: Version, term: Term, allowsPre: boolean): boolean {
  if (version.pre !== '' && term.version.pre === '' && !allowsPre) return false
  switch (term.op) {
    case '=':
      return term.isDirty ? checkTilde(version, term) : compareVersions(version, term.version) === 0
    case '!=':
      return checkNotEqual(version, term)
    case '>':
      return checkGreater(version, term)
    case '<':
      return compareVersions(version, term.version) < 0
    case '>=':
      return compareVersions(version, term.version) >= 0
    case '<=':
      return checkLessOrEqual(version, term)
    case '~':
      return checkTilde(version, term)
    case '^':
      return checkCaret(version, term)
  }
}

function checkNotEqual(version: Version, { version: want, ...term }: Term): boolean {
  if (!term.isDirty) return compareVersions(version, want) !== 0
  if (version.major !== want.major) return true
  if (term.isMinorDirty) return false
  if (version.minor !== want.minor) return true
  if (term.isPatchDirty) return comparePrereleases(version.pre, want.pre) !== 0
  return compareVersions(version, want) !== 0
}

function checkGreater(version: Version, { version: want, ...term }: Term): boolean {
  if (!term.isDirty) return compareVersions(version, want) > 0
  if (version.major !== want.major) return version.major > want.major
  if (term.isMinorDirty) return false
  if (term.isPatchDirty) return version.minor > want.minor
  return compareVersions(version, want) > 0
}

function checkLessOrEqual(version: Version, { version: want, ...term }: Term): boolean {
  if (!term.isDirty) return compareVersions(version, want) <= 0
  if (version.major > want.major) return false
  return !(version.major === want.major && version.minor > want.minor && !term.isMinorDirty)
}

function checkTilde(version: Version, { version: want, ...term }: Term): boolean {
  if (compareVersions(version, want) < 0) return false
  const isZero = want.major === 0n && want.minor === 0n && want.patch === 0n
  if (isZero && !term.isMinorDirty && !term.isPatchDirty) return true
  return version.major === want.major && (version.minor === want.minor || term.isMinorDirty)
}

function checkCaret(version: Version, { version: want, ...term }: Term): boolean {
  if (compareVersions(version, want) < 0) return false
  if (version.major !== want.major) return false
  if (want.major > 0n || term.isMinorDirty) return true
  if (version.minor !== want.minor) return false
  return want.minor > 0n || term.isPatchDirty || version.patch === want.patch
}

function improper(group: string): SluiceError {
  return refusal(`improper constraint: ${goQuote(group)}`)
}

function refusal(message: string): SluiceError {
  return new SluiceError('SEMVER_CONSTRAINT', message, {
    hint: 'write a range such as ">=1.0.0", "1.2.x" or ">=1.0.0-0" (with prereleases)',
  })
}
