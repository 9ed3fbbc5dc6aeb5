import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Ages, MIN_AGE_MS } from './ages.ts'

test('a version is shown for five minutes after the next one came, and not long after that', () => {
  const ages = new Ages()
  assert.equal(ages.oldest(0), 0)
  for (let second = 0; second <= 600; second++) ages.note(second + 1, second * 1000)
  const oldest = ages.oldest(600_000)
  // version 300 was the newest for the last time at second 300
  assert.ok(oldest <= 300, `${oldest} is not too young`)
  assert.ok(oldest > 300 - 20, `${oldest} is not too old`)
})

test('what nothing came after is shown however old it is', () => {
  const ages = new Ages()
  ages.note(7, 0)
  assert.equal(ages.oldest(MIN_AGE_MS * 100), 7)
})
