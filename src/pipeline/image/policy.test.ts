import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { choosePolicyTag, explainPolicy, type PolicyInput, type PolicyRule } from './policy.ts'
import { summarizeScan } from './scan.ts'

const file = join(process.env.SLUICE_CONFORMANCE ?? '../shared/conformance', 'flux/image-policy.json')
const skip = existsSync(file) ? false : `no conformance data at ${file}`
const table = skip === false ? JSON.parse(readFileSync(file, 'utf8')) : {}

const calm: PolicyInput = {
  rule: { kind: 'semver', range: '>=0.0.0' },
  filter: undefined,
  tags: ['1.0.0', '1.1.0'],
  traps: 'safe',
}

test('image policies agree with the tables of Flux', { skip }, () => {
  for (const { range, valid } of table.semverRanges)
    assert.equal(choose({ rule: { kind: 'semver', range } }).fault?.reason !== 'InvalidPolicy', valid, range)
  for (const { kind, name, range, order, tags, want, error } of table.latest) {
    const rule = (kind === 'semver' ? { kind, range } : { kind, order }) as PolicyRule
    const choice = choose({ rule, tags, traps: 'flux' })
    assert.equal(choice.tag ?? null, want, name)
    assert.equal(choice.fault !== undefined, error, name)
  }
  for (const { name, tags, pattern, extract, wantItemsSorted } of table.filterTags)
    assert.deepEqual(sortedItems(tags, pattern, extract), wantItemsSorted, name)
})

test('image scans agree with the tables of Flux', { skip }, () => {
  for (const { name, tags, patterns, wantTags, wantErr } of table.scan.TestFilterOutTags) {
    if (wantErr) assert.throws(() => summarizeScan(tags ?? [], patterns), name)
    else assert.deepEqual([...summarizeScan(tags, patterns ?? []).tags].reverse(), wantTags, name)
  }
  for (const { name, tags, wantLatestTags } of table.scan.TestSortTagsAndGetLatestTags)
    assert.deepEqual(summarizeScan(tags ?? [], []).latestTags, wantLatestTags ?? [], name)
})

/** Alphabetical order shows every item that the filter kept, by tag. */
function sortedItems(tags: string[], pattern: string, extract: string): string[] {
  const choice = choose({ rule: { kind: 'alphabetical', order: 'desc' }, tags, filter: { pattern, extract } })
  return choice.candidates.map((tag) => (extract === '' ? tag : tag.replace(/^ver/, '')))
}

function choose(input: Partial<PolicyInput>): ReturnType<typeof choosePolicyTag> {
  return choosePolicyTag({ ...calm, ...input })
}

const main = { kind: 'semver', range: '>=1.0.0-0' } as const
const numbers = { kind: 'numerical', order: 'asc' } as const
const develop = { pattern: '^develop-(?P<run>\\d+)-[0-9a-f]{7}$', extract: '$run' }
const cases: { it: string; input: Partial<PolicyInput>; want: string | undefined }[] = [
  {
    it: 'lets main overtake the last release',
    input: { rule: main, tags: ['1.0.0', '1.1.0-main.2', '1.1.0-main.10'] },
    want: '1.1.0-main.10',
  },
  { it: 'lets a release overtake main', input: { rule: main, tags: ['1.1.0', '1.1.0-main.10'] }, want: '1.1.0' },
  {
    it: 'compares the run of develop',
    input: { rule: numbers, filter: develop, tags: ['develop-9-aaaaaaa', 'develop-10-bbbbbbb', 'latest'] },
    want: 'develop-10-bbbbbbb',
  },
  { it: 'is not stopped by a tag that is no number', input: { rule: numbers, tags: ['8', 'ten', '9'] }, want: '9' },
  {
    it: 'is stopped by it as Flux is when asked',
    input: { rule: numbers, tags: ['8', 'ten', '9'], traps: 'flux' },
    want: undefined,
  },
  { it: 'takes the last of equal numbers, as Flux', input: { rule: numbers, tags: ['1.0', '1', '01'] }, want: '01' },
  { it: 'reads underscores as Go', input: { rule: numbers, tags: ['1_0', '0x_4p1', '9', '_20'] }, want: '1_0' },
  { it: 'reads leading zeros as Flux', input: { rule: main, tags: ['1.2.3', '01.02.04'] }, want: '01.02.04' },
  { it: 'chooses nothing without a rule', input: { rule: undefined }, want: undefined },
]
for (const { it, input, want } of cases) test(`policy ${it}`, () => assert.equal(choose(input).tag, want))

const invalid: readonly { readonly it: string; readonly input: Partial<PolicyInput>; readonly want: RegExp }[] = [
  { it: 'a range', input: { rule: { kind: 'semver', range: 'no range' } }, want: /improper constraint: "no range"/ },
  {
    it: 'a version of a range',
    input: { rule: { kind: 'semver', range: '>=1.2.3-01' } },
    want: /^invalid policy: constraint parser error$/,
  },
  {
    it: 'a pattern',
    input: { rule: numbers, filter: { pattern: '(', extract: '' } },
    want: /invalid regular expression pattern '\('/,
  },
]
for (const { it, input, want } of invalid)
  test(`policy refuses ${it} that cannot be read`, () => {
    const { tag, fault } = choose({ tags: ['1.0.0'], ...input })
    assert.equal(tag, undefined)
    assert.match(fault?.message ?? '', want)
  })

test('policy says what it chose from and why nothing', () => {
  const choice = choose({ rule: { kind: 'semver', range: '>=5.0.0' }, tags: ['1.0.0', 'latest', '6.0.0-rc.1'] })
  assert.equal(choice.fault?.message, 'unable to determine latest version from provided list')
  assert.equal(
    explainPolicy(choice),
    'none of 3 tags qualifies: 1.0.0 (is outside >=5.0.0), latest (is not a version), 6.0.0-rc.1 (is a prerelease, >=5.0.0 has none)',
  )
})

const versions = { kind: 'semver', range: '>=2.0.0' } as const
const fewer = Array.from({ length: 7 }, (_, index) => `1.0.${index}`)
const explained: { it: string; input: Partial<PolicyInput>; want: string | undefined }[] = [
  { it: 'nothing where it chose', input: {}, want: undefined },
  { it: 'that there is nothing to choose from', input: { tags: [] }, want: 'the repository has no tags' },
  {
    it: 'of one tag',
    input: { rule: versions, tags: ['1.0.0'] },
    want: 'none of 1 tag qualifies: 1.0.0 (is outside >=2.0.0)',
  },
  {
    it: 'of many tags the first five',
    input: { rule: versions, tags: fewer },
    want: `none of 7 tags qualifies: ${fewer
      .slice(0, 5)
      .map((tag) => `${tag} (is outside >=2.0.0)`)
      .join(', ')} and 2 more`,
  },
  {
    it: 'which the filter left out',
    input: { rule: versions, filter: { pattern: '^v', extract: '' }, tags: ['1.0.0'] },
    want: 'none of 1 tag qualifies: 1.0.0 (does not match filterTags.pattern)',
  },
  { it: 'no more where no tag is to blame', input: { rule: undefined }, want: 'none of 2 tags qualifies' },
]
for (const { it, input, want } of explained)
  test(`policy says why it chose nothing: ${it}`, () => assert.equal(explainPolicy(choose(input)), want))

test('policy says which of two tags of one text it leaves out, and why', () => {
  const { tag, rejected } = choose({
    rule: numbers,
    filter: { pattern: '^(\\d+)-', extract: '$1' },
    tags: ['7-aaaa', '7-bbbb', '6-cccc'],
  })
  assert.equal(tag, '7-bbbb')
  assert.deepEqual(rejected, [{ tag: '7-aaaa', why: '7-bbbb gives the same "7"' }])
})

test('policy that left everything out by its filter fails in Flux’s words', () =>
  assert.deepEqual(choose({ filter: { pattern: '^v', extract: '' } }).fault, {
    reason: 'Failure',
    message: 'version list argument cannot be empty',
  }))

test('policy chooses from as many tags as a busy registry has', () => {
  const commits = Array.from({ length: 200_000 }, (_, index) => `sha-${index}`)
  const { tag, considered, rejected } = choose({ tags: [...commits, '1.0.0'] })
  assert.deepEqual([tag, considered, rejected.length], ['1.0.0', 200_001, 20])
})

const orders: {
  kind: 'alphabetical' | 'numerical' | 'semver'
  order: 'asc' | 'desc'
  tags: string[]
  want: string[]
}[] = [
  { kind: 'alphabetical', order: 'asc', tags: ['b', 'a', 'c'], want: ['c', 'b', 'a'] },
  { kind: 'alphabetical', order: 'desc', tags: ['b', 'a', 'c'], want: ['a', 'b', 'c'] },
  { kind: 'numerical', order: 'asc', tags: ['2', '10', '1', '01'], want: ['10', '2', '01', '1'] },
  { kind: 'numerical', order: 'desc', tags: ['2', '10', '1', '01'], want: ['01', '1', '2', '10'] },
  { kind: 'semver', order: 'asc', tags: ['1.0.0', 'v1.0.0', '1.1.0'], want: ['1.1.0', '1.0.0', 'v1.0.0'] },
]
for (const { kind, order, tags, want } of orders)
  test(`policy puts candidates in ${kind} order (${order})`, () => {
    const rule = (kind === 'semver' ? { kind, range: '>=1.0.0' } : { kind, order }) as PolicyRule
    assert.deepEqual(choose({ rule, tags }).candidates, want)
  })

test('the checksum of a scan is Flux’s', () => {
  assert.equal(summarizeScan(['alpha', 'gamma', 'beta'], []).revision, '1572145026')
})

test('a filter of very many groups is refused', () => {
  const filterOf = (count: number) => ({ pattern: `^(?:${'(x)|'.repeat(count)}.*)$`, extract: '' })
  assert.equal(choose({ filter: filterOf(100) }).fault, undefined)
  const { fault } = choose({ filter: filterOf(101) })
  assert.equal(fault?.reason, 'InvalidPolicy')
  assert.match(fault.message, /': it has 101 groups; at most 100 are supported$/)
})
