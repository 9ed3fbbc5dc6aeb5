import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Seen } from './decide.ts'
import type { Pod, PodStatus } from './shapes.ts'
import { renderPodStatus } from './status.ts'

const NOW = 1_000_000_000
const TIME = '1970-01-12T13:46:40Z'
const pod = (status: PodStatus): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web', namespace: 'default', uid: 'u', generation: 2 },
  spec: { containers: [{ name: 'web', image: 'i' }] },
  status,
})
const calm: Seen = {
  nowMs: NOW,
  pod: pod({}),
  sandbox: undefined,
  setupFault: undefined,
  images: new Map(),
  runs: new Map(),
  startFaults: new Map(),
  health: new Map(),
  stopping: new Map(),
  evicted: undefined,
  drain: 'none',
  given: new Map(),
  capacity: { cpuMillis: 2_000, memoryBytes: 2 ** 30 },
  inFlight: new Set(),
}

test('of a pod that its node did not take nothing is said but why, however often it is looked at', () => {
  const refused: PodStatus = {
    qosClass: 'Burstable',
    phase: 'Failed',
    reason: 'OutOfcpu',
    message: 'Pod was rejected: no',
    conditions: [
      { type: 'PodScheduled', status: 'True' },
      { type: 'example.com/of-others', status: 'True' },
    ],
  }
  const status = renderPodStatus({ ...calm, pod: pod(refused) }, '10.0.0.1')
  assert.deepEqual(status, {
    ...refused,
    observedGeneration: 2,
    conditions: [{ type: 'example.com/of-others', status: 'True' }],
    startTime: TIME,
  })
  assert.deepEqual(renderPodStatus({ ...calm, nowMs: NOW + 5_000, pod: pod(status) }, '10.0.0.1'), status)
})
