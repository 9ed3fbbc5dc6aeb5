import assert from 'node:assert/strict'
import { test } from 'node:test'
import { manualClock } from '../../../../tests/support/manual-clock.ts'
import { systemClock } from '../../../adapters/clock.ts'
import type { NodeContext } from './context.ts'
import type { Pod } from './shapes.ts'
import { startPodWorker } from './worker.ts'

const pod: Pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name: 'web',
    namespace: 'shop',
    uid: 'u',
    deletionTimestamp: '2026-11-28T00:00:00Z',
    deletionGracePeriodSeconds: 0,
  },
  spec: { containers: [{ name: 'web', image: 'i' }] },
}

const away = (): Promise<never> => Promise.reject(new Error('connect ECONNREFUSED'))

/** A node whose API server is away, with one container that runs until it is killed. */
function cutOff(onCall: (call: string) => void, patch: () => Promise<unknown> = away): NodeContext {
  let isKilled = false
  let isRemoved = false
  const running = { uid: 'u', container: 'web', attempt: 0, imageId: 'i', startedAtMs: 0 }
  const exit = { code: 137, signal: 'SIGKILL', atMs: 1 }
  const driver = {
    isSimulated: false,
    hostIp: '10.42.0.1',
    logPath: () => '/nowhere',
    podFolder: () => '/nowhere',
    list: async () => ({
      sandboxes: isRemoved ? [] : [{ uid: 'u', ip: '10.42.0.2' }],
      containers: [isKilled ? { ...running, exit } : running],
    }),
    signal: async (_: unknown, signal: string) => {
      isKilled = true
      onCall(signal)
    },
    removeSandbox: async () => {
      isRemoved = true
      onCall('removed')
    },
  }
  const client = { patch, delete: async () => onCall('deleted') }
  const context: unknown = {
    client,
    clock: systemClock,
    driver: () => driver,
    record: () => undefined,
    log: () => onCall('untold'),
  }
  return context as NodeContext
}

test('a pod is ended though its API server is away, and taken away only when its end could be told', async () => {
  const calls: string[] = []
  const isOver = () => calls.includes('SIGKILL') && calls.lastIndexOf('untold') > calls.indexOf('SIGKILL')
  let done: () => void = () => undefined
  const over = new Promise<void>((resolve) => (done = resolve))
  const context = cutOff((call) => {
    calls.push(call)
    if (isOver()) done()
  })
  const worker = startPodWorker(context, pod, () => calls.push('finished'))
  await over
  await worker.close()
  assert.deepEqual(
    calls.filter((call) => call !== 'untold'),
    ['SIGKILL'],
  )
})

test('an API server that does not answer holds up no end of a container, and is told the last word before the pod goes', async () => {
  const calls: string[] = []
  let answer: () => void = () => undefined
  let over: () => void = () => undefined
  const answered = new Promise<void>((resolve) => (answer = resolve))
  const finished = new Promise<void>((resolve) => (over = resolve))
  let killed: () => void = () => undefined
  const kill = new Promise<void>((resolve) => (killed = resolve))
  const context = cutOff(
    (call) => {
      calls.push(call)
      if (call === 'SIGKILL') killed()
    },
    async () => {
      calls.push('told')
      await answered
    },
  )
  const worker = startPodWorker(context, pod, over)
  await kill
  worker.wake()
  await new Promise((resolve) => setTimeout(resolve, 20))
  // one status at a time
  assert.deepEqual(calls, ['told', 'SIGKILL'])
  answer()
  await finished
  assert.deepEqual(calls, ['told', 'SIGKILL', 'told', 'removed', 'told', 'deleted'])
  await worker.close()
})

for (const setByMs of [-864_000_000, 864_000_000])
  test(`a container has all of its patience when the clock is set by ${setByMs} ms`, async () => {
    const calls: string[] = []
    const clock = manualClock(Date.parse('2026-11-28T00:00:00Z'))
    const context = cutOff(() => undefined)
    const signal = async (_: unknown, name: string): Promise<void> => void calls.push(name)
    const driver = { ...context.driver(), signal, drain: async () => undefined }
    const metadata = { ...pod.metadata, deletionGracePeriodSeconds: 30 }
    const worker = startPodWorker({ ...context, clock, driver: () => driver }, { ...pod, metadata }, () => undefined)
    const look = async (): Promise<void> => {
      worker.wake()
      for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
    }
    await look()
    clock.set(setByMs)
    await look()
    clock.advance(29_000)
    await look()
    assert.deepEqual(calls, ['SIGTERM'])
    clock.advance(1_000)
    await look()
    assert.deepEqual(calls, ['SIGTERM', 'SIGKILL'])
    await worker.close()
  })
