import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tooLargeIn } from './json-text.ts'

test('many numbers that are nearly long are looked through in one pass', () => {
  const text = `["${`${'1'.repeat(299)}x`.repeat(10_000)}"]`
  const start = process.cpuUsage()
  assert.equal(tooLargeIn(text), undefined)
  const { user } = process.cpuUsage(start)
  assert.ok(user < 500_000, `${user} µs`)
})

test('numbers that are too large are found', () => {
  const long = '9'.repeat(310)
  assert.equal(tooLargeIn(`[1,${long}]`), long)
  assert.equal(tooLargeIn('[1e400]'), '1e400')
})
