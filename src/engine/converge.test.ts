import assert from 'node:assert/strict'
import { test } from 'node:test'
import { manualClock } from '../../tests/support/manual-clock.ts'
import type { Controller } from './controller.ts'
import { startController } from './converge.ts'

/** A controller in whose work the test stands: it goes on when it is let. */
function held(): { readonly controller: Controller<object, never, string>; readonly log: string[]; go(): void } {
  const log: string[] = []
  let go = (): void => undefined
  const controller: Controller<object, never, string> = {
    kind: 'Held',
    concurrency: 1,
    watch: async (wake) => wake.now('ns/a'),
    observe: () => new Promise((resolve) => (go = () => resolve({}))),
    decide: () => ({ kind: 'done', status: 'decided' }),
    act: async () => undefined,
    settle: async (status) => void log.push(status),
    close: () => void log.push('closed'),
  }
  return { controller, log, go: () => go() }
}
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('what is at work when a controller drains ends well, and sees what it looks at until then', async () => {
  const { controller, log, go } = held()
  const running = await startController(controller, { clock: manualClock(), onError: () => assert.fail() })
  await turn()
  const drained = running.drain()
  running.wake.now('ns/b')
  go()
  await drained
  await running.close()
  assert.deepEqual(log, ['decided', 'closed'])
})

test('what is cut off in the middle of its work looks at nothing any more', async () => {
  const { controller, log } = held()
  const cutOff = new AbortController()
  let go = (): void => undefined
  const acting: Controller<object, never, string> = {
    ...controller,
    async observe() {
      log.push('seen')
      return {}
    },
    decide: () => ({ kind: 'act', changes: [] }),
    act: () => new Promise((resolve) => (go = resolve)),
  }
  const running = await startController(acting, {
    ...{ clock: manualClock(), onError: () => assert.fail('a fault was told') },
    cutOff: cutOff.signal,
  })
  await turn()
  cutOff.abort()
  const closed = running.close()
  go()
  await closed
  assert.deepEqual(log, ['seen', 'closed'])
})

test('what is cut off decides nothing and tells nobody of a fault', async () => {
  for (const ends of ['well', 'with a fault']) {
    const { controller, log, go } = held()
    const cutOff = new AbortController()
    const faulty = { ...controller, observe: () => controller.observe('').then(() => Promise.reject(new Error('cut'))) }
    const running = await startController(ends === 'well' ? controller : faulty, {
      ...{ clock: manualClock(), onError: () => assert.fail('a fault was told') },
      cutOff: cutOff.signal,
    })
    await turn()
    cutOff.abort()
    const closed = running.close()
    go()
    await closed
    assert.deepEqual(log, ['closed'], ends)
  }
})
