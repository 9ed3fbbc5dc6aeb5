import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { applySetters, mayHaveMarkers, type SetterPolicy } from './setters.ts'

const root = join(process.env.SLUICE_CONFORMANCE ?? '../shared/conformance', 'flux/setters')
const skip = existsSync(root) ? false : `no conformance data at ${root}`

type Case = {
  name: string
  input?: string
  expected: string
  marker?: string
  updatePath?: string
  policies: { namespace: string; name: string; latestRef: { name: string; tag: string } }[]
  changes?: Record<string, { changes: object[] }>
}

test('setters make what Flux makes of its golden folders', { skip }, () => {
  const { cases } = JSON.parse(readFileSync(join(root, 'cases.json'), 'utf8')) as { cases: Case[] }
  const runnable = cases.filter((one) => one.input !== undefined)
  assert.equal(runnable.length, 4)
  for (const one of runnable) checkCase(one)
})

function checkCase({ name, input = '', expected, marker, updatePath = '', policies, changes }: Case): void {
  const site = marker?.slice(marker.indexOf('{')) ?? ''
  const from = join(root, input.replace(/^setters\//, input === 'setters/original' ? 'setters/' : ''))
  const want = join(root, expected.replace(/^setters\//, expected === 'setters/expected' ? 'setters/' : ''))
  const known: SetterPolicy[] = policies.map((one) => ({
    namespace: one.namespace,
    name: one.name,
    latest: one.latestRef,
  }))
  for (const path of filesOf(from)) {
    if (!path.startsWith(updatePath.replace('./', '')) || !mayHaveMarkers(path)) continue
    const fill = (text: string): string => text.replaceAll('SETTER_SITE', site)
    const text = fill(readFileSync(join(from, path), 'utf8'))
    const result = applySetters(path, text, { policies: known, namespace: known[0]!.namespace, traps: 'flux' })
    const golden = join(want, path)
    assert.equal(result.text, existsSync(golden) ? fill(readFileSync(golden, 'utf8')) : text, `${name}: ${path}`)
    const wanted = changes?.[path]?.changes
    const shown = result.changes.map(({ oldValue, newValue, setter }) => ({ oldValue, newValue, setter }))
    if (wanted) assert.deepEqual(shown, wanted, `${name}: ${path}`)
  }
}

function filesOf(folder: string): string[] {
  return (readdirSync(folder, { recursive: true }) as string[]).filter(
    (path) => existsSync(join(folder, path)) && statSync(join(folder, path)).isFile(),
  )
}

const policies: readonly SetterPolicy[] = [
  { namespace: 'ns', name: 'app', latest: { name: 'r.io/app', tag: '10' } },
  { namespace: 'ns', name: 'pinned', latest: { name: 'r.io/p', tag: '2.0.0', digest: 'sha256:ab' } },
  { namespace: 'ns', name: 'empty', latest: undefined },
]
const set = (text: string) => applySetters('a.yaml', text, { policies, namespace: 'ns', traps: 'safe' })
const mark = (setter: string): string => `# {"$imagepolicy": "${setter}"}`

const edits: readonly [it: string, before: string, after: string][] = [
  [
    'keeps quotes and odd blanks',
    `a:   'x:1'   ${mark('ns:app')}\r\nb: 1`,
    `a:   'r.io/app:10'   ${mark('ns:app')}\r\nb: 1`,
  ],
  ['quotes a tag that would be a number', `a: x ${mark('ns:app:tag')}\n`, `a: "10" ${mark('ns:app:tag')}\n`],
  [
    'writes name, tag and digest',
    `- image: x ${mark('ns:pinned')}`,
    `- image: r.io/p:2.0.0@sha256:ab ${mark('ns:pinned')}`,
  ],
  ['edits items of a list', `- "x" ${mark('ns:pinned:tag')}`, `- "2.0.0" ${mark('ns:pinned:tag')}`],
  [
    'leaves text of a block alone',
    `a: |\n  image: x ${mark('ns:app')}\nb: 1\n`,
    `a: |\n  image: x ${mark('ns:app')}\nb: 1\n`,
  ],
  [
    'leaves quoted text alone',
    `a: "x ${mark('ns:app').replaceAll('"', '\\"')}"\n`,
    `a: "x ${mark('ns:app').replaceAll('"', '\\"')}"\n`,
  ],
  ['keeps anchors', `a: &i x:1 ${mark('ns:pinned')}`, `a: &i r.io/p:2.0.0@sha256:ab ${mark('ns:pinned')}`],
  [
    'keeps the comma behind a value in brackets',
    `a: {\n  image: x, ${mark('ns:pinned')}\n  b: c\n}\n`,
    `a: {\n  image: r.io/p:2.0.0@sha256:ab, ${mark('ns:pinned')}\n  b: c\n}\n`,
  ],
  [
    'edits the last value of a line in brackets',
    `a: [x, y ${mark('ns:pinned:tag')}\n]\n`,
    `a: [x, 2.0.0 ${mark('ns:pinned:tag')}\n]\n`,
  ],
  [
    'sets a text of several lines as a whole',
    `a: x\n  y ${mark('ns:pinned:tag')}\nb: "x\n  y" ${mark('ns:pinned:tag')}\n`,
    `a: 2.0.0 ${mark('ns:pinned:tag')}\nb: "2.0.0" ${mark('ns:pinned:tag')}\n`,
  ],
  [
    'sets a block, which then ends with its text',
    `a: | ${mark('ns:pinned:tag')}\n    x\n    y\nb: >+ ${mark('ns:pinned:tag')}\n  x\n\nc: 1\n`,
    `a: |- ${mark('ns:pinned:tag')}\n    2.0.0\nb: >- ${mark('ns:pinned:tag')}\n  2.0.0\nc: 1\n`,
  ],
  [
    'edits the item of a list that a marker stands above',
    `a:\n- x\n${mark('ns:pinned:tag')}\n- y\n`,
    `a:\n- x\n${mark('ns:pinned:tag')}\n- 2.0.0\n`,
  ],
  ['leaves an alias alone', `a: &x v\nb: *x ${mark('ns:pinned')}`, `a: &x v\nb: *x ${mark('ns:pinned')}`],
  ['takes more than one #', `a: x #${mark('ns:pinned:tag')}`, `a: 2.0.0 #${mark('ns:pinned:tag')}`],
  ['leaves a policy alone that selected nothing', `a: x ${mark('ns:empty')}`, `a: x ${mark('ns:empty')}`],
]
for (const [it, before, after] of edits) test(`a setter ${it}`, () => assert.equal(set(before).text, after))

const texts: readonly [tag: string, written: string][] = [
  ...(['on', 'Null', '7', '1.2', '1e3', '1_000', '0x1f', '2024-01-02', '_a'] as const).map((tag): [string, string] => [
    tag,
    `"${tag}"`,
  ]),
  ...(['only', 'nono', 'v1.2', '1.2.3', '7a', '2024-01-02-3', 'a_b'] as const).map((tag): [string, string] => [
    tag,
    tag,
  ]),
]
for (const [tag, written] of texts)
  test(`a setter writes the tag ${tag} as ${written}`, () => {
    const known = [{ namespace: 'ns', name: 'app', latest: { name: 'r.io/app', tag } }]
    const text = `a: x ${mark('ns:app:tag')}\n`
    const result = applySetters('a.yaml', text, { policies: known, namespace: 'ns', traps: 'safe' })
    assert.equal(result.text, text.replace('x', written))
  })

const markings: readonly [it: string, setter: string, marked: readonly string[]][] = [
  ['a tag', 'ns:app:tag', ['app']],
  ['a whole reference', 'ns:app', ['app']],
  ['a digest', 'ns:pinned:digest', ['pinned']],
  ['a name alone, which brings no new version', 'ns:app:name', []],
  ['a policy that is not there', 'ns:nope:tag', []],
  ['a digest that there is not', 'ns:app:digest', []],
]
for (const [it, setter, marked] of markings)
  test(`a setter tells the policies that it follows: ${it}`, () =>
    assert.deepEqual(set(`a: x ${mark(setter)}`).marked, marked))

const problems: readonly [line: string, problem: RegExp][] = [
  [`a: x ${mark('app')}`, /names no policy/],
  [`a: x # $imagepolicy: ns:app`, /is not JSON/],
  [`a: x ${mark('ns:app:tags')}`, /ends in none of/],
  [`a: x # {'$imagepolicy': 'ns:app'}`, /is not JSON/],
  [`a: x ${mark('other:app')}`, /another namespace/],
  [`a: x ${mark('ns:nope')}`, /names no ImagePolicy \(known here: app, empty, pinned\)/],
  [`a: sha256:0 ${mark('ns:app:digest')}`, /reflects none/],
  [`a: [x, y] ${mark('ns:app')}`, /stands behind no value/],
  [`a: [x,\n b] ${mark('ns:app')}`, /stands behind no value/],
  [`a: x # {"$imagepolicy": "ns:app", "b": 1}`, /has a field "b" that is no text/],
]
for (const [line, problem] of problems)
  test(`a setter reports ${line}`, () => {
    const result = set(`kind: X\n${line}\n`)
    assert.equal(result.text, `kind: X\n${line}\n`)
    assert.equal(result.problems[0]?.where, `a.yaml:${line.split('\n').length + 1}`)
    assert.match(result.problems[0].problem, problem)
  })

test('a file that is no YAML is reported with its line and left alone', () => {
  const text = `a: x ${mark('ns:app')}\n  b: [\n`
  const result = set(text)
  assert.equal(result.text, text)
  assert.match(result.problems[0]?.where ?? '', /^a\.yaml:\d+/)
})

test('changes name the object of their own document', () => {
  const text = `# head\n---\nkind: A\nmetadata: {name: one}\n---\nkind: B\nmetadata:\n  name: two\nimage: x ${mark('ns:pinned')}\n`
  assert.equal(set(text).changes[0]?.object.name, 'two')
})

test('a digest marker of a policy without digest: left alone and said, or emptied as in Flux', () => {
  const text = `a: sha256:old # {"$imagepolicy": "ns:app:digest"}\n`
  const known = [{ namespace: 'ns', name: 'app', latest: { name: 'r.io/app', tag: '1.0.0' } }]
  const safe = applySetters('a.yaml', text, { policies: known, namespace: 'ns', traps: 'safe' })
  assert.deepEqual([safe.text, safe.problems.length, safe.problems[0]?.where], [text, 1, 'a.yaml:1'])
  const flux = applySetters('a.yaml', text, { policies: known, namespace: 'ns', traps: 'flux' })
  assert.equal(flux.text, `a: "" # {"$imagepolicy": "ns:app:digest"}\n`)
})

const marked: readonly string[] = ['a.yaml', 'b/c.yml', 'Kustomization', 'apps/Kustomization']
const unmarked: readonly string[] = [
  'README.md',
  'a.yaml.txt',
  'yaml',
  'Kustomization.md',
  'apps/myKustomization',
  'a.yyaml/x',
]
test('markers are looked for in YAML and in Kustomizations, nowhere else', () => {
  assert.deepEqual([...marked, ...unmarked].filter(mayHaveMarkers), marked)
})

// Which values Flux sets; comments elsewhere in the file do not matter.
const above: readonly [it: string, text: string, want: string][] = [
  ['an item of a list', 'a:\n  # @\n  - x\n', 'a:\n  # @\n  - r.io/app:10\n'],
  [
    'it, beside comments in odd places',
    '"a b": # n\n  c: 1\nb:\n  # @\n  - x\n',
    '"a b": # n\n  c: 1\nb:\n  # @\n  - r.io/app:10\n',
  ],
  ['an item in brackets', 'a: [\n  b,\n  # @\n  c,\n]\n', 'a: [\n  b,\n  # @\n  r.io/app:10,\n]\n'],
  ['nothing, behind a key', 'a: [\n  b, # @\n  c]\n', 'a: [\n  r.io/app:10, # @\n  c]\n'],
  ['nothing, with another line of comment', 'a:\n  # n\n  # @\n  - x\n', 'a:\n  # n\n  # @\n  - x\n'],
  ['nothing in brackets, with another line of comment', 'a: [\n  # n\n  # @\n  c\n]\n', 'a: [\n  # n\n  # @\n  c\n]\n'],
  ['the item in brackets that begins the line below', 'a: [\n  # @\n  b, c\n]\n', 'a: [\n  # @\n  r.io/app:10, c\n]\n'],
  ['nothing in brackets, two lines above', 'a: [\n  # @\n\n  c\n]\n', 'a: [\n  # @\n\n  c\n]\n'],
  ['nothing above an item with a comment of its own', 'a:\n  # @\n  - x # n\n', 'a:\n  # @\n  - x # n\n'],
  [
    'it beside odd comments, where another stands above',
    '"a b": # n\n  c: 1\nb:\n  # m\n  # @\n  - x\n',
    '"a b": # n\n  c: 1\nb:\n  # m\n  # @\n  - x\n',
  ],
  ['nothing, with a mapping below', 'a:\n  # @\n  - b: x\n', 'a:\n  # @\n  - b: x\n'],
  ['a block of a file with CRLF', 'a: |- # @\r\n  x\r\nb: 1\r\n', 'a: |- # @\r\n  r.io/app:10\r\nb: 1\r\n'],
]
for (const [it, text, want] of above)
  test(`a marker is about ${it}`, () => {
    const marked = (plain: string): string => plain.replaceAll('@', '{"$imagepolicy": "ns:app"}')
    assert.equal(set(marked(text)).text, marked(want))
  })
