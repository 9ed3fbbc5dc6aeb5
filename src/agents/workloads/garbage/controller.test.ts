import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  forSeeds,
  servedKind,
  simulateCluster,
  type SimulatedCluster,
  START_MS,
} from '../../../../tests/support/simulated-cluster.ts'
import type { KubeObject, ObjectMeta, OwnerReference } from '../../../lib/kube/object.ts'
import { garbageCollector } from './controller.ts'

const DEFINITION = 'CustomResourceDefinition'
const LEAVING = { deletionTimestamp: '2026-11-23T03:00:00Z', deletionGracePeriodSeconds: 0 }
const servedKinds = () => [
  servedKind('example.com/v1', 'Thing', 'things'),
  servedKind('example.com/v1', 'Part', 'parts'),
  servedKind('apiextensions.k8s.io/v1', DEFINITION, 'customresourcedefinitions', false),
]
const object = (kind: string, name: string, metadata: Partial<ObjectMeta>): KubeObject => ({
  apiVersion: 'example.com/v1',
  kind,
  metadata: { name, namespace: 'a', uid: name, ...metadata },
})
const ownedBy = (kind: string, uid: string): OwnerReference => ({
  ...{ apiVersion: 'example.com/v1', kind, name: uid, uid },
  blockOwnerDeletion: true,
})

const collect = (cluster: SimulatedCluster, ...later: (() => void)[]): Promise<readonly string[]> =>
  cluster.run((bench, caches) => [garbageCollector(bench, caches)], { later })

test('what is to be orphaned is known before its owner goes, in whatever order kinds are listed', () =>
  forSeeds(4, async (seed) => {
    const cluster = simulateCluster(seed, servedKinds(), START_MS)
    const { store } = cluster
    store.put(object('Thing', 'o', { ...LEAVING, finalizers: ['orphan'] }))
    store.put(object('Part', 'd', { ownerReferences: [ownedBy('Thing', 'o')] }))
    await collect(cluster)
    assert.equal(store.get('Thing', 'a', 'o'), undefined)
    assert.deepEqual(store.get('Part', 'a', 'd')?.metadata.ownerReferences, [])
  }))

test('an owner that waits goes when its last dependent is its no more', async () => {
  const cluster = simulateCluster(1, servedKinds(), START_MS)
  const { store } = cluster
  const held = { finalizers: ['example.com/held'], ...LEAVING }
  store.put(object('Thing', 'o', { ...LEAVING, finalizers: ['foregroundDeletion'] }))
  const dependent = store.put(object('Part', 'd', { ...held, ownerReferences: [ownedBy('Thing', 'o')] }))
  const { ownerReferences: _none, ...metadata } = dependent.metadata
  await collect(cluster, () => void store.put({ ...dependent, metadata }))
  assert.equal(store.get('Thing', 'a', 'o'), undefined)
})

test('what has an owner of a kind that is not served yet is looked at again', async () => {
  const kinds = servedKinds()
  const cluster = simulateCluster(1, kinds, START_MS)
  const { store } = cluster
  store.put(object('Part', 'd', { ownerReferences: [ownedBy('Late', 'o'), ownedBy('Thing', 'gone')] }))
  await collect(cluster, () => void kinds.push(servedKind('example.com/v1', 'Late', 'lates')))
  assert.equal(store.get('Part', 'a', 'd'), undefined)
})

test('an owner waits quietly for a dependent that cannot go', async () => {
  const cluster = simulateCluster(1, servedKinds(), START_MS)
  cluster.store.put(object('Thing', 'o', { ...LEAVING, finalizers: ['foregroundDeletion'] }))
  const ownerReferences = [ownedBy('Thing', 'o'), ownedBy('Late', 'l')]
  cluster.store.put(object('Part', 'd', { ownerReferences }))
  assert.deepEqual(await collect(cluster), [])
})
