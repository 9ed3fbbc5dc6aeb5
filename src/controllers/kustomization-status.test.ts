import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseKustomization } from '../kinds/kustomization.ts'
import { blockedStatus, suspendedStatus } from './kustomization-status.ts'

// What stands beside a failure goes with the object: its generation is the newest, whether the object is suspended, held up or cannot be deleted.
const conditions = [
  { type: 'Reconciling', status: 'True', reason: 'Progressing', message: 'm', observedGeneration: 1 },
  { type: 'Ready', status: 'False', reason: 'BuildFailed', message: 'm', observedGeneration: 1 },
].map((one) => ({ ...one, lastTransitionTime: '2026-01-01T00:00:00Z' }))

const failed = parseKustomization({
  apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
  kind: 'Kustomization',
  metadata: { name: 'app', namespace: 'ns', generation: 2 },
  spec: { interval: '1h', prune: true, sourceRef: { kind: 'GitRepository', name: 'app' } },
  status: { conditions, observedGeneration: -1 },
})
const working = parseKustomization({
  apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
  kind: 'Kustomization',
  metadata: { name: 'app', namespace: 'ns', generation: 2 },
  spec: { interval: '1h', prune: true, sourceRef: { kind: 'GitRepository', name: 'app' } },
  status: { conditions: [conditions[0], { ...conditions[1], status: 'Unknown' }], observedGeneration: -1 },
})

type Shown = readonly { readonly type: string; readonly reason: string; readonly observedGeneration?: number }[]
const shown = (status: Readonly<Record<string, unknown>>): string[] =>
  (status['conditions'] as Shown).map((one) => `${one.type} ${one.reason} ${one.observedGeneration}`)

test('one that failed and is suspended is one that will be tried again', () =>
  assert.deepEqual(shown(suspendedStatus(failed)), ['Reconciling ProgressingWithRetry 2', 'Ready BuildFailed 1']))

test('one that is suspended while it works stays as it is', () =>
  assert.deepEqual(shown(suspendedStatus(working)), ['Reconciling Progressing 1', 'Ready BuildFailed 1']))

test('one that failed and is held up is one that will be tried again', () =>
  assert.deepEqual(shown(blockedStatus(failed, 0, 'DependencyNotReady', 'd')), [
    'Reconciling ProgressingWithRetry 2',
    'Ready DependencyNotReady 2',
  ]))
