import assert from 'node:assert/strict'
import { test } from 'node:test'
import { workloadsOf } from './workloads.ts'

const spec = { containers: [{ image: 'web:1' }, { image: 'log:1' }], initContainers: [{ image: 'migrate:1' }] }
const images = ['web:1', 'log:1', 'migrate:1']
const cases: [kind: string, spec: object, want: object | undefined][] = [
  ['Deployment', { template: { spec } }, { images, needsPods: true }],
  ['Deployment', { replicas: 0, template: { spec } }, { images }],
  ['Job', { template: { spec } }, { images }],
  ['CronJob', { jobTemplate: { spec: { template: { spec } } } }, { images }],
  ['ConfigMap', {}, undefined],
]
for (const [kind, body, want] of cases)
  test(`the images of a ${kind} with ${JSON.stringify(body).slice(0, 40)} are told, that of its first container first`, () => {
    const found = workloadsOf([{ apiVersion: 'v1', kind, metadata: { name: 'web', namespace: 'shop' }, spec: body }])
    assert.deepEqual(found, want === undefined ? [] : [{ namespace: 'shop', name: 'web', ...want }])
  })
