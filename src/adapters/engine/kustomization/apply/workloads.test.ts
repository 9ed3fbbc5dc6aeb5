import assert from 'node:assert/strict'
import { test } from 'node:test'
import { workloadsOf } from './workloads.ts'

const cases: { it: string; kind: string; spec: object; want: boolean }[] = [
  { it: 'a Deployment', kind: 'Deployment', spec: {}, want: true },
  { it: 'a StatefulSet of three', kind: 'StatefulSet', spec: { replicas: 3 }, want: true },
  { it: 'a Deployment that is scaled to none', kind: 'Deployment', spec: { replicas: 0 }, want: false },
  { it: 'a DaemonSet', kind: 'DaemonSet', spec: {}, want: false },
  { it: 'a CronJob', kind: 'CronJob', spec: {}, want: false },
]
for (const { it, kind, spec, want } of cases)
  test(`${it} needs ${want ? '' : 'no '}pods to have arrived`, () => {
    const object = { apiVersion: 'v1', kind, metadata: { namespace: 'a', name: 'b' }, spec }
    assert.equal(workloadsOf([object])[0]?.needsPods === true, want)
  })
