import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cpuSeconds } from '../../../tests/support/cpu-time.ts'
import { assertLinear } from '../../../tests/support/cpu-time.ts'
import { firstAt } from './find.ts'
import { JsonPathError, parseJsonPath } from './parse.ts'

const object = {
  metadata: { name: 'n', labels: { 'a.b/c': 'x' } },
  list: [
    { type: 'A', n: 1, on: true },
    { type: 'B', n: 2.5, on: false, more: [1, 2, 3] },
  ],
  deep: { er: { type: 'C' } },
}

/** What client-go 0.37.2 finds first; undefined where it finds nothing or fails. */
const cases: { path: string; want: unknown }[] = [
  { path: '.metadata.name', want: 'n' },
  { path: '$.metadata.name', want: 'n' },
  { path: '.metadata.labels.a\\.b/c', want: 'x' },
  { path: ".metadata.labels['a\\.b/c']", want: 'x' },
  { path: ".metadata.labels['a.b/c']", want: undefined },
  { path: '.list[-1].type', want: 'B' },
  { path: '.list[1:].type', want: 'B' },
  { path: '.list[5].type', want: undefined },
  { path: '.list[*].more[::2]', want: 1 },
  { path: '.list[?(@.type=="B")].n', want: 2.5 },
  { path: '.list[?(@.n>1)].type', want: undefined },
  { path: '.list[?(@.type!="A")].type', want: 'B' },
  { path: '.list[?(@.more)].type', want: 'B' },
  { path: '.list[?(@.on==true)].n', want: 1 },
  { path: '.list[?(@.type==1)].n', want: undefined },
  { path: '..er.type', want: 'C' },
  { path: ".list[0]['n','type']", want: 1 },
  { path: '.metadata[0]', want: undefined },
  { path: '.nope.name', want: undefined },
]
for (const { path, want } of cases)
  test(`${path} finds ${JSON.stringify(want) ?? 'nothing'}`, () => {
    assert.deepEqual(firstAt(object, parseJsonPath(path)), want)
  })

test('what is no path is refused', () => {
  for (const path of ['.a[', '.a[x]', '.a[?(@.b]', '&', '....a', '.a["b"]'])
    assert.throws(() => parseJsonPath(path), JsonPathError, path)
})

test('blanks in a union are read in time that grows with them', () => {
  const read = (blanks: number): void =>
    assert.throws(() => parseJsonPath(`.a[0,1${' '.repeat(blanks)}x]`), JsonPathError)
  assertLinear(read, 300_000)
})

test('an operator without end and a line break are refused in no time', () => {
  const seconds = cpuSeconds(() => assert.throws(() => parseJsonPath(`.a[?(@.b${'='.repeat(200_000)}\n)]`)))
  assert.ok(seconds < 0.5, `${seconds} s`)
})
