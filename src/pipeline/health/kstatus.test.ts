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
  { it: 'held up', progressing: { status: 'False', reason: 'FailedCreate' }, want: /^InProgress ReplicaSet not Av/ },
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
  { partition: 0, updated: 3, want: /^Current Partition rollout complete/ },
  { partition: 0, updated: 2, want: /^InProgress updated: 2\/3/ },
  { partition: -1, updated: 2, want: /^Current All replicas/ },
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

// Computed by fluxcd/cli-utils 1.2.2, Jobs by fluxcd/pkg/runtime 0.110.1.
const verdicts: readonly [it: string, kind: string, parts: object, want: string][] = [
  ['conditions that are no list', 'Secret', { status: { conditions: {} } }, 'Unknown cannot restore slice from map'],
  [
    'a status that is no map',
    'Thing',
    { status: 'ok', metadata: { name: 'x' } },
    'Unknown cannot restore struct from: string',
  ],
  [
    'a type that is a number',
    'Thing',
    { status: { conditions: [{ type: 3 }] } },
    'Unknown cannot convert int64 to string',
  ],
  [
    'a message that is a list',
    'Thing',
    { status: { conditions: [{ message: [] }] } },
    'Unknown unrecognized type: string',
  ],
  ['no condition', 'Thing', { status: { conditions: [null] } }, 'Current Resource is current'],
  [
    'a generation seen that is a text',
    'Thing',
    { status: { observedGeneration: '1' } },
    'Unknown looking up status.observedGeneration from resource: .status.observedGeneration accessor error: 1 is of the type string, expected int64',
  ],
  [
    'stalled before reconciling',
    'Thing',
    conditions(['Stalled', 'True', 'a'], ['Reconciling', 'True', 'b']),
    'Failed a',
  ],
  [
    'reconciling before stalled',
    'Thing',
    conditions(['Reconciling', 'True', 'b'], ['Stalled', 'True', 'a']),
    'InProgress b',
  ],
  ['a Ready of no known status', 'Thing', conditions(['Ready', 'yes', 'a'], ['Ready', 'False', 'b']), 'InProgress b'],
  ['only such a Ready', 'Thing', conditions(['Ready', 'yes', 'a']), 'Current Resource is current'],
  ['nothing', 'batch/Job', {}, 'InProgress Job not started. active: 0/1'],
  ['a stall', 'batch/Job', conditions(['Stalled', 'True', 'a']), 'InProgress Job not started. active: 0/1'],
  ['a suspension', 'batch/Job', { spec: { suspend: true }, status: { startTime: 'x' } }, 'Current Job is suspended'],
  [
    'a start',
    'batch/Job',
    { status: { startTime: 'x', active: 2 } },
    'InProgress Job in progress. success:0, active: 2, failed: 0',
  ],
  [
    'an end',
    'batch/Job',
    { spec: { parallelism: 3 }, ...conditions(['Complete', 'True', '']) },
    'Current Job Completed. succeeded: 0/3',
  ],
  [
    'a failure',
    'batch/Job',
    { spec: { completions: 2 }, ...conditions(['Failed', 'True', 'a']) },
    'Failed Job Failed. failed: 0/2',
  ],
  ['no phase', 'PersistentVolumeClaim', {}, 'InProgress PVC is not Bound. phase: unknown'],
  ['an odd phase', 'Pod', { status: { phase: 'Odd' } }, 'Unknown unknown phase Odd'],
  [
    'an init container that crashes',
    'Pod',
    { status: { phase: 'Running', initContainerStatuses: CRASHING } },
    'InProgress Pod is running but is not Ready',
  ],
  ['no generation seen', 'apps/DaemonSet', {}, 'InProgress DaemonSet status.observedGeneration not found'],
  ['nothing', 'policy/PodDisruptionBudget', {}, 'Current AllowedDisruptions has been computed.'],
  [
    'a deadline behind it and none set',
    'apps/Deployment',
    { status: { conditions: [{ type: 'Progressing', reason: 'ProgressDeadlineExceeded' }] } },
    'Failed Progress deadline exceeded',
  ],
  [
    'names that are refused after it was established',
    'apiextensions.k8s.io/CustomResourceDefinition',
    conditions(['Established', 'True', ''], ['NamesAccepted', 'False', 'a']),
    'Current CRD is established',
  ],
]
for (const [it, kind, parts, want] of verdicts)
  test(`a ${kind} with ${it} is judged as by kstatus`, () => {
    const [name = '', group = ''] = kind.split('/').reverse()
    const apiVersion = group === '' ? 'v1' : `${group}/v1`
    const { health, why } = judge({ apiVersion, kind: name, metadata: { name: 'x', generation: 1 }, ...parts }, 0)
    assert.equal(`${health} ${why}`, want)
  })

function conditions(...list: readonly (readonly [type: string, status: string, message: string])[]): object {
  return { status: { conditions: list.map(([type, status, message]) => ({ type, status, message })) } }
}
