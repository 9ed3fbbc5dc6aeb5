import assert from 'node:assert/strict'
import { test } from 'node:test'
import { limitsOf } from './limits.ts'
import type { Container, Pod } from './shapes.ts'

const GIB = 2 ** 30

const cases: { it: string; qosClass: string; resources: Container['resources']; want: object }[] = [
  { it: 'ends best effort first', qosClass: 'BestEffort', resources: {}, want: { outOfMemoryScore: 1000 } },
  {
    it: 'ends sooner who asked for less',
    qosClass: 'Burstable',
    resources: { requests: { memory: '1Gi', cpu: '250m' } },
    want: { cpuRequestMillis: 250, outOfMemoryScore: 750 },
  },
  {
    it: 'takes what is allowed for what is asked for',
    qosClass: 'Guaranteed',
    resources: { limits: { memory: '64Mi', cpu: '1.5' } },
    want: { memoryBytes: 64 * 2 ** 20, cpuMillis: 1500, cpuRequestMillis: 1500, outOfMemoryScore: 0 },
  },
  {
    it: 'never stands before the server',
    qosClass: 'Burstable',
    resources: { requests: { memory: '8Gi' } },
    want: { outOfMemoryScore: 3 },
  },
]

for (const { it, qosClass, resources, want } of cases)
  test(`a container's limits: ${it}`, () => {
    const container: Container = { name: 'web', image: 'web:1', ...(resources === undefined ? {} : { resources }) }
    const pod: Pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'web' },
      spec: { containers: [container] },
      status: { qosClass },
    }
    assert.deepEqual(limitsOf(pod, container, 4 * GIB), want)
  })
