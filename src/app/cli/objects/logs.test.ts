import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubeObject } from '../../../lib/kube/object.ts'
import { containersOf, isPodOf } from './logs.ts'

const pod = (name: string, owner?: { readonly kind: string; readonly name: string }): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name,
    ownerReferences: owner ? [{ apiVersion: 'apps/v1', uid: '1', controller: true, ...owner }] : [],
  },
  spec: { initContainers: [{ name: 'prepare' }], containers: [{ name: 'web' }, { name: 'proxy' }] },
})

for (const { it, of, service, want } of [
  {
    it: 'a Deployment',
    of: pod('web-api-5d4-x2', { kind: 'ReplicaSet', name: 'web-api-5d4' }),
    service: 'web-api',
    want: true,
  },
  {
    it: 'another Deployment',
    of: pod('web-api-5d4-x2', { kind: 'ReplicaSet', name: 'web-api-5d4' }),
    service: 'web',
    want: false,
  },
  { it: 'a StatefulSet', of: pod('db-0', { kind: 'StatefulSet', name: 'db' }), service: 'db', want: true },
  { it: 'a DaemonSet', of: pod('agent-x2', { kind: 'DaemonSet', name: 'agent' }), service: 'agent', want: true },
  { it: 'its own name', of: pod('debug'), service: 'debug', want: true },
  { it: 'nobody', of: pod('debug-a-b'), service: 'debug', want: false },
])
  test(`logs: a pod of ${it} is ${want ? '' : 'not '}found`, () => assert.equal(isPodOf(of, service), want))

test('logs: the containers at work, or the one that is asked for, which may prepare', () => {
  assert.deepEqual(containersOf(pod('a'), undefined), ['web', 'proxy'])
  assert.deepEqual(containersOf(pod('a'), 'prepare'), ['prepare'])
  assert.deepEqual(containersOf(pod('a'), 'none'), [])
})
