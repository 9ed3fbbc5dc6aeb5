import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cpuSeconds } from '../../../../tests/support/cpu-time.ts'
import { tooLargeIn } from './json-text.ts'

test('many numbers that are nearly long are looked through in one pass', () => {
  const text = `["${`${'1'.repeat(299)}x`.repeat(10_000)}"]`
  const seconds = cpuSeconds(() => assert.equal(tooLargeIn(text), undefined))
  assert.ok(seconds < 0.5, `${seconds} s`)
})

test('numbers that are too large are found', () => {
  const long = '9'.repeat(310)
  assert.equal(tooLargeIn(`[1,${long}]`), long)
  assert.equal(tooLargeIn('[1e400]'), '1e400')
})
