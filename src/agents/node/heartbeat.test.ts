import assert from 'node:assert/strict'
import { test } from 'node:test'
import { manualClock } from '../../../tests/support/manual-clock.ts'
import type { KubeClient } from '../../adapters/kube/types.ts'
import { startHeartbeat } from './heartbeat.ts'
import type { NodeFacts } from './node-object.ts'

for (const isClosed of [false, true])
  test(`a beat that fails ${isClosed ? 'once the node has closed is told nobody' : 'is told'}`, async () => {
    const told: string[] = []
    const away = async (): Promise<never> => Promise.reject(new Error('away'))
    const heartbeat = startHeartbeat({
      client: { get: away, apply: away, create: away, patch: away, replace: away } as Partial<KubeClient> as KubeClient,
      clock: manualClock(),
      facts: { name: 'n' } as NodeFacts,
      pressure: { look: async () => false, felt: () => [] },
      log: (line) => told.push(line),
    })
    if (isClosed) heartbeat.close()
    await new Promise(setImmediate)
    heartbeat.close()
    assert.deepEqual(told, isClosed ? [] : ['node n: heartbeat: away'])
  })
