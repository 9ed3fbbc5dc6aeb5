import assert from 'node:assert/strict'
import { test } from 'node:test'
import { conditionOf } from '../meta.ts'
import type { Deployment } from '../shapes.ts'
import { rolloutStatus } from './status.ts'

const nowMs = Date.parse('2026-11-26T12:00:00Z')
const progressing = { type: 'Progressing', status: 'True', reason: 'ReplicaSetUpdated', message: '' }
const deployment: Deployment = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'default', generation: 1 },
  spec: {
    replicas: 1,
    selector: { matchLabels: { app: 'web' } },
    template: { metadata: {}, spec: { containers: [] } },
    progressDeadlineSeconds: 60,
  },
  status: { conditions: [{ ...progressing, lastUpdateTime: '2026-11-26T10:00:00Z' }] },
}

const cases = [
  { it: 'has passed when nothing moved for as long', atWorkSinceMs: 0, want: 'ProgressDeadlineExceeded' },
  { it: 'does not count the time before a restart', atWorkSinceMs: nowMs - 30_000, want: 'ReplicaSetUpdated' },
  { it: 'passes after a restart, too', atWorkSinceMs: nowMs - 61_000, want: 'ProgressDeadlineExceeded' },
]
for (const { it, atWorkSinceMs, want } of cases)
  test(`the deadline of a rollout ${it}`, () => {
    const status = rolloutStatus({ deployment, current: undefined, old: [], nowMs, atWorkSinceMs })
    assert.equal(conditionOf(status.conditions, 'Progressing')?.reason, want)
  })
