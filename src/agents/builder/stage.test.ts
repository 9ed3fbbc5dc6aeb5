import assert from 'node:assert/strict'
import { test } from 'node:test'
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
  const rest = `a${' '.repeat(300_000)}b`
  assert.equal(splitFrom(rest).base, rest)
})
