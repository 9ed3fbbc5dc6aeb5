import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { defaultPatterns, isIgnored, matches, parsePattern, readPatterns, vcsPatterns } from './ignore.ts'
import { parseRevision, renderRevision, shortMessage } from './revision.ts'
import { selectRef, type RefWish } from './select-ref.ts'

const root = join(process.env['SLUICE_CONFORMANCE'] ?? '../shared/conformance', 'flux')
const skip = existsSync(root) ? false : `no ${root}`
const table = (name: string): Record<string, never[]> =>
  skip ? {} : (JSON.parse(readFileSync(join(root, name), 'utf8')) as Record<string, never[]>)

type PatternCase = { name: string; pattern: string; domain: string[]; path: string[]; isDir: boolean; want: string }
type ListCase = {
  name: string
  ignore?: string
  domain?: string[]
  patterns?: unknown
  matches?: string[]
  mismatches?: string[]
}
type RevisionCase = { name: string; rev: string; want: string; wantPointer?: string; input?: string }

/** `Hash("…")` of a Go table. */
const goText = (value: unknown): string => {
  const go = (value as { $go?: string } | null)?.$go
  return go === undefined ? String(value ?? '') : (/^Hash\("(.*)"\)$/.exec(go)?.[1] ?? go)
}

test('ignore patterns match as in Flux', { skip }, () => {
  for (const row of table('sourceignore.json')['gitignorePatterns'] as unknown as PatternCase[]) {
    const pattern = parsePattern(row.pattern, row.domain)
    const got = !matches(pattern, row.path, row.isDir) ? 'NoMatch' : pattern.isInclusion ? 'Include' : 'Exclude'
    assert.equal(got, row.want, row.name)
  }
})

test('ignore lists match as in Flux', { skip }, () => {
  const lists = table('sourceignore.json')
  const check = (row: ListCase, patterns: ReturnType<typeof vcsPatterns>): void => {
    for (const path of row.matches ?? []) assert.ok(isIgnored(patterns, path.split('/'), false), `${row.name} ${path}`)
    for (const path of row.mismatches ?? [])
      assert.ok(!isIgnored(patterns, path.split('/'), false), `${row.name} ${path}`)
  }
  for (const row of lists['TestReadPatterns'] as unknown as ListCase[])
    check(row, readPatterns(row.ignore ?? '', row.domain))
  for (const row of lists['TestVCSPatterns'] as unknown as ListCase[]) check(row, vcsPatterns(row.domain))
  for (const row of lists['TestDefaultPatterns'] as unknown as ListCase[])
    check(row, [...defaultPatterns(row.domain), ...(row.patterns === undefined ? [] : readPatterns('!*.jpg'))])
})

// Computed by fluxcd/pkg/sourceignore 0.18: blanks go from the end of a line, nothing else does.
const lines: readonly [text: string, path: string, isIgnored: boolean][] = [
  ['a  ', 'a', true],
  ['a\t', 'a', false],
  ['a\r\n', 'a', true],
  ['a\r\r\n', 'a', false],
  ['!a\t\na', 'a', true],
  ['a\\ ', 'a ', true],
]
for (const [text, path, want] of lines)
  test(`an ignore line ${JSON.stringify(text)} ${want ? 'matches' : 'does not match'} ${JSON.stringify(path)}`, () =>
    assert.equal(isIgnored(readPatterns(text), [path], false), want))

test('an ignore line with very many blanks inside is read at once', () => {
  const line = `${' '.repeat(1024 * 1024)}a`
  assert.equal(parsePattern(line).elements[0], line)
})

test('revisions are read and transformed as in Flux', { skip }, () => {
  const lists = table('git-revision.json')
  for (const row of lists['TestTransformRevision'] as unknown as RevisionCase[]) {
    const { pointer, hash } = parseRevision(row.rev)
    assert.equal(hash === '' ? row.rev : renderRevision(pointer, hash), row.want, row.name)
  }
  for (const row of lists['TestSplitRevision'] as unknown as RevisionCase[])
    assert.equal(parseRevision(row.rev).pointer, row.wantPointer ?? '', row.name)
  for (const row of lists['TestExtractHashFromRevision'] as unknown as RevisionCase[])
    assert.equal(parseRevision(row.rev).hash, goText(row.want), row.name)
  for (const row of lists['TestExtractNamedPointerFromRevision'] as unknown as RevisionCase[])
    assert.equal(parseRevision(row.rev).pointer, row.want, row.name)
  for (const row of lists['TestCommit_ShortMessage'] as unknown as RevisionCase[])
    assert.equal(shortMessage(row.input ?? ''), row.want, row.name)
})

const hash = (digit: string): string => digit.repeat(40)
const refs = [
  { name: 'refs/heads/main', commit: hash('a') },
  { name: 'refs/tags/v1.0.0', commit: hash('b') },
  { name: 'refs/tags/1.2.0', commit: hash('c') },
  { name: 'refs/tags/v2.0.0-rc.1', commit: hash('d') },
]
const cases: { it: string; wish: RefWish; want: string }[] = [
  { it: 'a branch', wish: { branch: 'main' }, want: `main@sha1:${hash('a')}` },
  { it: 'a tag', wish: { tag: 'v1.0.0' }, want: `v1.0.0@sha1:${hash('b')}` },
  { it: 'the highest release', wish: { semver: '>=1.0.0' }, want: `1.2.0@sha1:${hash('c')}` },
  { it: 'a pre-release when the range has one', wish: { semver: '>=1.0.0-0' }, want: `v2.0.0-rc.1@sha1:${hash('d')}` },
  { it: 'a ref by its name', wish: { name: 'refs/tags/v1.0.0' }, want: `refs/tags/v1.0.0@sha1:${hash('b')}` },
  {
    it: 'a commit before all others',
    wish: { commit: hash('e'), name: 'refs/heads/main', semver: '*', tag: 'v1.0.0' },
    want: `refs/heads/main@sha1:${hash('e')}`,
  },
  {
    it: 'a name before semver, tag and branch',
    wish: { name: 'refs/heads/main', semver: '*', tag: 'v1.0.0', branch: 'x' },
    want: `refs/heads/main@sha1:${hash('a')}`,
  },
  {
    it: 'a range before a branch',
    wish: { semver: '1.0.x', branch: 'main' },
    want: `v1.0.0@sha1:${hash('b')}`,
  },
  {
    it: 'a tag before a range',
    wish: { semver: '1.0.x', tag: '1.2.0', branch: 'main' },
    want: `1.2.0@sha1:${hash('c')}`,
  },
  { it: 'a tag before a branch', wish: { tag: 'v1.0.0', branch: 'main' }, want: `v1.0.0@sha1:${hash('b')}` },
  { it: 'a commit', wish: { commit: hash('e') }, want: `sha1:${hash('e')}` },
  { it: 'a commit of a branch', wish: { commit: hash('e'), branch: 'main' }, want: `main@sha1:${hash('e')}` },
]
for (const { it, wish, want } of cases)
  test(`spec.ref picks ${it}`, () => {
    const { pointer, commit } = selectRef(wish, refs)
    assert.equal(renderRevision(pointer, commit), want)
  })

test('spec.ref says what the remote does not have', () => {
  assert.throws(() => selectRef({}, refs), /couldn't find remote ref "refs\/heads\/master"/)
  assert.throws(() => selectRef({ semver: '>3' }, refs), /no match found for semver: >3/)
  assert.throws(
    () => selectRef({ semver: 'not a range' }, refs),
    /semver parse error: improper constraint: "not a range"/,
  )
})
