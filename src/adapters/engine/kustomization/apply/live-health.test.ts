import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseKustomization } from '../../../../kinds/kustomization.ts'
import { hasOwnRule, watchHealth } from './live-health.ts'
import type { Target } from './target.ts'

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

test('a health check that cannot begin leaves no watch open, also of what is opened after it failed', async () => {
  const held = new Set<object>()
  const caches = {
    open() {
      const cache = { ready: Promise.resolve(), refused: new Promise(() => undefined), onChange: () => undefined }
      const handle = { ...cache, close: () => void held.delete(handle) }
      held.add(handle)
      return handle
    },
  }
  let answer = (_resource: object): void => undefined
  const slow = new Promise<object>((resolve) => (answer = resolve))
  const resource = async (_version: string, kind: string): Promise<object> => {
    if (kind === 'Broken') throw new Error('the API server does not answer')
    return kind === 'Slow' ? slow : { namespaced: true }
  }
  const live = { ensure: async () => false, isFollowed: () => false }
  const target = { context: { client: { resource }, caches, traps: 'safe' }, live, account: '' } as unknown as Target
  const inventory = [
    { id: 'ns_a_apps_Deployment', v: 'v1' },
    { id: 'ns_b_x_Slow', v: 'v1' },
    { id: 'ns_c_x_Broken', v: 'v1' },
  ]
  const applied = { inventory, skipped: new Set<string>(), vanishing: new Set<string>() }
  await assert.rejects(
    watchHealth(target, of({ wait: true }), applied, () => undefined),
    /does not answer/,
  )
  answer({ namespaced: true })
  for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate)
  assert.equal(held.size, 0)
})
