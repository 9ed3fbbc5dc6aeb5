import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ApiError } from '../../adapters/kube/api-error.ts'
import type { HttpKubeClient } from '../../adapters/kube/client.ts'
import { manualClock } from '../../../tests/support/manual-clock.ts'
import type { KubeObject } from '../../lib/kube/object.ts'
import { makeRecorder } from '../node/events.ts'
import { eventTeller } from './events.ts'

const HOUR_MS = 3_600_000
const about: KubeObject = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', namespace: 'a', uid: 'u' } }

/** A server that keeps Events as long as it is told to. */
function eventServer() {
  const kept = new Map<string, Record<string, unknown>>()
  const client = {
    async create(event: KubeObject) {
      assert.ok(!kept.has(event.metadata.name))
      kept.set(event.metadata.name, event)
    },
    async patch({ name }: { name: string }, _type: string, change: object) {
      const found = kept.get(name)
      if (found === undefined) throw new ApiError(404, 'NotFound', 'gone')
      Object.assign(found, change)
    },
  }
  return { kept, client: client as unknown as HttpKubeClient }
}

const recorders = {
  controllers(client: HttpKubeClient, clock: ReturnType<typeof manualClock>) {
    const tell = eventTeller(client, clock)
    return () => tell('controller', { about, type: 'Normal', reason: 'R', message: 'm' })
  },
  node(client: HttpKubeClient, clock: ReturnType<typeof manualClock>) {
    const record = makeRecorder({ client, clock, node: 'n', log: (line) => assert.fail(line) })
    return () => record(about, 'Normal', 'R', 'm')
  },
}

for (const [who, recorderOf] of Object.entries(recorders))
  test(`an Event of the ${who} that ended is written again when it is repeated, with its count`, async () => {
    const { kept, client } = eventServer()
    const clock = manualClock(0)
    const say = recorderOf(client, clock)
    const said = async () => {
      say()
      await new Promise((resolve) => setImmediate(resolve))
      return [...kept].map(([name, { count, firstTimestamp, lastTimestamp }]) => ({
        ...{ name, count, firstTimestamp, lastTimestamp },
      }))
    }
    const [first] = await said()
    assert.deepEqual([first?.count, first?.firstTimestamp], [1, '1970-01-01T00:00:00Z'])
    clock.advance(HOUR_MS)
    assert.deepEqual(await said(), [{ ...first, count: 2, lastTimestamp: '1970-01-01T01:00:00Z' }])
    kept.clear()
    clock.advance(HOUR_MS)
    assert.deepEqual(await said(), [{ ...first, count: 3, lastTimestamp: '1970-01-01T02:00:00Z' }])
  })

for (const [who, recorderOf] of Object.entries(recorders))
  test(`the ${who} tell on when their clock was set back`, async () => {
    const { kept, client } = eventServer()
    const clock = manualClock(1_000 * HOUR_MS)
    const say = recorderOf(client, clock)
    say()
    clock.set(-240 * HOUR_MS)
    clock.advance(1_000)
    say()
    await new Promise((resolve) => setImmediate(resolve))
    assert.deepEqual(
      [...kept.values()].map(({ count }) => count),
      [2],
    )
  })

test('what the node says anew each time of one container shares one Event, which tells the last', async () => {
  const { kept, client } = eventServer()
  const clock = manualClock(0)
  const record = makeRecorder({ client, clock, node: 'n', log: (line) => assert.fail(line) })
  for (let turn = 1; turn <= 100; turn++) {
    for (const field of ['{web}', '{proxy}'])
      record(about, 'Warning', 'Unhealthy', `Readiness probe failed: ${turn}`, `spec.containers${field}`)
    await new Promise((resolve) => setImmediate(resolve))
    clock.advance(10_000)
  }
  const said = [...kept.values()].map(({ message, count }) => `${String(count)} ${String(message)}`)
  assert.equal(said.length, 20)
  assert.deepEqual(
    said.filter((text) => !text.startsWith('1 ')),
    Array(2).fill('91 (combined from similar events): Readiness probe failed: 100'),
  )
})
