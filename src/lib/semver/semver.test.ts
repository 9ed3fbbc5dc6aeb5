import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parseConstraint, rewriteRanges, satisfies } from './constraint.ts'
import { compareVersions, parseLoose, parseStrict, parseTag } from './version.ts'

const file = join(process.env.SLUICE_CONFORMANCE ?? '../shared/conformance', 'flux/semver-masterminds.json')
const skip = existsSync(file) ? false : `no conformance data at ${file}`
type Row = { readonly constraint: string; readonly version: string; readonly check: boolean }
const table = skip === false ? JSON.parse(readFileSync(file, 'utf8')) : {}

test('semver agrees with the library behind Flux on its whole table', { skip }, () => {
  const misses: string[] = []
  let cases = 0
  const expect = (name: string, got: unknown, want: unknown): void => {
    cases++
    if (JSON.stringify(got) !== JSON.stringify(want)) misses.push(`${name}: ${String(got)}, want ${String(want)}`)
  }
  for (const { constraint, version, check } of [...table.constraintCheck, ...table.constraintsCheck] as Row[]) {
    // One constraint alone may be empty there, and is the star that a range must write out (an empty one is an error below).
    expect(`${version} in ${constraint}`, isIn(version, constraint === '' ? '*' : constraint), check)
  }
  for (const [name, rows] of Object.entries(table).filter(([key]) => key.startsWith('Test')))
    for (const row of rows as unknown[]) checkRow(name, row, expect)
  assert.deepEqual(misses, [])
  assert.ok(cases > 300, `${cases} cases`)
})

function isIn(version: string, constraint: string): boolean {
  const parsed = parseLoose(version)
  return parsed !== undefined && satisfies(parsed, parseConstraint(constraint))
}

function checkRow(name: string, row: unknown, expect: (name: string, got: unknown, want: unknown) => void): void {
  const values = (Array.isArray(row) ? row : Object.values(row as object)) as unknown[]
  const [a, b, want] = values
  if (typeof a !== 'string') return
  const order = (): number => compareVersions(parseLoose(a)!, parseLoose(String(b))!)
  if (name === 'TestNewVersion') expect(a, parseLoose(a) === undefined, b)
  if (name === 'TestNewConstraint') expect(a, shapeOf(a), values.at(-1) === true ? 'error' : `${b}/${want}`)
  if (name === 'TestRewriteRange') expect(a, rewriteRanges(a), b)
  if (name === 'TestCompare') expect(`${a} ? ${String(b)}`, order(), want)
  if (name === 'TestLessThan') expect(`${a} < ${String(b)}`, order() < 0, want)
  if (name === 'TestGreaterThan') expect(`${a} > ${String(b)}`, order() > 0, want)
}

function shapeOf(text: string): string {
  try {
    const { groups } = parseConstraint(text)
    return `${groups.length}/${groups[0]?.terms.length}`
  } catch {
    return 'error'
  }
}

for (const tag of [
  '1.2',
  '1',
  '1.2-rc',
  '20260101',
  '1.2.3.4',
  'vv1.2.3',
  '1.2.3p',
  '1.2.3-01',
  '1.2.18446744073709551616',
])
  test(`semver takes ${tag} for no version of a tag`, () => assert.equal(parseTag(tag), undefined))

test('semver reads a tag with v and keeps its spelling', () =>
  assert.equal(parseTag('v1.2.3-rc.1')?.original, 'v1.2.3-rc.1'))

// Computed by fluxcd/pkg/version.
const tags: readonly [tag: string, version: string][] = [
  ['01.02.003', '1.2.3'],
  ['v1.2.3+b', '1.2.3'],
  ['1.2-rc.1', '1.2.0-rc.1'],
  ['1.2.3--', '1.2.3--'],
]
for (const [tag, want] of tags)
  test(`semver takes ${tag} for ${want}`, () => {
    const { major, minor, patch, pre } = parseTag(tag)!
    assert.equal(`${major}.${minor}.${patch}${pre === '' ? '' : `-${pre}`}`, want)
  })

test('semver by the letter has no leading zeros', () => {
  assert.equal(parseStrict('01.2.3'), undefined)
  assert.equal(parseStrict('v1.2.3')?.minor, 2n)
})

test('a prerelease in a range opens it for all prereleases', () => {
  assert.equal(isIn('1.3.0-main.7', '>=1.0.0-0'), true)
  assert.equal(isIn('1.3.0-main.7', '>=1.0.0'), false)
})

// Computed by Masterminds/semver 3.5.0.
const refusals: readonly [range: string, message: string][] = [
  ['', 'improper constraint: ""'],
  ['1.0 ||', 'improper constraint: ""'],
  ['>=1.0 || latest', 'improper constraint: " latest"'],
  ['1.0 - 2 x!', 'improper constraint: ">= 1.0, <= 2 x!"'],
  ['1.0.0-é', 'improper constraint: "1.0.0-é"'],
  ['>1.0\u00a0', 'improper constraint: ">1.0\\u00a0"'],
  ['1|2', 'constraint parser error'],
  ['1x.0', 'constraint parser error'],
  ['1.2.3-01', 'constraint parser error'],
  ['>18446744073709551616', 'constraint parser error'],
  [`1${' '.repeat(1000)}x!`, 'constraint string is too long (max 512 bytes)'],
  [Array.from({ length: 33 }, () => '1').join('||'), 'too many constraint groups (max 32)'],
]
for (const [range, message] of refusals)
  test(`the range ${range.slice(0, 20)} is refused`, () => assert.throws(() => parseConstraint(range), { message }))
