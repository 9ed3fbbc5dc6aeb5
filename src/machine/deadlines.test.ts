import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { openDeadlines } from './deadlines.ts'

test('a deadline is over after its time', async () => {
  const signal = openDeadlines().within(1)
  const held = setInterval(() => undefined, 1000) // the deadline itself keeps no process alive
  await once(signal, 'abort')
  clearInterval(held)
  assert.equal(signal.reason.name, 'TimeoutError')
})

test('all deadlines are over when their owner ends, and those that come later', () => {
  const { within, end } = openDeadlines()
  const early = [within(60_000), within(Number.MAX_SAFE_INTEGER)]
  assert.deepEqual(
    early.map(({ aborted }) => aborted),
    [false, false],
  )
  end()
  for (const signal of [...early, within(60_000)]) {
    assert.ok(signal.aborted)
    assert.equal(signal.reason.name, 'AbortError')
  }
})
