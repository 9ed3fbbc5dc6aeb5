import assert from 'node:assert/strict'
import { test } from 'node:test'
import { servedKind, simulateCluster } from '../../../../tests/support/simulated-cluster.ts'
import type { KubeObject } from '../../../lib/kube/object.ts'
import { endpointsController } from './controller.ts'

const kinds = [
  servedKind('v1', 'Service', 'services'),
  servedKind('v1', 'Pod', 'pods'),
  servedKind('v1', 'Node', 'nodes', false),
  servedKind('v1', 'Endpoints', 'endpoints'),
  servedKind('discovery.k8s.io/v1', 'EndpointSlice', 'endpointslices'),
]
const named = (kind: string, name: string, more: object = {}): KubeObject => ({
  ...{ apiVersion: 'v1', kind, metadata: { name, namespace: 'a' } },
  ...more,
})
const byHand = { spec: { ports: [{ port: 80 }] } }

test('Endpoints go with their Service, whoever wrote them, also when it went while nobody looked', async () => {
  const { store, run } = simulateCluster(1, kinds, 0)
  store.put(named('Service', 'stays', byHand))
  store.put(named('Service', 'goes', byHand))
  for (const name of ['stays', 'goes', 'gone']) store.put(named('Endpoints', name))
  const annotations = { 'control-plane.alpha.kubernetes.io/leader': '{}' }
  store.put(named('Endpoints', 'leader', { metadata: { name: 'leader', namespace: 'a', annotations } }))
  const goes = { apiVersion: 'v1', kind: 'Service', namespace: 'a', name: 'goes' }
  await run((bench) => [endpointsController(bench)], { later: [() => void store.remove(goes)] })
  assert.deepEqual(
    store.of('Endpoints').map(({ metadata }) => metadata.name),
    ['stays', 'leader'],
  )
})

test('Endpoints that have no Service are not deleted for a slice that says it is of one', async () => {
  const { store, run } = simulateCluster(1, kinds, 0)
  const labels = {
    'kubernetes.io/service-name': 'own',
    'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
  }
  const slice = {
    apiVersion: 'discovery.k8s.io/v1',
    metadata: { name: 's', namespace: 'a', labels },
    addressType: 'IPv4',
  }
  const later = [
    () => void store.put(named('Endpoints', 'own')),
    () => void store.put(named('EndpointSlice', 's', slice)),
  ]
  await run((bench) => [endpointsController(bench)], { later })
  assert.deepEqual(
    store.of('Endpoints').map(({ metadata }) => metadata.name),
    ['own'],
  )
})
