import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { KubeObject } from '../../lib/kube/object.ts'
import { judge } from './kstatus.ts'

const file = join(process.env['SLUICE_CONFORMANCE'] ?? '../shared/conformance', 'flux/kstatus.json')
const skip = existsSync(file) ? false : `no ${file}`
type Case = { test: string; name: string; object: KubeObject; expectedStatus: string }

/** Flux reads Jobs by its own rule: a Job that has started is not done. */
const OTHER_RULE = new Set(['jobInProgress'])

test('objects are judged as kstatus judges them', { skip }, () => {
  const wrong: string[] = []
  const { cases } = JSON.parse(readFileSync(file, 'utf8')) as { cases: Case[] }
  for (const row of cases) {
    if (OTHER_RULE.has(row.name)) continue
    const { health, why } = judge(row.object, Date.parse('2026-01-01T00:00:00Z'))
    if (health !== row.expectedStatus)
      wrong.push(`${row.test} ${row.name}: want ${row.expectedStatus}, got ${health} (${why})`)
  }
  assert.deepEqual(wrong, [])
})

test('what is not there is not found', () => {
  assert.equal(judge(undefined, 0).health, 'NotFound')
})

const DEPLOYED = { replicas: 2, updatedReplicas: 2, readyReplicas: 2, availableReplicas: 2 }

/** A Deployment whose pods are all there; what differs is what it says of its progress. */
const deployments: readonly {
  readonly it: string
  readonly deadline?: number
  readonly progressing?: { readonly status: string; readonly reason: string }
  readonly want: RegExp
}[] = [
  { it: 'done', progressing: { status: 'True', reason: 'NewReplicaSetAvailable' }, want: /^Current/ },
  {
    it: 'at work',
    progressing: { status: 'True', reason: 'ReplicaSetUpdated' },
    want: /^InProgress ReplicaSet not Av/,
  },
  { it: 'held up', progressing: { status: 'False', reason: 'FailedCreate' }, want: /^InProgress .*not progress/ },
  { it: 'late', progressing: { status: 'False', reason: 'ProgressDeadlineExceeded' }, want: /^Failed/ },
  { it: 'silent', want: /^InProgress ReplicaSet not Available/ },
  { it: 'silent without a deadline', deadline: 2 ** 31 - 1, want: /^Current/ },
]
for (const { it, deadline = 600, progressing, want } of deployments)
  test(`a Deployment whose pods are there is judged by its progress: ${it}`, () => {
    const conditions = [
      { type: 'Available', status: 'True' },
      ...(progressing === undefined ? [] : [{ type: 'Progressing', ...progressing }]),
    ]
    const object: KubeObject = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web', generation: 1 },
      spec: { replicas: 2, progressDeadlineSeconds: deadline },
      status: { observedGeneration: 1, ...DEPLOYED, conditions },
    }
    const { health, why } = judge(object, 0)
    assert.match(`${health} ${why}`, want)
  })

const CREATED = '2026-01-01T00:00:00Z'
const CRASHING = [{ name: 'main', state: { waiting: { reason: 'CrashLoopBackOff' } } }]
const NOT_READY = { phase: 'Running', conditions: [{ type: 'Ready', status: 'False' }] }
const UNSCHEDULED = { type: 'PodScheduled', status: 'False', reason: 'Unschedulable' }

const pods: readonly {
  readonly it: string
  readonly status: object
  readonly ageMs?: number
  readonly want: RegExp
}[] = [
  { it: 'runs and is not ready', status: NOT_READY, want: /^InProgress Pod is running but is not Ready/ },
  { it: 'crashes', status: { ...NOT_READY, containerStatuses: CRASHING }, want: /^Failed .*CrashLoop state: main/ },
  { it: 'has no place yet', status: { phase: 'Pending', conditions: [UNSCHEDULED] }, want: /^InProgress/ },
  { it: 'found no place', status: { phase: 'Pending', conditions: [UNSCHEDULED] }, ageMs: 15_000, want: /^Failed/ },
]
for (const { it, status, ageMs = 14_999, want } of pods)
  test(`a pod that ${it}`, () => {
    const metadata = { name: 'web', creationTimestamp: CREATED }
    const { health, why } = judge({ apiVersion: 'v1', kind: 'Pod', metadata, status }, Date.parse(CREATED) + ageMs)
    assert.match(`${health} ${why}`, want)
  })

const partitions: readonly { readonly partition: unknown; readonly updated: number; readonly want: RegExp }[] = [
  { partition: 2, updated: 0, want: /^InProgress updated: 0\/1/ },
  { partition: 2, updated: 1, want: /^Current Partition rollout complete/ },
  { partition: 0, updated: 3, want: /^Current All replicas/ },
  { partition: undefined, updated: 3, want: /^Current All replicas/ },
]
for (const { partition, updated, want } of partitions)
  test(`a StatefulSet with the partition ${String(partition)} of which ${updated} are updated`, () => {
    const { health, why } = judge(
      {
        apiVersion: 'apps/v1',
        kind: 'StatefulSet',
        metadata: { name: 'db', generation: 1 },
        spec: { replicas: 3, updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition } } },
        status: { observedGeneration: 1, replicas: 3, readyReplicas: 3, currentReplicas: 3, updatedReplicas: updated },
      },
      0,
    )
    assert.match(`${health} ${why}`, want)
  })
