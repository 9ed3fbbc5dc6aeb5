import assert from 'node:assert/strict'
import { test } from 'node:test'
import { manualClock } from '../../../../../tests/support/manual-clock.ts'
import type { KubeObject } from '../../../../lib/kube/object.ts'
import { readText } from '../../../../lib/kube/read.ts'
import { ApiError } from '../../../kube/api-error.ts'
import type { KubeClient } from '../../../kube/types.ts'
import { createHeldInventories } from './held-inventories.ts'

const entry = (name: string) => ({ id: `ns_${name}__ConfigMap`, v: 'v1' })
const settled = (): Promise<void> => new Promise(setImmediate)

function world(writeTakesMs = 0) {
  const writes: string[] = []
  const clock = manualClock(1_000)
  let stored: KubeObject | undefined
  const server = { refuses: false }
  const client = {
    get: async () => stored,
    patch: async (_ref: unknown, _type: unknown, body: unknown) => {
      clock.advance(writeTakesMs)
      if (server.refuses) throw new ApiError(503, 'ServiceUnavailable', 'not now')
      stored = body as KubeObject
      writes.push(Object.keys(JSON.parse(readText(stored, 'data', 'held')) as object).join(' '))
      return stored
    },
  } as unknown as KubeClient
  return { writes, clock, server, open: () => createHeldInventories(client, clock, 'kube-system') }
}

test('all who apply at the same time share one write, and the first does not wait', async () => {
  const { writes, clock, open } = world()
  const held = open()
  const first = held.hold('ns/a', 'u', [entry('a')])
  await first
  const others = Promise.all([held.hold('ns/b', 'u', [entry('b')]), held.hold('ns/c', 'u', [entry('c')])])
  await settled()
  assert.deepEqual(writes, ['ns/a'])
  clock.advance(100)
  await others
  assert.deepEqual(writes, ['ns/a', 'ns/a ns/b ns/c'])
})

test('an API server that has much to do is written to less often', async () => {
  for (const { takesMs, pauseMs } of [
    { takesMs: 20, pauseMs: 100 },
    { takesMs: 60, pauseMs: 240 },
    { takesMs: 400, pauseMs: 500 },
  ]) {
    const { writes, clock, open } = world(takesMs)
    const held = open()
    await held.hold('ns/a', 'u', [entry('a')])
    const next = held.hold('ns/b', 'u', [entry('b')])
    await settled()
    clock.advance(pauseMs - takesMs - 1)
    await settled()
    assert.equal(writes.length, 1)
    clock.advance(1)
    await next
    assert.equal(writes.length, 2)
  }
})

test('what is held already costs nothing', async () => {
  const { writes, open } = world()
  const held = open()
  await held.hold('ns/a', 'u', [entry('a')])
  await held.hold('ns/a', 'u', [entry('a')])
  assert.equal(writes.length, 1)
})

test('what the cluster refused is not held, and is written when it is asked for again', async () => {
  const { writes, clock, server, open } = world()
  const held = open()
  await held.hold('ns/a', 'u', [entry('a')])
  server.refuses = true
  const refused = held.hold('ns/a', 'u', [entry('b')])
  clock.advance(100)
  await assert.rejects(refused, ApiError)
  assert.deepEqual(held.of('ns/a', 'u'), [entry('a')])
  server.refuses = false
  const again = held.hold('ns/a', 'u', [entry('b')])
  await settled()
  clock.advance(100)
  await again
  assert.deepEqual([writes.length, held.of('ns/a', 'u')], [2, [entry('a'), entry('b')]])
})

test('another engine knows what was held, of the same object alone', async () => {
  const { open } = world()
  await open().hold('ns/a', 'u', [entry('a')])
  const next = open()
  await next.open()
  assert.deepEqual([next.of('ns/a', 'u'), next.of('ns/a', 'other'), next.keys()], [[entry('a')], [], ['ns/a']])
})

test('what was released is taken out a moment later', async () => {
  const { writes, clock, open } = world()
  const held = open()
  await held.hold('ns/a', 'u', [entry('a')])
  held.release('ns/a')
  assert.deepEqual(held.of('ns/a', 'u'), [])
  clock.advance(2_000)
  await settled()
  assert.deepEqual(writes, ['ns/a', ''])
})
