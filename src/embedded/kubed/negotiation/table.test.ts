import assert from 'node:assert/strict'
import { test } from 'node:test'
import { objectsOf } from '../../../lib/kube/json.ts'
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
