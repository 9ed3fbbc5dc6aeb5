import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubeObject } from '../../lib/kube/object.ts'
import { BORDERS, type Border } from './delivery.ts'
import { newDelivery } from './ledger.ts'
import { type Helpers, waitOf } from './wait.ts'

const object = (kind: string, name: string, spec: object, status: object = {}): KubeObject => ({
  ...{ apiVersion: 'v1', kind, metadata: { namespace: 'staging', name } },
  ...{ spec, status },
})
const notReady = { conditions: [{ type: 'Ready', status: 'False', reason: 'x', message: 'no login' }] }
const repository = object('ImageRepository', 'web', { image: 'r/web' })
const policy = (spec: object, status: object = {}): KubeObject =>
  object('ImagePolicy', 'web', { imageRepositoryRef: { name: 'web' }, ...spec }, status)
const numbers = { policy: { numerical: {} }, filterTags: { pattern: '^dev-(?P<n>[0-9]+)$', extract: '$n' } }
const source = object('GitRepository', 'app', {})
const kustomization = object('Kustomization', 'app', { sourceRef: { kind: 'GitRepository', name: 'app' } })

const calm: Helpers = {
  ...{ pods: [], deployments: [], unhealthy: [], others: [] },
  policies: [policy(numbers)],
  imageRepositories: [repository],
  automations: [object('ImageUpdateAutomation', 'all', {})],
  kustomizations: [kustomization],
  sources: [source],
}

/** Everything before `border` is passed. */
const before = (border: Border, version: string) =>
  newDelivery({
    ...{ id: '1', service: 'web', environment: 'staging', kind: 'image', commit: 'abc', startedAt: '' },
    ...{ image: 'r/web', version, kustomization: 'staging/app' },
    borders: Object.fromEntries(
      BORDERS.slice(0, BORDERS.indexOf(border)).map((name) => [name, { state: 'done', at: '', detail: '' }]),
    ),
  })

const cases: { it: string; at: Border; version?: string; helpers?: Partial<Helpers>; want: string | undefined }[] = [
  { it: 'for nothing while a policy will choose it', at: 'policy', want: undefined },
  {
    it: 'for a policy whose filter does not take its tag',
    at: 'policy',
    version: 'build-7',
    want: 'ImagePolicy staging/web does not take build-7: it does not match the pattern "^dev-(?P<n>[0-9]+)$"',
  },
  {
    it: 'for a policy that has a better tag',
    at: 'policy',
    helpers: { policies: [policy(numbers, { latestRef: { name: 'r/web', tag: 'dev-9' } })] },
    want: 'ImagePolicy staging/web stays with dev-9, which comes before dev-7 by its rule',
  },
  {
    it: 'for a policy with a rule that its tag does not fit',
    at: 'policy',
    helpers: { policies: [policy({ policy: { semver: { range: '>=1.0.0' } } })] },
    want: 'ImagePolicy staging/web does not take dev-7: it is not a version',
  },
  {
    it: 'for a policy that is not there',
    at: 'policy',
    helpers: { policies: [] },
    want: 'no ImagePolicy in namespace staging chooses among the tags of r/web',
  },
  {
    it: 'for a repository that cannot be scanned',
    at: 'policy',
    helpers: { imageRepositories: [{ ...repository, status: notReady }] },
    want: 'ImageRepository staging/web is not ready: no login',
  },
  { it: 'for nothing while an automation will write it', at: 'write-back', want: undefined },
  {
    it: 'for an automation that is not there',
    at: 'write-back',
    helpers: { automations: [] },
    want: 'no ImageUpdateAutomation in namespace staging writes r/web:dev-7 to Git',
  },
  {
    it: 'for an automation that is suspended',
    at: 'write-back',
    helpers: { automations: [object('ImageUpdateAutomation', 'all', { suspend: true })] },
    want: 'ImageUpdateAutomation staging/all is suspended (sluice resume imageupdateautomation all -n staging)',
  },
  {
    it: 'for its source',
    at: 'source',
    helpers: { sources: [{ ...source, status: notReady }] },
    want: 'GitRepository staging/app is not ready: no login',
  },
  {
    it: 'for its Kustomization',
    at: 'build',
    helpers: { kustomizations: [{ ...kustomization, status: notReady }] },
    want: 'Kustomization staging/app is not ready: no login',
  },
  {
    it: 'for the pods that a quota refuses',
    at: 'health',
    helpers: {
      deployments: [
        object('Deployment', 'web', {}, { conditions: [{ type: 'ReplicaFailure', status: 'True', message: 'quota' }] }),
      ],
    },
    want: 'no pod can be made: quota',
  },
  {
    it: 'for the judgement of a Kustomization that is suspended',
    at: 'health',
    helpers: { kustomizations: [{ ...kustomization, spec: { suspend: true } }] },
    want: 'Kustomization staging/app is suspended (sluice resume kustomization app -n staging)',
  },
]
for (const { it, at, version = 'dev-7', helpers, want } of cases)
  test(`a delivery waits ${it}`, () => assert.equal(waitOf(before(at, version), { ...calm, ...helpers })?.cause, want))

test('a delivery that has ended waits for nothing', () => {
  assert.equal(
    waitOf({ ...before('write-back', 'dev-7'), state: 'superseded' }, { ...calm, automations: [] }),
    undefined,
  )
})
