import assert from 'node:assert/strict'
import { test } from 'node:test'
import { durationText, restartDelayMs } from './backoff.ts'
import { fieldOf, labelOf, type Pod } from './shapes.ts'

const durations: [ms: number, want: string][] = [
  [0, '0s'],
  [250, '250ms'],
  [1500, '1.5s'],
  [restartDelayMs(2), '10s'],
  [restartDelayMs(5), '1m20s'],
  [restartDelayMs(9), '5m0s'],
  [3_600_000, '1h0m0s'],
]
for (const [ms, want] of durations) test(`${ms} ms are ${want}`, () => assert.equal(durationText(ms), want))

const pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', namespace: 'a', uid: 'u' },
  spec: { containers: [{ name: 'c' }], initContainers: [{ name: 'i' }], ephemeralContainers: [{ name: 'e' }] },
} as unknown as Pod

test('Events name a container by where it stands in the pod', () => {
  assert.deepEqual(
    ['c', 'i', 'e'].map((name) => fieldOf(pod, name)),
    ['spec.containers{c}', 'spec.initContainers{i}', 'spec.ephemeralContainers{e}'],
  )
})

test('a pod is told by name, namespace and uid', () => assert.equal(labelOf(pod), 'p_a(u)'))
