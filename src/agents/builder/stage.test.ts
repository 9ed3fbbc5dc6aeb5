import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertLinear } from '../../../tests/support/cpu-time.ts'
import { splitFrom } from './stage.ts'

for (const [rest, base, name] of [
  ['alpine', 'alpine', undefined],
  ['alpine AS Build', 'alpine', 'build'],
  ['alpine  as  x', 'alpine', 'x'],
  ['a AS', 'a AS', undefined],
  ['a b AS c', 'a b', 'c'],
] as const)
  test(`FROM ${rest}`, () => assert.deepEqual(splitFrom(rest), { base, name }))

test('blanks behind FROM are read in time that grows with them', () => {
  assertLinear((blanks) => {
    const rest = `a${' '.repeat(blanks)}b`
    assert.equal(splitFrom(rest).base, rest)
  }, 300_000)
})
