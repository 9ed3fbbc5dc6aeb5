import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Json } from '../../../lib/kube/json.ts'
import { tooLargeIn } from './json-text.ts'
import { readYaml } from './yaml-body.ts'

// What sigs.k8s.io/yaml 1.6 makes of the same.
const values: { it: string; text: string; want: Json; told?: string[] }[] = [
  { it: 'nothing', text: '', want: null },
  { it: 'the first document alone', text: 'a: 1\n---\nb: [', want: { a: 1 } },
  { it: 'booleans of YAML 1.1', text: 'a: yes\nb: Off\nc: "no"', want: { a: true, b: false, c: 'no' } },
  { it: 'numbers to other bases', text: 'a: 0777\nb: 0x1f\nc: 0b11\nd: 08', want: { a: 511, b: 31, c: 3, d: 8 } },
  { it: 'dates as texts', text: 'a: 2020-01-01', want: { a: '2020-01-01' } },
  {
    it: 'keys as what they are',
    text: '01: a\nyes: b\n1.5: c\n.inf: d',
    want: { 1: 'a', true: 'b', 1.5: 'c', '.inf': 'd' },
  },
  {
    it: 'an anchor and what is merged',
    text: 'a: &x {b: 1}\nc: {<<: *x, d: 2}',
    want: { a: { b: 1 }, c: { b: 1, d: 2 } },
  },
  { it: 'merged fields over those above', text: 'b: 1\n<<: {b: 2}', want: { b: 2 } },
  { it: 'a key that stands twice', text: 'a: 1\na: 2', want: { a: 2 }, told: ['line 2: key "a" already set in map'] },
  { it: 'the same in JSON', text: '{"a":1,"a":2}', want: { a: 2 }, told: ['line 1: key "a" already set in map'] },
]
for (const { it, text, want, told = [] } of values)
  test(`a YAML body may be ${it}`, () => assert.deepEqual(readYaml(text), { value: want, oddities: told }))

test('of keys that stand twice a hundred are told, however many there are', () => {
  const bodies = ['a: 1\n'.repeat(100_000), `{${'"a":1,\n'.repeat(100_000)}"a":1}`]
  const told = bodies.map((text) => readYaml(text).oddities)
  assert.deepEqual(
    told.map(({ length }) => length),
    [100, 100],
  )
  assert.deepEqual(
    told.map((each) => each.at(-1)),
    ['line 101: key "a" already set in map', 'line 101: key "a" already set in map'],
  )
})

const faults: { it: string; text: string; want: string }[] = [
  { it: 'no key', text: '~: yes', want: 'unsupported map key of type: %!s(<nil>), key: <nil>, value: true' },
  { it: 'a list as a key', text: '[a]: 1', want: 'yaml: invalid map key: []interface {}{"a"}' },
  { it: 'a map as a key', text: '? x: 1\n', want: 'yaml: invalid map key: map[interface {}]interface {}{"x":1}' },
  { it: 'a number that JSON has not', text: 'a: .nan', want: 'json: unsupported value: NaN' },
  { it: 'an anchor that is not there', text: 'a: 1\nb: *x', want: "yaml: unknown anchor 'x' referenced" },
  {
    it: 'a merge of a text',
    text: 'a: 1\n<<: x',
    want: 'yaml: map merge requires map or sequence of maps as the value',
  },
  { it: 'a key without an end', text: 'a: 1\nb', want: "yaml: line 3: could not find expected ':'" },
]
for (const { it, text, want } of faults)
  test(`a YAML body is refused for ${it}`, () => assert.throws(() => readYaml(text), { message: want }))

test('a number that no float holds is found, wherever it stands', () => {
  const texts = ['{"a":1e400}', '[-1E+999, 2]', '{"1e400":"1e400","b":1e308}', '{"a":1e-400}', '{"a":"\\"","b":1e999}']
  assert.deepEqual(texts.map(tooLargeIn), ['1e400', '-1E+999', undefined, undefined, '1e999'])
})
