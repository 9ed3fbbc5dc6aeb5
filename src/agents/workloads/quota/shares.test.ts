import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubeObject } from '../../../lib/kube/object.ts'
import { createShares } from './shares.ts'

const pod = (spec: object = {}, status: object = { phase: 'Running' }): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', namespace: 'a' },
  spec: { containers: [{ name: 'c', resources: { requests: { cpu: '1' } } }], ...spec },
  status,
})

const cases: { it: string; after: KubeObject; want: boolean }[] = [
  { it: 'becomes ready', after: pod({}, { phase: 'Running', conditions: [{ type: 'Ready' }] }), want: false },
  { it: 'ends', after: pod({}, { phase: 'Succeeded' }), want: true },
  { it: 'is to end by itself', after: pod({ activeDeadlineSeconds: 5 }), want: true },
  { it: 'asks for less', after: pod({ containers: [{ name: 'c' }] }), want: true },
]
for (const { it, after, want } of cases)
  test(`the share of a pod that ${it} ${want ? 'may be another' : 'stays'}`, () => {
    const shares = createShares()
    assert.equal(shares.hasChanged(pod(), false), true)
    assert.equal(shares.hasChanged(after, false), want)
    assert.equal(shares.hasChanged(after, false), false)
  })

test('who comes again is new', () => {
  const shares = createShares()
  shares.hasChanged(pod(), false)
  shares.hasChanged(pod(), true)
  assert.equal(shares.hasChanged(pod(), false), true)
})
