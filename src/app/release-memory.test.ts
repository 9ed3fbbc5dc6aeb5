import assert from 'node:assert/strict'
import { test } from 'node:test'
import { releaseMemoryWhenCalm } from './release-memory.ts'

test('memory is released once after the last of many changes, and not after the stop', async () => {
  let change = (): void => undefined
  let collections = 0
  await new Promise<void>((collected) => {
    const count = (): void => {
      collections++
      collected()
    }
    releaseMemoryWhenCalm((changed) => ((change = changed), () => undefined), count, 1)
    for (let n = 0; n < 5; n++) change()
    assert.equal(collections, 0)
    // The product's timer lets the process end; the test waits for it.
    setTimeout(() => undefined, 100)
  })
  assert.equal(collections, 1)
  const stop = releaseMemoryWhenCalm(
    (changed) => ((change = changed), () => undefined),
    () => collections++,
    1,
  )
  change()
  stop()
  await new Promise((later) => setTimeout(later, 5))
  assert.equal(collections, 1)
})

test('the collector of V8 can be reached', () => {
  let isStopped = false
  releaseMemoryWhenCalm(() => () => void (isStopped = true))()
  assert.ok(isStopped)
})
