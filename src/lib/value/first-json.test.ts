import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertLinear } from '../../../tests/support/cpu-time.ts'
import { firstJson } from './first-json.ts'

const rows: readonly [text: string, want: unknown][] = [
  ['{"a":"}"} x', { a: '}' }],
  [' [1,[2]]{', [1, [2]]],
  ['"a\\"b" 1', 'a"b'],
  ['["\\\\","]"]"', ['\\', ']']],
  ['1 2', 1],
  ['null', null],
]
for (const [text, want] of rows)
  test(`the first value of ${text}`, () => assert.deepEqual(firstJson(text), { value: want }))

for (const text of ['', ' ', '{', '{"a":1,}', 'nul', '}', '\ufeff{}', '"a', '"\\', '"\\"', '["', '{"a":"\\"}'])
  test(`no value begins ${JSON.stringify(text)}`, () => assert.equal(firstJson(text), undefined))

const hostile: readonly [it: string, text: (size: number) => string][] = [
  ['a string that never ends, full of escaped quotes', (size) => `{"${'\\"'.repeat(size)}`],
  ['a string that never ends, full of backslashes', (size) => `["${'\\\\'.repeat(size)}\\`],
  ['brackets that never close', (size) => '['.repeat(size)],
  ['strings without end', (size) => '["'.repeat(size)],
]
for (const [it, text] of hostile)
  test(`${it} costs no more than its length`, () => assertLinear((size) => void firstJson(text(size)), 50_000))
