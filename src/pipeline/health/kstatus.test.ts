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
