import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forSeeds, type RunOptions, servedKind, simulateCluster } from '../../../../tests/support/simulated-cluster.ts'
import type { KubeObject } from '../../../lib/kube/object.ts'
import type { Pod, PodSpec } from '../shapes.ts'
import { scheduler } from './controller.ts'

const kinds = [
  servedKind('v1', 'Pod', 'pods'),
  servedKind('v1', 'Node', 'nodes', false),
  servedKind('v1', 'PersistentVolumeClaim', 'persistentvolumeclaims'),
  servedKind('v1', 'PersistentVolume', 'persistentvolumes', false),
  servedKind('storage.k8s.io/v1', 'StorageClass', 'storageclasses', false),
  servedKind('v1', 'Namespace', 'namespaces', false),
  servedKind('policy/v1', 'PodDisruptionBudget', 'poddisruptionbudgets'),
]
const node: KubeObject = {
  ...{ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n' } },
  status: { allocatable: { cpu: '1', pods: 9 } },
}
const pod = (name: string, cpu: string, spec: Partial<PodSpec> = {}, status: object = {}): KubeObject => ({
  ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'a' } },
  spec: { containers: [{ name: 'c', resources: { requests: { cpu } } }], ...spec },
  status: { phase: 'Pending', ...status },
})

/** Where pods are, and what they are promised, when a scheduler has done what it can. */
async function scheduled(
  pods: readonly KubeObject[],
  options: (put: (pod: KubeObject) => void) => RunOptions,
  seed = 1,
) {
  const cluster = simulateCluster(seed, kinds, 0)
  const { store } = cluster
  for (const each of [node, ...pods]) store.put(each)
  await cluster.run((bench) => [scheduler(bench)], options(store.put))
  const places = store.of<Pod>('Pod').map(({ metadata, spec, status }) => {
    const promised = status?.nominatedNodeName
    return [metadata.name, spec.nodeName ?? (promised ? `promised ${promised}` : 'nowhere')]
  })
  return Object.fromEntries(places)
}

test('a pod that is made anew while the one before it is bound gets a node, too', () =>
  forSeeds(24, async (seed) => {
    const { metadata, ...again } = pod('p', '500m')
    const renew = (put: (pod: KubeObject) => void): RunOptions => ({
      others: [() => put({ ...again, metadata: { ...metadata, uid: 'anew' } })],
    })
    assert.deepEqual(await scheduled([pod('p', '500m')], renew, seed), { p: 'n' })
  }))

test('room that a pod was promised and cannot use is free for others', async () => {
  const promised = { nominatedNodeName: 'n' }
  const elsewhere = pod('elsewhere', '1', { priority: 10, nodeSelector: { disk: 'ssd' } }, promised)
  assert.deepEqual(await scheduled([elsewhere, pod('p', '1')], () => ({})), { elsewhere: 'nowhere', p: 'n' })
})

test('who was promised room loses it to the more important pod that drives out others there', async () => {
  const on = pod('on', '1', { nodeName: 'n' }, { phase: 'Running' })
  const held = { ...on, metadata: { ...on.metadata, finalizers: ['example.com/held'] } }
  const less = pod('less', '1', { priority: 10, preemptionPolicy: 'Never' }, { nominatedNodeName: 'n' })
  const more = pod('more', '1', { priority: 20 })
  const got = await scheduled([held, less, more], () => ({}))
  assert.deepEqual(got, { on: 'n', less: 'nowhere', more: 'promised n' })
})
