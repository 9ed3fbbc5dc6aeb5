import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubeObject } from '../../lib/kube/object.ts'
import { judgeByPods } from './by-pods.ts'
import type { Judgement } from './kstatus.ts'

const set = (kind: string): KubeObject => ({
  apiVersion: 'apps/v1',
  kind,
  metadata: { name: 'db', namespace: 'apps' },
  spec: { selector: { matchLabels: { app: 'db' } } },
  status: { updateRevision: 'new' },
})
const CRASHING = {
  phase: 'Running',
  containerStatuses: [{ name: 'c', state: { waiting: { reason: 'CrashLoopBackOff' } } }],
}
const pod = (status: object, revision = 'new', metadata: object = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    ...{ name: 'db-0', namespace: 'apps', creationTimestamp: '2026-01-01T00:00:00Z' },
    labels: { app: 'db', 'controller-revision-hash': revision },
    ...metadata,
  },
  status,
})
const unschedulable = {
  phase: 'Pending',
  conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable' }],
}

const rows: readonly {
  readonly it: string
  readonly kind?: string
  readonly health?: Judgement['health']
  readonly pod: KubeObject
  readonly want: readonly [safe: string, flux: string]
}[] = [
  { it: 'a pod that crashes', pod: pod(CRASHING), want: ['Failed', 'Failed'] },
  { it: 'a pod that crashes and is of the revision before', pod: pod(CRASHING, 'old'), want: ['InProgress', 'Failed'] },
  { it: 'a pod that only starts', pod: pod({ phase: 'Pending' }), want: ['InProgress', 'InProgress'] },
  { it: 'a pod that waits for a node', pod: pod(unschedulable), want: ['InProgress', 'InProgress'] },
  {
    it: 'a pod that crashes and ends',
    pod: pod(CRASHING, 'new', { deletionTimestamp: '2026-01-01T00:00:00Z' }),
    want: ['InProgress', 'InProgress'],
  },
  { it: 'a pod of another', pod: pod(CRASHING, 'new', { labels: { app: 'web' } }), want: ['InProgress', 'InProgress'] },
  { it: 'a pod elsewhere', pod: pod(CRASHING, 'new', { namespace: 'b' }), want: ['InProgress', 'InProgress'] },
  { it: 'being done', health: 'Current', pod: pod(CRASHING), want: ['Current', 'Current'] },
  { it: 'a pod of a Deployment', kind: 'Deployment', pod: pod(CRASHING), want: ['InProgress', 'InProgress'] },
]
for (const { it, kind = 'StatefulSet', health = 'InProgress', pod: one, want } of rows)
  test(`a ${kind} is judged by ${it}`, () => {
    const judged = (['safe', 'flux'] as const).map(
      (traps) => judgeByPods(set(kind), { health, why: '' }, [one], { nowMs: Date.parse('2026-01-02'), traps }).health,
    )
    assert.deepEqual(judged, want)
  })
