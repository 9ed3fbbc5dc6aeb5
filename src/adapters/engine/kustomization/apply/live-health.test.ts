import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseKustomization } from '../../../../kinds/kustomization.ts'
import { hasOwnRule } from './live-health.ts'

const of = (spec: object) =>
  parseKustomization({
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata: { name: 'app', namespace: 'ns' },
    spec: { interval: '1h', prune: true, sourceRef: { kind: 'GitRepository', name: 'app' }, ...spec },
  })
const ref = (apiVersion: string, kind: string) => ({ apiVersion, kind, namespace: 'ns', name: 'a' })
const JOB = ref('batch/v1', 'Job')

/** In what order kustomize-controller 1.9.4 asks the readers of a status. */
const cases = [
  ['a Job', JOB, of({}), '', true],
  ['a Job that another account applies', JOB, of({}), 'ns/deployer', false],
  ['a Job of another cluster', JOB, of({ kubeConfig: { secretRef: { name: 'kc' } } }), '', false],
  ['a CronJob', ref('batch/v1', 'CronJob'), of({}), '', false],
  ['a Job of another group', ref('batch.volcano.sh/v1alpha1', 'Job'), of({}), '', false],
] as const
for (const [it, what, kustomization, account, want] of cases)
  test(`${it} is judged by ${want ? 'the rule for Jobs' : 'healthCheckExprs'} with Flux's traps`, () =>
    assert.equal(hasOwnRule(what, kustomization, account), want))
