import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SluiceError } from '../lib/error/sluice-error.ts'
import { backoffMs, jitterMs } from './backoff.ts'
import { startController } from './converge.ts'
import { BACKOFF, type Controller, type Wake } from './controller.ts'
import { manualClock } from '../../tests/support/manual-clock.ts'
import { WorkQueue } from './work-queue.ts'

test('backoff starts at 750 ms, doubles, and ends at 15 minutes', () => {
  const waits = [1, 2, 3, 11, 12, 100].map((failures) => backoffMs(failures))
  assert.deepEqual(waits, [750, 1500, 3000, 768_000, 900_000, 900_000])
  assert.deepEqual(
    [1, 2, 3].map((failures) => backoffMs(failures, 5)),
    [5, 10, 20],
  )
})

test('jitter stays inside its share', () => {
  assert.deepEqual([jitterMs(1000, 0), jitterMs(1000, 0.5), jitterMs(1000, 0.999999)], [950, 1000, 1050])
})

test('what has begun takes turns with what has not', async () => {
  const log: string[] = []
  const queue = new WorkQueue({ clock: manualClock(), concurrency: 1, work: async (key) => void log.push(key) })
  queue.noteBegun('old', true)
  for (const key of ['a', 'b', 'c', 'old']) queue.add(key)
  await queue.whenIdle()
  assert.deepEqual(log, ['a', 'old', 'b', 'c'])
})

test('a key waits once, runs alone, and comes again when it was added meanwhile', async () => {
  const log: string[] = []
  const gates: (() => void)[] = []
  const queue = new WorkQueue({
    clock: manualClock(),
    concurrency: 4,
    async work(key) {
      log.push(key)
      await new Promise<void>((resolve) => gates.push(resolve))
    },
  })
  queue.add('a')
  queue.add('a')
  await new Promise(setImmediate)
  queue.add('a')
  queue.add('a')
  assert.deepEqual(log, ['a'])
  gates.shift()?.()
  await new Promise(setImmediate)
  assert.deepEqual(log, ['a', 'a'])
  gates.shift()?.()
  await queue.whenIdle()
  assert.deepEqual(log, ['a', 'a'])
})

test('no more keys run at once than allowed', async () => {
  let running = 0
  let most = 0
  const queue = new WorkQueue({
    clock: manualClock(),
    concurrency: 3,
    async work() {
      most = Math.max(most, ++running)
      await new Promise(setImmediate)
      running--
    },
  })
  for (let i = 0; i < 20; i++) queue.add(`k${i}`)
  await queue.whenIdle()
  assert.equal(most, 3)
})

test('what throws comes again after its backoff, and others go on', async () => {
  const clock = manualClock()
  const seen: string[] = []
  const queue = new WorkQueue({
    clock,
    concurrency: 1,
    async work(key) {
      seen.push(key)
      if (key === 'bad') throw new Error('no')
    },
  })
  queue.add('bad')
  queue.add('good')
  await queue.whenIdle()
  clock.advance(749)
  await queue.whenIdle()
  assert.deepEqual(seen, ['bad', 'good'])
  clock.advance(1)
  await queue.whenIdle()
  assert.deepEqual(seen, ['bad', 'good', 'bad'])
  await queue.close()
})

test('the earliest wish of a key wins', async () => {
  const clock = manualClock()
  const seen: number[] = []
  const queue = new WorkQueue({ clock, concurrency: 1, work: async () => void seen.push(clock.nowMs()) })
  queue.addAfter('a', 500)
  queue.addAfter('a', 100)
  queue.addAfter('a', 300)
  for (const ms of [100, 900]) {
    clock.advance(ms)
    await queue.whenIdle()
  }
  assert.deepEqual(seen, [100])
})

test('a controller acts until it is done, then settles once', async () => {
  const world = { want: 3, have: 0 }
  const log: string[] = []
  const controller: Controller<typeof world, 'add', string> = {
    kind: 'Counter',
    concurrency: 1,
    watch: async (wake) => wake.now('ns/a'),
    observe: async () => ({ ...world }),
    decide: (seen) =>
      seen.have < seen.want ? { kind: 'act', changes: ['add'] } : { kind: 'done', status: `at ${seen.have}` },
    act: async () => void world.have++,
    settle: async (status) => void log.push(status),
    close: () => undefined,
  }
  const running = await startController(controller, { clock: manualClock(), onError: () => assert.fail() })
  await running.whenIdle()
  running.wake.now('ns/a')
  await running.whenIdle()
  assert.deepEqual([world.have, log], [3, ['at 3', 'at 3']])
  await running.close()
})

test('no key is looked at before the watches have returned, nor in the middle of the news that woke it', async () => {
  const log: string[] = []
  const tellTwo = (wake: Wake, news: string): void => {
    wake.now('ns/a')
    log.push(news)
    wake.now('ns/b')
  }
  const controller: Controller<object, never, undefined> = {
    kind: 'Careful',
    concurrency: 4,
    async watch(wake) {
      tellTwo(wake, 'first list')
      await new Promise((resolve) => setImmediate(resolve))
      log.push('all lists')
    },
    async observe(key) {
      log.push(key)
      return {}
    },
    decide: () => ({ kind: 'done', status: undefined }),
    act: async () => undefined,
    settle: async () => undefined,
    close: () => undefined,
  }
  const running = await startController(controller, { clock: manualClock(), onError: () => assert.fail() })
  await running.whenIdle()
  tellTwo(running.wake, 'event')
  await running.whenIdle()
  assert.deepEqual(log, ['first list', 'all lists', 'ns/a', 'ns/b', 'event', 'ns/a', 'ns/b'])
  await running.close()
})

test('an object that comes back while its absence is noted is looked at again', async () => {
  let isThere = false
  const settledAt: string[] = []
  const gone: (() => void)[] = []
  const controller: Controller<object, never, string> = {
    kind: 'Returning',
    concurrency: 1,
    watch: async (wake) => wake.now('ns/a'),
    async observe(key) {
      if (isThere) return {}
      await new Promise<void>((resolve) => gone.push(resolve))
      isThere = true
      running.wake.now(key)
      return undefined
    },
    decide: () => ({ kind: 'done', status: 'seen' }),
    act: async () => undefined,
    settle: async (status) => void settledAt.push(status),
    close: () => undefined,
  }
  const running = await startController(controller, { clock: manualClock(), onError: () => assert.fail() })
  gone.shift()?.()
  await running.whenIdle()
  assert.deepEqual(settledAt, ['seen'])
  await running.close()
})

test('BACKOFF grows with every failure in a row', async () => {
  const clock = manualClock()
  const at: number[] = []
  const controller: Controller<object, never, string> = {
    kind: 'Failing',
    concurrency: 1,
    watch: async (wake) => wake.now('ns/a'),
    observe: async () => ({}),
    decide: () => ({ kind: 'wait', afterMs: BACKOFF, status: 'failed' }),
    act: async () => undefined,
    settle: async () => void at.push(clock.nowMs()),
    close: () => undefined,
  }
  const running = await startController(controller, { clock, onError: () => assert.fail() })
  for (let i = 0; i < 4; i++) {
    await running.whenIdle()
    clock.advance(750 * 2 ** i)
  }
  await running.whenIdle()
  assert.deepEqual(at, [0, 750, 2250, 5250, 11_250])
  await running.close()
})

test('a key that is worked on need not come again at the time that was asked for before', async () => {
  const clock = manualClock()
  const seen: string[] = []
  const queue = new WorkQueue({ clock, concurrency: 1, work: async (key) => void seen.push(key) })
  queue.addAfter('a', 100)
  queue.add('a')
  clock.advance(1000)
  await queue.whenIdle()
  assert.deepEqual(seen, ['a'])
})

for (const [it, end] of [
  ['forgotten', (queue: WorkQueue) => queue.forget('a')],
  ['forgiven', (queue: WorkQueue) => queue.forgive('a')],
] as const)
  test(`the backoff of a key that was ${it} begins anew`, () => {
    const queue = new WorkQueue({ clock: manualClock(), concurrency: 1, work: async () => undefined })
    assert.deepEqual([queue.addBackedOff('a'), queue.addBackedOff('a')], [750, 1500])
    end(queue)
    assert.equal(queue.addBackedOff('a'), 750)
  })

test('an outcome that could not be written is written later, and the work is not done again', async () => {
  const clock = manualClock()
  const log: string[] = []
  const faults: unknown[] = []
  const controller: Controller<object, string, string> = {
    kind: 'Unwritten',
    concurrency: 1,
    watch: async (wake) => wake.now('ns/a'),
    observe: async () => ({}),
    decide: () => (log.includes('act') ? { kind: 'done', status: 'second' } : { kind: 'act', changes: ['x'] }),
    act: async () => void log.push('act'),
    async settle(status) {
      log.push(status)
      if (log.length === 2) throw new Error('the server is away')
    },
    close: () => undefined,
  }
  const onError = (_kind: string, _key: string, error: unknown): void => void faults.push(error)
  const running = await startController(controller, { clock, onError })
  await running.whenIdle()
  clock.advance(750)
  await running.whenIdle()
  // the outcome that is owed, then that of the new look
  assert.deepEqual(log, ['act', 'second', 'second', 'second'])
  assert.equal(faults.length, 1)
  await running.close()
})

for (const { retry, want } of [
  { retry: 'backoff', want: ['look 1', 'write 1', 'write 1', 'write 1'] },
  { retry: 'spec', want: ['look 1', 'write 1', 'look 2', 'write 2', 'look 3', 'write 3'] },
] as const)
  test(`an outcome that is not taken is owed ${retry === 'spec' ? 'no longer when no retry helps' : 'until it is'}`, async () => {
    const clock = manualClock()
    const log: string[] = []
    let looks = 0
    const controller: Controller<number, never, number> = {
      kind: 'Refused',
      concurrency: 1,
      watch: async (wake) => wake.now('ns/a'),
      async observe() {
        log.push(`look ${++looks}`)
        return looks
      },
      decide: (seen) => ({ kind: 'done', status: seen }),
      act: async () => undefined,
      async settle(status) {
        log.push(`write ${status}`)
        throw new SluiceError('STATUS_REFUSED', 'not taken', { retry })
      },
      close: () => undefined,
    }
    const running = await startController(controller, { clock, onError: () => undefined })
    for (const ms of [750, 1500]) {
      await running.whenIdle()
      clock.advance(ms)
    }
    await running.whenIdle()
    assert.deepEqual(log, want)
    await running.close()
  })

test('a reconcile that goes well makes the next backoff short again', async () => {
  const clock = manualClock()
  const at: number[] = []
  const controller: Controller<object, never, string> = {
    kind: 'Recovering',
    concurrency: 1,
    watch: async (wake) => wake.now('ns/a'),
    observe: async () => ({}),
    decide: () =>
      at.length === 2 ? { kind: 'done', status: 'well' } : { kind: 'wait', afterMs: BACKOFF, status: 'ill' },
    act: async () => undefined,
    settle: async () => void at.push(clock.nowMs()),
    close: () => undefined,
  }
  const running = await startController(controller, { clock, onError: () => assert.fail() })
  const pass = async (ms: number): Promise<void> => {
    await running.whenIdle()
    clock.advance(ms)
    await running.whenIdle()
  }
  for (const ms of [750, 1500]) await pass(ms)
  running.wake.now('ns/a')
  await pass(750)
  assert.deepEqual(at, [0, 750, 2250, 2250, 3000])
  await running.close()
})
