import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubeObject } from '../../lib/kube/object.ts'
import { judge, type Scene } from './settled.ts'

const object = (kind: string, name: string, fields: object): KubeObject => ({
  apiVersion: 'v1',
  kind,
  metadata: { name, namespace: 'default', generation: 1 },
  ...fields,
})

const source = object('GitRepository', 'git', { status: { artifact: { revision: 'main@sha1:b' } } })
const kustomization = (revision: string, ready = 'True'): KubeObject =>
  object('Kustomization', 'apps', {
    spec: { sourceRef: { name: 'git' } },
    status: {
      observedGeneration: 1,
      lastAppliedRevision: revision,
      conditions: [{ type: 'Ready', status: ready, message: 'working' }],
    },
  })
const refused = (reason: string, fields: object = {}, name = 'apps'): KubeObject =>
  object('Kustomization', name, {
    spec: { sourceRef: { name: 'git' } },
    status: {
      observedGeneration: -1,
      lastAppliedRevision: 'main@sha1:a',
      lastAttemptedRevision: 'main@sha1:b',
      conditions: [{ type: 'Ready', status: 'False', reason, message: `no: ${reason}`, observedGeneration: 1 }],
      ...fields,
    },
  })
const tried = (times: number, status = 'ReconciliationFailed') => ({
  history: [{ lastReconciledStatus: status, totalReconciliations: times }],
})
const policy = object('ImagePolicy', 'web', { status: { latestRef: { name: 'r/web', tag: '1.1.0' } } })
const deployment = (tag: string, available = 2): KubeObject =>
  object('Deployment', 'web', {
    spec: { replicas: 2, template: { spec: { containers: [{ image: `r/web:${tag}` }] } } },
    status: { observedGeneration: 1, replicas: 2, updatedReplicas: 2, availableReplicas: available },
  })

const calm: Scene = {
  activeRuns: [],
  failedRuns: [],
  notYetSeen: undefined,
  sources: [source],
  kustomizations: [kustomization('main@sha1:b')],
  policies: [policy],
  automations: [object('ImageUpdateAutomation', 'all', {})],
  deployments: [deployment('1.1.0')],
}

const cases: { it: string; scene: Partial<Scene>; want: object }[] = [
  { it: 'is healthy when all agree', scene: {}, want: { state: 'healthy' } },
  {
    it: 'does not wait for what is suspended to write a choice to Git',
    scene: {
      deployments: [deployment('1.0.0')],
      automations: [object('ImageUpdateAutomation', 'all', { spec: { suspend: true } })],
    },
    want: {
      state: 'failed',
      causes: [
        'r/web:1.1.0, the choice of ImagePolicy default/web, is not written to Git: ImageUpdateAutomation default/all is suspended (sluice resume imageupdateautomation all -n default)',
      ],
    },
  },
  {
    it: 'waits while another one may write it',
    scene: {
      deployments: [deployment('1.0.0')],
      automations: [
        object('ImageUpdateAutomation', 'all', { spec: { suspend: true } }),
        object('ImageUpdateAutomation', 'other', {}),
      ],
    },
    want: { state: 'busy', waitingFor: 'the choice of ImagePolicy default/web to be deployed' },
  },
  { it: 'waits for a workflow run', scene: { activeRuns: ['W #1'] }, want: { state: 'busy', waitingFor: 'W #1' } },
  {
    it: 'names the oldest of several',
    scene: { activeRuns: ['W #1', 'W #2', 'V #1'] },
    want: { state: 'busy', waitingFor: 'W #1, and 2 more workflow runs' },
  },
  {
    it: 'fails with the cause of a run',
    scene: { failedRuns: ['x: step 2'] },
    want: { state: 'failed', causes: ['x: step 2'] },
  },
  {
    it: 'waits for the revision of the source',
    scene: { kustomizations: [kustomization('main@sha1:a')] },
    want: { state: 'busy', waitingFor: 'Kustomization default/apps: working' },
  },
  {
    it: 'fails with a build that failed, and does not wait for those that depend on it',
    scene: { kustomizations: [refused('BuildFailed'), refused('DependencyNotReady', {}, 'late')] },
    want: { state: 'failed', causes: ['Kustomization default/apps: no: BuildFailed'] },
  },
  {
    it: 'waits for a failed build while the source has something newer',
    scene: { kustomizations: [refused('BuildFailed', { lastAttemptedRevision: 'main@sha1:a' })] },
    want: { state: 'busy', waitingFor: 'Kustomization default/apps: no: BuildFailed' },
  },
  {
    it: 'waits while another Kustomization is on its way',
    scene: { kustomizations: [refused('BuildFailed'), kustomization('main@sha1:a')] },
    want: { state: 'busy', waitingFor: 'Kustomization default/apps: no: BuildFailed' },
  },
  {
    it: 'gives what the server refused a second try',
    scene: { kustomizations: [refused('ReconciliationFailed', tried(1))] },
    want: { state: 'busy', waitingFor: 'Kustomization default/apps: no: ReconciliationFailed' },
  },
  {
    it: 'fails with what the server refused twice',
    scene: { kustomizations: [refused('ReconciliationFailed', tried(2))] },
    want: { state: 'failed', causes: ['Kustomization default/apps: no: ReconciliationFailed'] },
  },
  {
    it: 'does not count how often something else happened',
    scene: { kustomizations: [refused('ReconciliationFailed', tried(7, 'ReconciliationSucceeded'))] },
    want: { state: 'busy', waitingFor: 'Kustomization default/apps: no: ReconciliationFailed' },
  },
  {
    it: 'fails with one that says it cannot go on',
    scene: {
      kustomizations: [
        object('Kustomization', 'apps', {
          spec: { sourceRef: { name: 'git' } },
          status: {
            conditions: [
              { type: 'Stalled', status: 'True', reason: 'AccessDenied', message: 'blocked' },
              { type: 'Ready', status: 'False', reason: 'AccessDenied', message: 'blocked' },
            ],
          },
        }),
      ],
    },
    want: { state: 'failed', causes: ['Kustomization default/apps: blocked'] },
  },
  {
    it: 'waits until the choice of a policy is deployed',
    scene: { deployments: [deployment('1.0.0')] },
    want: { state: 'busy', waitingFor: 'the choice of ImagePolicy default/web to be deployed' },
  },
  {
    it: 'does not trust the health of an older push',
    scene: { notYetSeen: 'GitRepository default/git to see the last push' },
    want: { state: 'busy', waitingFor: 'GitRepository default/git to see the last push' },
  },
  {
    it: 'waits for pods',
    scene: { deployments: [deployment('1.1.0', 1)] },
    want: { state: 'busy', waitingFor: 'Deployment default/web' },
  },
  {
    it: 'is not healthy before anything is there',
    scene: { kustomizations: [] },
    want: { state: 'busy', waitingFor: 'the Kustomizations' },
  },
]
for (const { it, scene, want } of cases)
  test(`the scene ${it}`, () => assert.deepEqual(judge({ ...calm, ...scene }), want))
