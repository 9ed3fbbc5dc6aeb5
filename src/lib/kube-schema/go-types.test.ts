import assert from 'node:assert/strict'
import { test } from 'node:test'
import { schemaFor } from './builtin.ts'
import { goTypeOf, inGoOrder } from './go-types.ts'

test('a schema within a definition is written in the order of its Go type, at any depth', () => {
  const items = { required: ['a'], properties: { a: { maximum: 2, type: 'integer', default: 1 } }, type: 'object' }
  const written = { properties: { list: { items, type: 'array' } }, type: 'object', 'x-kubernetes-map-type': 'atomic' }
  const definition = { spec: { versions: [{ schema: { openAPIV3Schema: written } }] } }
  const text = JSON.stringify(inGoOrder(schemaFor('apiextensions.k8s.io/v1', 'CustomResourceDefinition'), definition))
  const inside = '{"type":"object","required":["a"],"properties":{"a":{"type":"integer","default":1,"maximum":2}}}'
  const list = `{"type":"array","items":${inside}}`
  const wanted = `{"type":"object","properties":{"list":${list}},"x-kubernetes-map-type":"atomic"}`
  assert.equal(text, `{"spec":{"versions":[{"schema":{"openAPIV3Schema":${wanted}}}]}}`)
})

test('a field whose type is a named string of the core group has that name, a struct of it has none', () => {
  assert.equal(goTypeOf('io.k8s.api.storage.v1.StorageClass', 'reclaimPolicy'), 'v1.PersistentVolumeReclaimPolicy')
  assert.equal(goTypeOf('io.k8s.api.apps.v1.DeploymentSpec', 'template'), undefined)
})
