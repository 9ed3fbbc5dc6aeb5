import assert from 'node:assert/strict'
import { test } from 'node:test'
import { firstJson } from './first-json.ts'

const rows: readonly [text: string, want: unknown][] = [
  ['{"a":"}"} x', { a: '}' }],
  [' [1,[2]]{', [1, [2]]],
  ['"a\\"b" 1', 'a"b'],
  ['1 2', 1],
  ['null', null],
]
for (const [text, want] of rows)
  test(`the first value of ${text}`, () => assert.deepEqual(firstJson(text), { value: want }))

for (const text of ['', ' ', '{', '{"a":1,}', 'nul', '}', '\ufeff{}', '"a'])
  test(`no value begins ${JSON.stringify(text)}`, () => assert.equal(firstJson(text), undefined))
