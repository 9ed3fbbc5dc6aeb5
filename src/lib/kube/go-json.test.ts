import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertLinear } from '../../../tests/support/cpu-time.ts'
import { GoJsonError, orderInText, scanGoJson } from './go-json.ts'

const faults: readonly (readonly [text: string, want: string])[] = [
  ['', 'unexpected end of JSON input'],
  ['{', 'unexpected end of JSON input'],
  ['{"a":1} x', "invalid character 'x' after top-level value"],
  ['{a:1}', "invalid character 'a' looking for beginning of object key string"],
  ['{"a" 1}', "invalid character '1' after object key"],
  ['{"a":1 "b":2}', "invalid character '\"' after object key:value pair"],
  ['[1 2]', "invalid character '2' after array element"],
  ['[1,]', "invalid character ']' looking for beginning of value"],
  ['tru', "invalid character ' ' in literal true (expecting 'e')"],
  ['{"a":-', "invalid character ' ' in numeric literal"],
  ['"abc', 'unexpected end of JSON input'],
  ['1é', "invalid character 'Ã' after top-level value"],
  ['trux', "invalid character 'x' in literal true (expecting 'e')"],
  ['"\\x"', "invalid character 'x' in string escape code"],
  ['"a\nb"', "invalid character '\\n' in string literal"],
  ['01', "invalid character '1' after top-level value"],
  ['1.x', "invalid character 'x' after decimal point in numeric literal"],
  ['[', 'unexpected end of JSON input'],
]
for (const [text, want] of faults)
  test(`go-json refuses ${JSON.stringify(text)}`, () =>
    assert.throws(
      () => scanGoJson(text),
      (error) => error instanceof GoJsonError && error.message === want,
    ))

test('go-json names keys that stand twice', () => {
  assert.deepEqual(scanGoJson('{"data":{"a":1,"b":{"a":2},"a":3},"list":[{"x":1,"x":2}]}'), ['data.a', 'list[0].x'])
})

test('go-json takes what JSON.parse takes', () => {
  for (const text of ['{}', '[]', ' null ', '-0.5e+3', '{"a":[1,{"b":"\\u00e9"}],"c":true}'])
    assert.deepEqual([...scanGoJson(text)], [])
})

test('go-json reads deep nesting without a deep stack', () => {
  assert.throws(() => scanGoJson('['.repeat(200_000)), /exceeded max depth/)
})

test('go-json takes keys for the same where their paths have the same text', () => {
  const text = '{"a":{"b":1,"b":2},"a.b":3,"a.b":4,"":{"[0]":1,"[0]":2}}'
  assert.deepEqual(scanGoJson(text), ['a.b', '.[0]'])
  assert.deepEqual(orderInText('{"x":{"y":1},"x.y":2,"z":3,"z":4}', ['x.y', 'no']), [
    { path: 'x.y', isRepeated: false },
    { path: 'z', isRepeated: true },
  ])
})

test('go-json names repeated and watched keys below many levels in time that grows with the text', () => {
  const below = (keys: string): string => `${'{"d":'.repeat(9000)}{${keys}"z":1}${'}'.repeat(9000)}`
  const distinct = (keys: number): string => Array.from({ length: keys }, (_, key) => `"k${key}":1,`).join('')
  assertLinear((keys) => scanGoJson(below('"a":1,'.repeat(keys))), 40_000)
  assertLinear((keys) => orderInText(below(distinct(keys)), ['d.e']), 40_000)
})
