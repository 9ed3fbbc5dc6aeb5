import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forSeeds, servedKind, simulateCluster } from '../../../../tests/support/simulated-cluster.ts'
import { type KubeObject, refOf } from '../../../lib/kube/object.ts'
import { podGarbageCollector } from './controller.ts'

const node: KubeObject = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n' } }
const pod: KubeObject = {
  ...{ apiVersion: 'v1', kind: 'Pod', metadata: { namespace: 'a', name: 'p' } },
  ...{ spec: { nodeName: 'n', containers: [] }, status: { phase: 'Running' } },
}

const kinds = [servedKind('v1', 'Node', 'nodes', false), servedKind('v1', 'Pod', 'pods')]

test('pods of a node that only the copy misses stay, and go once the server misses it, too', () =>
  forSeeds(8, async (seed) => {
    const { store, clock, run } = simulateCluster(seed, kinds, 0)
    store.put(node)
    store.put(pod)
    const leave = (): void => void store.remove(refOf(node))
    const isThere = (): boolean => store.get('Pod', 'a', 'p') !== undefined
    // the time of the pod is over in the moment in which the node comes back
    clock.after(40_000, () => store.put(node))
    clock.after(80_000, () => {
      assert.ok(isThere())
      leave()
    })
    await run((bench) => [podGarbageCollector(bench)], { others: [leave] })
    assert.ok(!isThere())
  }))
