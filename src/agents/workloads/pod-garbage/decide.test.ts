import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Node, Pod } from '../shapes.ts'
import { decidePodGarbage, type PodGarbageSeen } from './decide.ts'
import { endedPods } from './ended.ts'

const pod = (metadata: object = {}, spec: object = {}, status: Pod['status'] = { phase: 'Running' }): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', namespace: 'a', uid: 'u', generation: 2, ...metadata },
  spec: { containers: [], ...spec },
  status,
})
const node = (isReady: boolean, taints: string[] = []): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: 'n' },
  spec: { taints: taints.map((key) => ({ key, effect: 'NoExecute' })) },
  status: { conditions: [{ type: 'Ready', status: isReady ? 'True' : 'False' }] },
})
const leaving = { deletionTimestamp: '1970-01-01T00:01:20Z', deletionGracePeriodSeconds: 30 }
const outOfService = 'node.kubernetes.io/out-of-service'
const onNode = { nodeName: 'n' }
const calm: PodGarbageSeen = {
  pod: pod(),
  node: undefined,
  missingSinceMs: undefined,
  isSurplus: false,
  nowMs: 100_000,
}
const ends = ['patch', 'delete']

const cases: { it: string; seen: Partial<PodGarbageSeen>; want: readonly string[] }[] = [
  { it: 'leaves a pod that waits for a node', seen: {}, want: [] },
  { it: 'ends one that leaves without ever having had a node', seen: { pod: pod(leaving) }, want: ends },
  { it: 'lets one that has just begun to leave be seen leaving', seen: { pod: pod(leaving), nowMs: 99_000 }, want: [] },
  { it: 'leaves one that leaves its node', seen: { pod: pod(leaving, onNode), node: node(false) }, want: [] },
  {
    it: 'ends one that leaves a node out of service',
    seen: { pod: pod(leaving, onNode), node: node(false, [outOfService]) },
    want: ends,
  },
  {
    it: 'leaves one whose node is ready after all',
    seen: { pod: pod(leaving, onNode), node: node(true, [outOfService]) },
    want: [],
  },
  {
    it: 'leaves one that is to stay on a node out of service',
    seen: { pod: pod({}, onNode), node: node(false, [outOfService]) },
    want: [],
  },
  { it: 'waits for a node that has just gone', seen: { pod: pod({}, onNode), missingSinceMs: 70_000 }, want: [] },
  { it: 'ends one whose node stays away', seen: { pod: pod({}, onNode), missingSinceMs: 60_000 }, want: ends },
  {
    it: 'keeps how a pod has ended',
    seen: { pod: pod({}, onNode, { phase: 'Succeeded' }), missingSinceMs: 0 },
    want: ['delete'],
  },
  {
    it: 'ends one of too many that have ended',
    seen: { pod: pod({}, onNode, { phase: 'Failed' }), node: node(true), isSurplus: true },
    want: ['delete'],
  },
  {
    it: 'leaves one that runs under the name of one of too many',
    seen: { pod: pod(leaving, onNode), node: node(true), isSurplus: true },
    want: [],
  },
  {
    it: 'asks no second time what finalizers hold',
    seen: { pod: pod({ ...leaving, deletionGracePeriodSeconds: 0 }, {}, { phase: 'Failed' }) },
    want: [],
  },
]
for (const { it, seen, want } of cases)
  test(`the pod garbage collector ${it}`, () => {
    const decided = decidePodGarbage({ ...calm, ...seen })
    assert.deepEqual(decided.kind === 'done' && decided.status.map((write) => write.do), want)
  })

test('a pod whose node has just gone is looked at again when its time is over', () => {
  const decided = decidePodGarbage({ ...calm, pod: pod({}, onNode), missingSinceMs: 70_000 })
  assert.equal(decided.kind === 'done' && decided.againAfterMs, 10_000)
})

test('why a pod has gone with its node is a condition of it', () => {
  const decided = decidePodGarbage({ ...calm, pod: pod({}, onNode), missingSinceMs: 0 })
  const [patch] = decided.kind === 'done' ? decided.status : []
  assert.deepEqual(patch?.do === 'patch' && patch.body, {
    metadata: { uid: 'u' },
    status: {
      phase: 'Failed',
      observedGeneration: 2,
      '$setElementOrder/conditions': [{ type: 'DisruptionTarget' }],
      conditions: [
        {
          type: 'DisruptionTarget',
          observedGeneration: 2,
          status: 'True',
          lastTransitionTime: '1970-01-01T00:01:40Z',
          reason: 'DeletionByPodGC',
          message: 'PodGC: node no longer exists',
        },
      ],
    },
  })
})

test('of too many pods that have ended, evicted ones go first, then the oldest', () => {
  const ended = endedPods()
  const add = (name: string, day: number, reason?: string): void =>
    ended.take(
      pod({ name, creationTimestamp: `2026-01-0${day}T00:00:00Z` }, {}, { phase: 'Failed', ...(reason && { reason }) }),
      false,
    )
  add('old', 1)
  add('older-evicted', 3, 'Evicted')
  add('gone', 1)
  add('new', 4)
  ended.take(pod({ name: 'gone' }), true)
  ended.take(pod({ name: 'runs' }), false)
  assert.deepEqual([...ended.beyond(1)], ['a/older-evicted', 'a/old'])
  assert.deepEqual([...ended.beyond(3)], [])
})
