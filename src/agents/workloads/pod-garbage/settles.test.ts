import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  forSeeds,
  type RunOptions,
  servedKind,
  simulateCluster,
  type SimulatedCluster,
  START_MS,
} from '../../../../tests/support/simulated-cluster.ts'
import { untilSettled, workInTrouble } from '../../../../tests/support/until-settled.ts'
import { refOf } from '../../../lib/kube/object.ts'
import { timeText } from '../meta.ts'
import { isFinishedPod } from '../pods.ts'
import type { Node, Pod, Taint } from '../shapes.ts'
import { podGarbageCollector } from './controller.ts'

const kinds = [servedKind('v1', 'Pod', 'pods'), servedKind('v1', 'Node', 'nodes', false)]

const nodeOf = (name: string, ready: string, taints: readonly Taint[] = []): Node => ({
  ...{ apiVersion: 'v1', kind: 'Node', metadata: { name } },
  ...{ spec: { taints }, status: { conditions: [{ type: 'Ready', status: ready }] } },
})
const OUT_OF_SERVICE = { key: 'node.kubernetes.io/out-of-service', effect: 'NoExecute' }

/** Pods in any state on nodes of every kind, on one that is gone, and on none. */
function begin(cluster: SimulatedCluster): void {
  const { pick, int, is } = cluster.chance
  cluster.store.put(nodeOf('well', 'True'))
  cluster.store.put(nodeOf('ill', 'False'))
  cluster.store.put(nodeOf('off', 'Unknown', [OUT_OF_SERVICE]))
  for (let at = 0; at < 3 + int(8); at++) {
    const nodeName = pick(['well', 'ill', 'off', 'gone', undefined])
    cluster.store.put({
      ...{ apiVersion: 'v1', kind: 'Pod', spec: { containers: [], ...(nodeName && { nodeName }) } },
      metadata: {
        ...{ name: `p-${at}`, namespace: 'a', uid: `p-${at}`, generation: 1 },
        ...(is(0.3) && { finalizers: ['held'] }),
        ...(is(0.5) && { deletionTimestamp: timeText(START_MS), deletionGracePeriodSeconds: pick([1, 30]) }),
      },
      status: { phase: pick(['Pending', 'Running', 'Succeeded', 'Failed']) },
    })
  }
}

/** Whether nobody will ever end the pod. */
function isGarbage(cluster: SimulatedCluster, { metadata, spec: { nodeName } }: Pod): boolean {
  const isLeaving = metadata.deletionTimestamp !== undefined
  if (nodeName === undefined || nodeName === 'off') return isLeaving
  return cluster.store.get('Node', '', nodeName) === undefined
}

test('what no kubelet will end goes from any state, nothing else does, and a second run writes nothing', () =>
  forSeeds(20, async (seed) => {
    const cluster = simulateCluster(seed, kinds, START_MS)
    const { chance } = cluster
    begin(cluster)
    const all = cluster.store.of<Pod>('Pod')
    const renew = (): void => {
      if (cluster.store.get('Node', '', 'well') === undefined) return
      cluster.store.remove(refOf(nodeOf('well', 'True')))
      // at the latest in the moment in which its pods would be given up
      cluster.clock.after(chance.pick([0, 20_000, 40_000]), () => cluster.store.put(nodeOf('well', 'True')))
    }
    const options: RunOptions = {
      // a node that registers anew is gone for a moment only
      others: Array.from({ length: chance.int(4) }, () => renew),
    }
    await workInTrouble(cluster, (bench) => [podGarbageCollector(bench)], options, 96)
    await untilSettled(cluster, (bench) => [podGarbageCollector(bench)], options)
    for (const pod of all) {
      const left = cluster.store.get<Pod>('Pod', 'a', pod.metadata.name)
      if (!isGarbage(cluster, pod)) assert.deepEqual(left, pod)
      else if (pod.metadata.finalizers === undefined) assert.equal(left, undefined)
      else
        assert.ok(left && isFinishedPod(left) && left.metadata.deletionGracePeriodSeconds === 0, `${pod.metadata.name}`)
    }
  }))
