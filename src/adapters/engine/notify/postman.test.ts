import assert from 'node:assert/strict'
import { test } from 'node:test'
import { manualClock } from '../../../../tests/support/manual-clock.ts'
import type { Letter, Outbox } from '../../notify/outbox.ts'
import { startPostman } from './postman.ts'

type Kept = { nextMs: number | undefined; attempts: number }

/** An outbox in memory, on a disk that may be full. */
function memoryBox(...payloads: string[]) {
  const rows = new Map<string, Kept>(payloads.map((payload) => [payload, { nextMs: 0, attempts: 0 }]))
  const disk = { isFull: false }
  const at = (id: number): Kept => [...rows.values()][id] ?? assert.fail()
  const write = (id: number, change: Partial<Kept>): void => {
    if (disk.isFull) throw new Error('database or disk is full')
    Object.assign(at(id), change)
  }
  const waiting = (): [string, Kept, number][] =>
    [...rows].flatMap(([payload, row], id) => (row.nextMs === undefined ? [] : [[payload, row, id]]))
  const outbox: Outbox<string> = {
    put: () => assert.fail(),
    due: (nowMs, limit): Letter<string>[] =>
      waiting()
        .filter(([, { nextMs }]) => (nextMs ?? 0) <= nowMs)
        .sort(([, a], [, b]) => a.attempts - b.attempts)
        .slice(0, limit)
        .map(([payload, { attempts }, id]) => ({ id, payload, attempts })),
    nextMs: () =>
      waiting().reduce<number | undefined>((low, [, { nextMs = 0 }]) => Math.min(low ?? nextMs, nextMs), undefined),
    done: (id) => write(id, { nextMs: undefined }),
    retryAt: (id, nextMs) => write(id, { nextMs, attempts: at(id).attempts + 1 }),
    close: () => undefined,
  }
  return { outbox, disk, left: () => waiting().map(([payload]) => payload) }
}

const never = new AbortController().signal

const settled = async (): Promise<void> => {
  for (let i = 0; i < 5; i++) await new Promise(setImmediate)
}

test('eight letters are under way at once, and each is sent once', async () => {
  const { outbox, left } = memoryBox(...Array.from({ length: 20 }, (_each, index) => `l${index}`))
  const sent: string[] = []
  const gates: (() => void)[] = []
  const send = (payload: string): Promise<void> => {
    sent.push(payload)
    return new Promise((resolve) => gates.push(resolve))
  }
  const postman = startPostman({
    outbox,
    clock: manualClock(),
    ended: never,
    send,
    afterFailure: () => assert.fail(),
    log: assert.fail,
  })
  postman.wake()
  assert.equal(sent.length, 8)
  while (gates.length > 0) {
    for (const open of gates.splice(0)) open()
    await settled()
  }
  assert.deepEqual([sent.length, new Set(sent).size, left()], [20, 20, []])
})

test('what failed before takes half of the places, so that a receiver that does not answer keeps nobody waiting', async () => {
  const { outbox } = memoryBox(...Array.from({ length: 20 }, (_each, index) => `dead${index}`), 'fresh')
  for (let id = 0; id < 20; id++) outbox.retryAt(id, 0)
  const sent: string[] = []
  startPostman({
    ...{ outbox, clock: manualClock(), ended: never, log: assert.fail, afterFailure: () => assert.fail() },
    send: (payload) => new Promise(() => sent.push(payload)),
  })
  assert.deepEqual([sent.length, sent.includes('fresh')], [5, true])
})

test('what fails is tried again when its time has come, until it is given up', async () => {
  const { outbox, left } = memoryBox('a')
  const clock = manualClock()
  const tries: number[] = []
  startPostman({
    ...{ outbox, clock, ended: never, log: assert.fail },
    send: () => Promise.reject(new Error('no answer')),
    afterFailure({ attempts }) {
      tries.push(clock.nowMs())
      return attempts === 2 ? undefined : 100
    },
  })
  for (let i = 0; i < 4; i++) {
    await settled()
    clock.advance(100)
  }
  assert.deepEqual([tries, left()], [[0, 100, 200], []])
})

test('on a full disk a letter is not sent a second time, and is done with when there is room', async () => {
  const { outbox, disk, left } = memoryBox('a')
  const clock = manualClock()
  const [sent, log]: [string[], string[]] = [[], []]
  disk.isFull = true
  const postman = startPostman({
    ...{ outbox, clock, ended: never, log: (line) => log.push(line), afterFailure: () => assert.fail() },
    send: async (payload) => void sent.push(payload),
  })
  for (let i = 0; i < 3; i++) {
    await settled()
    postman.wake()
    clock.advance(1_000)
  }
  assert.deepEqual([sent, log.length, left()], [['a'], 1, ['a']])
  disk.isFull = false
  await settled()
  clock.advance(1_000)
  await settled()
  assert.deepEqual([sent, left()], [['a'], []])
})

test('what is cut off counts for no try, and nothing else is sent then', async () => {
  const { outbox, left } = memoryBox(...Array.from({ length: 20 }, (_each, index) => `l${index}`))
  const end = new AbortController()
  const sent: string[] = []
  const postman = startPostman({
    ...{ outbox, clock: manualClock(), ended: end.signal, log: assert.fail, afterFailure: () => assert.fail() },
    send(payload) {
      sent.push(payload)
      return new Promise((_sent, reject) => end.signal.addEventListener('abort', () => reject(new Error('cut off'))))
    },
  })
  end.abort()
  await settled()
  postman.wake()
  assert.deepEqual([sent.length, left().length], [8, 20])
})
