import assert from 'node:assert/strict'
import { test } from 'node:test'
import { schemaFor } from '../../../lib/kube-schema/builtin.ts'
import { dropGated, forgetEmpty } from './stored-form.ts'

const pod = schemaFor('v1', 'Pod')

test('fields whose gates are off are dropped, wherever they stand', () => {
  const object = {
    spec: {
      schedulingGroup: {},
      containers: [
        { name: 'c', lifecycle: { stopSignal: 'SIGINT', preStop: { httpGet: { port: 80, protocol: 'x' } } } },
      ],
      volumes: [{ name: 'v', configMap: { name: 'c', defaultUser: 1, items: [{ key: 'k', path: 'p', user: 1 }] } }],
    },
  }
  assert.ok(pod)
  dropGated(pod, object)
  assert.deepEqual(object, {
    spec: {
      containers: [{ name: 'c', lifecycle: { preStop: { httpGet: { port: 80 } } } }],
      volumes: [{ name: 'v', configMap: { name: 'c', items: [{ key: 'k', path: 'p' }] } }],
    },
  })
})

test('empty lists that are always there become null, at any depth', () => {
  const object = { spec: { volumes: [{ name: 'v', projected: { sources: [] } }], containers: [{ name: 'c' }] } }
  assert.ok(pod)
  forgetEmpty(pod, object)
  assert.deepEqual(object.spec.volumes, [{ name: 'v', projected: { sources: null } }])
})
