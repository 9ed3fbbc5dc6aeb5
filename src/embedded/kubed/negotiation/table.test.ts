import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type JsonObject, objectsOf } from '../../../lib/kube/json.ts'
import { objFrom } from '../object.ts'
import { builtinResources } from '../resources/builtin.ts'
import { CUSTOM_SCALES } from '../resources/resource.ts'
import { tableOf } from './table.ts'

// What the real kube-apiserver 1.37.2 answered.
test('the scale of a custom resource has columns of its own', () => {
  const [any] = builtinResources()
  assert.ok(any)
  const scale = objFrom(
    { metadata: { name: 'a' }, spec: { replicas: 1 }, status: { replicas: 2 } },
    'autoscaling/v1',
    'Scale',
  )
  const options = { include: 'None', now: 0, version: 'v1', withColumns: true } as const
  const table = tableOf({ ...any, storageKey: CUSTOM_SCALES }, [scale], {}, options)
  const columns = objectsOf(table.columnDefinitions)
  assert.deepEqual(
    columns.slice(1).map(({ name, type }) => `${String(name)} ${String(type)}`),
    ['Desired integer', 'Available integer', 'Age date'],
  )
  assert.deepEqual(
    columns.slice(1, 3).map(({ description }) => description),
    ['Number of desired replicas', 'Number of actual replicas'],
  )
  assert.deepEqual(
    objectsOf(table.rows).map(({ cells }) => (Array.isArray(cells) ? cells.slice(0, 3) : [])),
    [['a', 1, 2]],
  )
})

const cells: { it: string; key: string; body: JsonObject; at: number; want: string }[] = [
  {
    it: 'of an event that goes on without saying when',
    ...{ key: '/events', body: { series: { lastObservedTime: null }, lastTimestamp: '2026-01-01T00:00:00Z' } },
    ...{ at: 0, want: '<unknown>' },
  },
  {
    it: 'of a node whose address is empty',
    ...{ key: '/nodes', body: { status: { addresses: [{ type: 'InternalIP', address: '' }] } }, at: 5, want: '' },
  },
  {
    it: 'of endpoints without addresses',
    key: '/endpoints',
    body: { subsets: [{ ports: [{ port: 1 }] }] },
    at: 1,
    want: '',
  },
  {
    it: 'of an address with colons',
    ...{ key: '/endpoints', body: { subsets: [{ addresses: [{ ip: '::1' }], ports: [{ port: 1 }] }] } },
    ...{ at: 1, want: '[::1]:1' },
  },
  {
    it: 'of a port whose name is empty',
    ...{ key: 'discovery.k8s.io/endpointslices', body: { ports: [{ name: '' }] }, at: 2, want: '<unset>' },
  },
  {
    it: 'of a port that says nothing of itself',
    ...{ key: 'discovery.k8s.io/endpointslices', body: { ports: [{}, { name: 'a' }] }, at: 2, want: '*,a' },
  },
  {
    it: 'of access modes, each once and in order',
    ...{
      key: '/persistentvolumes',
      body: { spec: { accessModes: ['ReadWriteMany', 'ReadWriteOnce', 'ReadWriteMany'] } },
    },
    ...{ at: 2, want: 'RWO,RWX' },
  },
  {
    it: 'of a claim without a name',
    ...{ key: '/persistentvolumes', body: { spec: { claimRef: { namespace: 'a' } } }, at: 5, want: 'a/' },
  },
]
for (const { it, key, body, at, want } of cells)
  test(`a cell ${it}`, () => {
    const resource = builtinResources().find(({ storageKey, group }) => storageKey === key && group !== 'events.k8s.io')
    assert.ok(resource)
    const object = objFrom({ ...body, metadata: { name: 'x' } }, 'v1', resource.kind)
    const table = tableOf(resource, [object], {}, { include: 'None', now: 0, version: 'v1', withColumns: false })
    assert.equal((objectsOf(table.rows)[0]?.cells as unknown[])[at], want)
  })
