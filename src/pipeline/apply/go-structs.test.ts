import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubeObject } from '../../lib/kube/object.ts'
import { normalize } from './normalize.ts'

const CASES: readonly [what: string, given: object, applied: object][] = [
  [
    'a Job whose pods have no labels',
    { apiVersion: 'batch/v1', kind: 'Job', spec: { template: { spec: { containers: [{ name: 'a' }] } } } },
    { spec: { template: { metadata: {}, spec: { containers: [{ name: 'a', resources: {} }] } } } },
  ],
  [
    'a Deployment; what is written stays as it is',
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      spec: {
        template: { metadata: { labels: { a: 'b' } }, spec: { initContainers: [{ name: 'i' }], containers: [] } },
      },
    },
    {
      spec: {
        strategy: {},
        template: {
          metadata: { labels: { a: 'b' } },
          spec: { initContainers: [{ name: 'i', resources: {} }], containers: [] },
        },
      },
    },
  ],
  [
    'a CronJob',
    { apiVersion: 'batch/v1', kind: 'CronJob', spec: { jobTemplate: { spec: { template: { spec: {} } } } } },
    { spec: { jobTemplate: { metadata: {}, spec: { template: { metadata: {}, spec: {} } } } } },
  ],
  ['a Namespace', { apiVersion: 'v1', kind: 'Namespace' }, { spec: {} }],
  ['a ConfigMap', { apiVersion: 'v1', kind: 'ConfigMap', data: { a: 'b' } }, { data: { a: 'b' } }],
  [
    'what has the wrong type is for the server to refuse',
    { apiVersion: 'batch/v1', kind: 'Job', spec: { template: 'none' } },
    { spec: { template: 'none' } },
  ],
  [
    'rules are applied as written',
    { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', rules: [] },
    { rules: [] },
  ],
  [
    'a kind of its own',
    { apiVersion: 'example.com/v1', kind: 'Job', spec: { template: {} } },
    { spec: { template: {} } },
  ],
]

for (const [what, given, applied] of CASES)
  test(`empty structs are applied as Go writes them: ${what}`, () => {
    const object = { metadata: { name: 'x' }, ...given } as KubeObject
    const { apiVersion, kind, metadata: _metadata, ...fields } = normalize(object) as KubeObject & object
    assert.deepEqual([apiVersion, kind], [object.apiVersion, object.kind])
    assert.deepEqual(fields, applied)
  })
