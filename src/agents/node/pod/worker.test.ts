import assert from 'node:assert/strict'
import { test } from 'node:test'
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

/** A node whose API server is away, with one container that runs until it is killed. */
function cutOff(onCall: (call: string) => void): NodeContext {
  let isKilled = false
  const running = { uid: 'u', container: 'web', attempt: 0, imageId: 'i', startedAtMs: 0 }
  const exit = { code: 137, signal: 'SIGKILL', atMs: 1 }
  const driver = {
    isSimulated: false,
    hostIp: '10.42.0.1',
    logPath: () => '/nowhere',
    podFolder: () => '/nowhere',
    list: async () => ({
      sandboxes: [{ uid: 'u', ip: '10.42.0.2' }],
      containers: [isKilled ? { ...running, exit } : running],
    }),
    signal: async (_: unknown, signal: string) => {
      isKilled = true
      onCall(signal)
    },
    removeSandbox: async () => onCall('removed'),
  }
  const client = { patch: () => Promise.reject(new Error('connect ECONNREFUSED')) }
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
