import assert from 'node:assert/strict'
import { test } from 'node:test'
import { as, type ReplicaSet } from '../shapes.ts'
import { decideReplicaSet } from './decide.ts'

const set = as<ReplicaSet>({
  apiVersion: 'apps/v1',
  kind: 'ReplicaSet',
  metadata: { name: 'r', namespace: 'n', uid: 'r', generation: 1 },
  spec: { replicas: 1, selector: { matchLabels: { app: 'r' } }, template: { spec: { containers: [{ name: 'c' }] } } },
})
const ENDS = 'pods "r-" is forbidden: unable to create new content in namespace n because it is being terminated'

for (const { failure, reasons } of [
  { failure: 'exceeded quota', reasons: ['FailedCreate'] },
  { failure: ENDS, reasons: [] },
])
  test(`a ReplicaSet whose pod is refused (${failure.slice(-19)}) says ${reasons.join() || 'nothing of it'}`, () => {
    const seen = { set, selector: set.spec.selector, candidates: [], siblingsOn: () => 0, failure, nowMs: 0 }
    const decision = decideReplicaSet(seen)
    assert.ok(decision.kind !== 'act' && decision.status[0]?.do === 'replace')
    const { conditions = [] } = as<ReplicaSet>(decision.status[0].object).status ?? {}
    assert.deepEqual(
      conditions.map(({ reason }) => reason),
      reasons,
    )
  })
