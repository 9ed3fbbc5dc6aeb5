import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Condition, Pod } from '../shapes.ts'
import { decideDisrupted } from './stale.ts'

const nowMs = Date.parse('2026-01-01T12:00:00Z')
const READY: Condition = { type: 'Ready', status: 'True' }
const target = (more: Partial<Condition> = {}): Condition => ({
  type: 'DisruptionTarget',
  status: 'True',
  reason: 'EvictionByEvictionAPI',
  message: 'Eviction API: evicting',
  lastTransitionTime: '2026-01-01T11:58:00Z',
  ...more,
})
const pod = (condition: Condition, metadata: object = {}, phase = 'Running'): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', namespace: 'n', generation: 2, ...metadata },
  spec: { containers: [] },
  status: { phase, conditions: [condition, READY] },
})

test('a pod that was to go and did not for two minutes stays', () => {
  const decision = decideDisrupted({ pod: pod(target()), nowMs })
  const [write] = decision.kind === 'done' ? decision.status : []
  assert.ok(write?.do === 'replace' && write.subresource === 'status')
  assert.deepEqual((write.object as Pod).status, {
    phase: 'Running',
    conditions: [
      {
        type: 'DisruptionTarget',
        observedGeneration: 2,
        status: 'False',
        lastProbeTime: null,
        lastTransitionTime: '2026-01-01T12:00:00Z',
      },
      READY,
    ],
  })
})

const others: { it: string; given: Pod; againAfterMs?: number }[] = [
  { it: 'has time to leave', given: pod(target({ lastTransitionTime: '2026-01-01T11:58:01Z' })), againAfterMs: 1000 },
  { it: 'is leaving', given: pod(target(), { deletionTimestamp: '2026-01-01T11:59:00Z' }) },
  { it: 'has ended', given: pod(target(), {}, 'Failed') },
  { it: 'is ended by its kubelet', given: pod(target({ reason: 'TerminationByKubelet' })) },
  { it: 'stays already', given: pod(target({ status: 'False' })) },
]
for (const { it, given, againAfterMs } of others)
  test(`nothing is taken back from a pod that ${it}`, () =>
    assert.deepEqual(decideDisrupted({ pod: given, nowMs }), {
      kind: 'done',
      status: [],
      ...(againAfterMs !== undefined && { againAfterMs }),
    }))
