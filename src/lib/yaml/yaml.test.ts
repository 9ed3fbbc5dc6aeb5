import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SluiceError } from '../error/sluice-error.ts'
import { dump } from './dump.ts'
import { loadAll, loadOne } from './load.ts'
import { parseDocuments } from './parse-documents.ts'
import { scalarsWithComments } from './nodes.ts'
import { toValue } from './to-value.ts'

const readings: { it: string; text: string; want: unknown[] }[] = [
  {
    it: 'reads block collections, dashes at the key',
    text: 'a:\n- b\n- c:\n    d\nf: g',
    want: [{ a: ['b', { c: 'd' }], f: 'g' }],
  },
  { it: 'reads nested sequences', text: '- - 1\n  - 2\n- a: b\n  c: d', want: [[[1, 2], { a: 'b', c: 'd' }]] },
  { it: 'folds quoted lines', text: "a: \"x\n  y\"\nb: 'it''s\n\n  z'", want: [{ a: 'x y', b: "it's\nz" }] },
  {
    it: 'folds > and keeps indented lines',
    text: 'k: >\n  a\n  b\n\n   c\n  d\n\ne: 1',
    want: [{ k: 'a b\n\n c\nd\n', e: 1 }],
  },
  { it: 'reads | with an indentation digit', text: 'a: |2\n    x\n  y\n', want: [{ a: '  x\ny\n' }] },
  { it: 'reads CRLF as LF', text: 'a: \r\n  d: |\r\n    x\r\n    y\r\n', want: [{ a: { d: 'x\ny\n' } }] },
  {
    it: 'merges <<',
    text: 'a: &x {b: 1, d: 1}\nc:\n  <<: *x\n  d: 2\n',
    want: [{ a: { b: 1, d: 1 }, c: { d: 2, b: 1 } }],
  },
  { it: 'reads several documents', text: '%YAML 1.1\n---\na: 1\n...\n---\nb: 2\n', want: [{ a: 1 }, { b: 2 }] },
  {
    it: 'reads numbers as Go does',
    text: '[010, 0o17, 0b11, 0x10, 1_000, 1e3, .5, 08, 1.50]',
    want: [[8, 15, 3, 16, 1000, 1000, 0.5, 8, 1.5]],
  },
  { it: 'leaves yes and on strings', text: '[yes, on, n, true, ~]', want: [['yes', 'on', 'n', true, null]] },
  { it: 'makes dates timestamps', text: '[2001-01-01, 12:30]', want: [['2001-01-01T00:00:00Z', '12:30']] },
  { it: 'reads flow mappings with lone keys', text: '{x: 1, "y":2, z}', want: [{ x: 1, y: 2, z: null }] },
]
for (const { it, text, want } of readings) test(`yaml ${it}`, () => assert.deepEqual(loadAll(text), want))

test('yaml rules v2 read yes as true', () => assert.deepEqual(loadOne('a: yes', 'f', 'v2'), { a: true }))

test('yaml keeps 64-bit integers exact when asked', () => {
  const [document] = parseDocuments('a: 18446744073709551615')
  assert.deepEqual(document?.root && toValue(document.root, { integers: 'bigint' }), { a: 18446744073709551615n })
})

const faults: { it: string; text: string; where: string }[] = [
  { it: 'a value behind a value', text: 'a: b: c', where: 'f.yaml:1:5' },
  { it: 'a bracket that never closes', text: 'a: [b, c', where: 'f.yaml:1:9' },
  { it: 'a tab as indentation', text: 'a:\n\t- b', where: 'f.yaml:2:1' },
  { it: 'a line without a colon', text: 'foo: bar\nbaz', where: 'f.yaml:2:1' },
  { it: 'a key that stands twice', text: 'a: 1\nb: 2\na: 3', where: 'f.yaml:3:1' },
  { it: 'a key at the wrong column', text: 'a:\n  b: c\n d: e', where: 'f.yaml:3:2' },
  { it: 'an end without a document', text: '...\n', where: 'f.yaml:1:1' },
  { it: 'the same behind a byte order mark', text: '\ufeff...\n', where: 'f.yaml:1:2' },
]
for (const { it, text, where } of faults)
  test(`yaml refuses ${it}, with its place`, () => {
    assert.throws(
      () => loadAll(text, 'f.yaml'),
      (error: unknown) => error instanceof SluiceError && error.where === where,
    )
  })

const bombs: { it: string; text: string }[] = [
  { it: '100,000 brackets', text: '['.repeat(100_000) },
  { it: '100,000 dashes', text: '- '.repeat(100_000) },
  { it: 'a billion laughs', text: laughs() },
]
for (const { it, text } of bombs)
  test(`yaml ends at ${it}`, () => {
    assert.throws(
      () => loadAll(text),
      (error: unknown) => error instanceof SluiceError && error.code === 'YAML_LIMIT',
    )
  })

function laughs(): string {
  const lines = ['a: &a [x, x, x, x, x, x, x, x, x]']
  for (let i = 1; i < 12; i++) {
    const from = String.fromCharCode(96 + i)
    const to = String.fromCharCode(97 + i)
    lines.push(`${to}: &${to} [${Array<string>(9).fill(`*${from}`).join(', ')}]`)
  }
  return lines.join('\n')
}

const writings: { it: string; value: unknown; want: string }[] = [
  {
    it: 'orders keys naturally',
    value: { a10: 1, a9: 1, A: 1, '10': 1, '9': 1, ab: 1, 'a-b': 1 },
    want: '"9": 1\n"10": 1\nA: 1\na-b: 1\na9: 1\na10: 1\nab: 1\n',
  },
  {
    it: 'does not indent sequences',
    value: { a: [{ b: 1, c: [2] }, [3, 4]] },
    want: 'a:\n- b: 1\n  c:\n  - 2\n- - 3\n  - 4\n',
  },
  {
    it: 'quotes what would be something else',
    value: ['yes', '1', '', '1:30', 'a: b', 'a #b', 'it is', '2001-01-01', '- x'],
    want: '- "yes"\n- "1"\n- ""\n- "1:30"\n- \'a: b\'\n- \'a #b\'\n- it is\n- "2001-01-01"\n- \'- x\'\n',
  },
  {
    it: 'writes several lines as a literal',
    value: { a: 'x\ny', b: 'x\n', c: ' x\n\n' },
    want: 'a: |-\n  x\n  y\nb: |\n  x\nc: |2+\n   x\n\n',
  },
  {
    it: 'folds behind column 80',
    value: { a: Array<string>(20).fill('word').join(' ') + ' end' },
    want: `a: ${Array<string>(16).fill('word').join(' ')}\n  ${Array<string>(4).fill('word').join(' ')} end\n`,
  },
  {
    it: 'writes numbers as Go does',
    value: [1.5, 1e21, 1e-7, 1234567.5, 12n],
    want: '- 1.5\n- 1e+21\n- 1e-07\n- 1.2345675e+06\n- 12\n',
  },
]
for (const { it, value, want } of writings) test(`yaml ${it}`, () => assert.equal(dump(value), want))

test('yaml knows the place of each scalar and its comment', () => {
  const text = 'images:\n- newTag: 1.0 # {"$imagepolicy": "a:b:tag"}\n  x: "y" # two\n'
  const [document] = parseDocuments(text)
  assert.ok(document)
  const found = scalarsWithComments(document).map(({ scalar, comment, path }) => [
    text.slice(scalar.start, scalar.end),
    text.slice(comment.start, comment.end),
    path.join('.'),
  ])
  assert.deepEqual(found, [
    ['1.0', '# {"$imagepolicy": "a:b:tag"}', 'images.0.newTag'],
    ['"y"', '# two', 'images.0.x'],
  ])
})

test('values that were overwritten count among what aliases copy', () => {
  const levels = Array.from({ length: 30 }, (_, n) => `a${n + 1}: &a${n + 1} {${`k: *a${n}, `.repeat(10)}k: 0}`)
  assert.throws(() => parseDocuments(['a0: &a0 {k: 1}', ...levels].join('\n')), {
    code: 'YAML_LIMIT',
    message: /excessive aliasing/,
  })
})
