import { SluiceError } from '../../lib/error/sluice-error.ts'
import { compileRegexp } from '../../lib/go-regexp/go-regexp.ts'
import { type Constraint, parseConstraint, satisfies } from '../../lib/semver/constraint.ts'
import { compareVersions, parseTag, type Version } from '../../lib/semver/version.ts'
import { parseGoFloat } from './go-float.ts'

/** How a policy orders tags. */
export type PolicyRule =
  | { readonly kind: 'semver'; readonly range: string }
  | { readonly kind: 'numerical'; readonly order: 'asc' | 'desc' }
  | { readonly kind: 'alphabetical'; readonly order: 'asc' | 'desc' }

/** `spec.filterTags`: which tags count, and which part of them is compared. */
export type TagFilter = { readonly pattern: string; readonly extract: string }

/** What a policy has to go by. `traps: 'flux'` fails a whole numerical policy for one tag that is no number, as Flux does. */
export type PolicyInput = {
  readonly rule: PolicyRule | undefined
  readonly filter: TagFilter | undefined
  readonly tags: readonly string[]
  readonly traps: 'safe' | 'flux'
}

/** A tag that was not chosen, and why. */
export type Rejection = { readonly tag: string; readonly why: string }

/** What a policy chose. `candidates` qualified, best first; `rejected` did not; both hold at most 20, the counts are exact. */
export type PolicyChoice = {
  readonly tag: string | undefined
  readonly considered: number
  readonly qualified: number
  readonly candidates: readonly string[]
  readonly rejected: readonly Rejection[]
  /** Why nothing was chosen. `InvalidPolicy`: only a change of the policy helps. Message as Flux words it. */
  readonly fault: { readonly reason: 'InvalidPolicy' | 'Failure'; readonly message: string } | undefined
}

/** A tag with the text that is compared. */
type Item = { readonly tag: string; readonly value: string }

const SHOWN = 20
/** Groups of a pattern: the time for each character of each tag grows with them. */
const MOST_GROUPS = 100

/**
 * Chooses the tag an ImagePolicy resolves to, and says what it chose from and why nothing else.
 *
 * @see https://fluxcd.io/flux/components/image/imagepolicies/
 */
export function choosePolicyTag(input: PolicyInput): PolicyChoice {
  const rejected: Rejection[] = []
  try {
    const sort = sorterFor(input.rule)
    const items = filterTags(input, rejected)
    if (items.length === 0) return failed(input, rejected, 'version list argument cannot be empty')
    const { sorted, refused } = sort(items)
    const fatal = input.traps === 'flux' ? refused.find((item) => item.fatal !== undefined)?.fatal : undefined
    if (fatal !== undefined) return failed(input, rejected, fatal)
    rejected.push(...refused.slice(0, SHOWN).map(({ tag, why }) => ({ tag, why })))
    if (sorted.length === 0) return failed(input, rejected, 'unable to determine latest version from provided list')
    const candidates = sorted.slice(0, SHOWN).map((item) => item.tag)
    return { ...counts(input, rejected, sorted.length), tag: candidates[0], candidates, fault: undefined }
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error
    const fault = { reason: 'InvalidPolicy' as const, message: error.message }
    return { ...counts(input, rejected, 0), tag: undefined, candidates: [], fault }
  }
}

/** Says in one sentence what a policy had to choose from and why it chose nothing; undefined when it chose. */
export function explainPolicy(choice: PolicyChoice): string | undefined {
  if (!choice.fault) return undefined
  if (choice.considered === 0) return 'the repository has no tags'
  const shown = choice.rejected.slice(0, 5).map(({ tag, why }) => `${tag} (${why})`)
  const rest = choice.considered - choice.qualified - shown.length
  const more = rest > 0 && shown.length > 0 ? ` and ${rest} more` : ''
  const named = shown.length === 0 ? '' : `: ${shown.join(', ')}${more}`
  return `none of ${choice.considered} ${choice.considered === 1 ? 'tag' : 'tags'} qualifies${named}`
}

function counts({ tags }: PolicyInput, rejected: readonly Rejection[], qualified: number) {
  return { considered: tags.length, qualified, rejected: rejected.slice(0, SHOWN) }
}

function failed(input: PolicyInput, rejected: readonly Rejection[], message: string): PolicyChoice {
  return { ...counts(input, rejected, 0), tag: undefined, candidates: [], fault: { reason: 'Failure', message } }
}

/** Keeps the tags that the pattern matches, with what `extract` makes of them; of two tags with the same text the later wins, as in Flux. */
function filterTags({ filter, tags }: PolicyInput, rejected: Rejection[]): readonly Item[] {
  if (!filter) return tags.map((tag) => ({ tag, value: tag }))
  const pattern = compileFilter(filter.pattern)
  const items = new Map<string, Item>()
  for (const tag of tags) {
    const match = pattern.find(tag)
    if (!match) {
      rejected.push({ tag, why: 'does not match filterTags.pattern' })
      continue
    }
    const value = filter.extract === '' ? tag : pattern.expand(filter.extract, match)
    const other = items.get(value)
    if (other) rejected.push({ tag: other.tag, why: `${tag} gives the same "${value}"` })
    items.set(value, { tag, value })
  }
  return [...items.values()]
}

function compileFilter(pattern: string): ReturnType<typeof compileRegexp> {
  try {
    const regexp = compileRegexp(pattern)
    if (regexp.groups > MOST_GROUPS)
      throw new SluiceError('REGEXP_LIMIT', `it has ${regexp.groups} groups; at most ${MOST_GROUPS} are supported`)
    return regexp
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error
    const message = `failed to filter tags: invalid regular expression pattern '${pattern}': ${error.message}`
    throw new SluiceError('IMAGE_POLICY_INVALID', message, { where: 'spec.filterTags.pattern', cause: error })
  }
}

type Refusal = { readonly why: string; readonly fatal?: string }

/** How a rule reads a tag, and which of two comes first. */
type Ranking<Key> = {
  readonly read: (value: string) => { readonly key: Key } | Refusal
  readonly compare: (a: Key, b: Key) => number
  /** Which of several that are equal goes first. */
  readonly ties: 'earlier' | 'later'
}

/** Sorts items by a ranking; the refused are left out and reported. */
type Sorter = (items: readonly Item[]) => {
  readonly sorted: readonly Item[]
  readonly refused: readonly (Refusal & Item)[]
}

function sorterOf<Key>({ read, compare, ties }: Ranking<Key>): Sorter {
  return (items) => {
    const ranked: { readonly item: Item; readonly key: Key }[] = []
    const refused: (Refusal & Item)[] = []
    for (const item of items) {
      const answer = read(item.value)
      if ('key' in answer) ranked.push({ item, key: answer.key })
      else refused.push({ ...item, ...answer })
    }
    if (ties === 'later') ranked.reverse()
    ranked.sort((a, b) => compare(a.key, b.key))
    return { sorted: ranked.map(({ item }) => item), refused }
  }
}

function sorterFor(rule: PolicyRule | undefined): Sorter {
  if (!rule)
    throw new SluiceError('IMAGE_POLICY_INVALID', 'invalid policy: given ImagePolicyChoice object is invalid', {
      where: 'spec.policy',
      hint: 'name one of semver, numerical, alphabetical',
    })
  switch (rule.kind) {
    case 'semver':
      return sorterOf(semverRanking(readRange(rule.range)))
    case 'numerical':
      return sorterOf(numericalRanking(rule.order === 'desc' ? 1 : -1))
    case 'alphabetical':
      return sorterOf(alphabeticalRanking(rule.order === 'desc' ? 1 : -1))
  }
}

function readRange(range: string): Constraint {
  try {
    return parseConstraint(range)
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error
    const message = `invalid policy: ${error.message}`
    throw new SluiceError('IMAGE_POLICY_INVALID', message, { where: 'spec.policy.semver.range', cause: error })
  }
}

function semverRanking(range: Constraint): Ranking<Version> {
  return {
    read(value) {
      const key = parseTag(value)
      if (!key) return { why: 'is not a version' }
      if (satisfies(key, range)) return { key }
      const isPre = key.pre !== '' && !range.original.includes('-')
      return { why: isPre ? `is a prerelease, ${range.original} has none` : `is outside ${range.original}` }
    },
    compare: (a, b) => compareVersions(b, a),
    ties: 'earlier',
  }
}

function numericalRanking(sign: number): Ranking<number> {
  return {
    read(value) {
      const key = parseGoFloat(value)
      if (key !== undefined) return { key }
      return { why: 'is not a number', fatal: `failed to parse invalid numeric value '${value}'` }
    },
    compare: (a, b) => sign * (a === b ? 0 : a - b),
    ties: 'later',
  }
}

function alphabeticalRanking(sign: number): Ranking<string> {
  return {
    read: (value) => ({ key: value }),
    compare: (a, b) => sign * (a === b ? 0 : a < b ? -1 : 1),
    ties: 'earlier',
  }
}
