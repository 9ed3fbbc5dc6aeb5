import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compareForDeletion } from './pods.ts'
import type { Pod } from './shapes.ts'

const NOW = Date.parse('2026-11-27T00:00:00Z')
const COST = 'controller.kubernetes.io/pod-deletion-cost'

const podOf = (name: string, more: { cost?: string; sidecar?: number }): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, uid: name, ...(more.cost === undefined ? {} : { annotations: { [COST]: more.cost } }) },
  spec: { nodeName: 'n', containers: [{ name: 'c' }], initContainers: [{ name: 's', restartPolicy: 'Always' }] },
  status: {
    phase: 'Running',
    ...(more.sidecar === undefined ? {} : { initContainerStatuses: [{ name: 's', restartCount: more.sidecar }] }),
  },
})

/** Which of two goes first by ActivePodsWithRanks of Kubernetes 1.37; undefined: neither. */
const cases: { it: string; a: Parameters<typeof podOf>[1]; b: Parameters<typeof podOf>[1]; want?: 'a' | 'b' }[] = [
  { it: 'that costs less', a: { cost: '-5' }, b: {}, want: 'a' },
  { it: 'whose cost is no number of 32 bits', a: { cost: '-2147483649' }, b: {} },
  { it: 'whose cost is written with a blank', a: { cost: ' -1' }, b: {} },
  { it: 'whose cost is written with an exponent', a: { cost: '-1e3' }, b: {} },
  { it: 'whose cost begins with a zero', a: { cost: '01' }, b: {} },
  { it: 'whose sidecar began again more often', a: { sidecar: 1 }, b: { sidecar: 3 }, want: 'b' },
]
for (const { it, a, b, want } of cases)
  test(`of two pods the one ${it} ${want === undefined ? 'is like the other' : 'is told apart'}`, () => {
    const order = compareForDeletion({ pod: podOf('p', a), rank: 0 }, { pod: podOf('q', b), rank: 0 }, NOW)
    assert.equal(order < 0 ? 'a' : order > 0 ? 'b' : undefined, want)
  })
