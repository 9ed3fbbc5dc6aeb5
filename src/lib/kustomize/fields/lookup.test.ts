import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertLinear } from '../../../../tests/support/cpu-time.ts'
import { splitDots } from './lookup.ts'

for (const [path, want] of [
  ['a.b', ['a', 'b']],
  ['a.[b.c].d', ['a', 'b.c', 'd']],
  ['a.[b=c.d].e', ['a', '[b=c.d]', 'e']],
  ['a\\.b.c', ['a.b', 'c']],
] as const)
  test(`the steps of ${path}`, () => assert.deepEqual(splitDots(path), want))

test('a path of brackets is split in time that grows with it', () => {
  assertLinear((size) => {
    const path = `[a.${']'.repeat(size)}b`
    assert.deepEqual(splitDots(path), [path.slice(1)])
  }, 300_000)
})

test('a path of escaped dots is split in time that grows with it', () => {
  assertLinear((dots) => assert.equal(splitDots('a\\.'.repeat(dots)).length, 1), 300_000)
})
