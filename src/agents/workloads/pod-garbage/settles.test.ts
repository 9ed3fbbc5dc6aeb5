import assert from 'node:assert/strict'
import { test } from 'node:test'
import { troubledCluster, type TroubledCluster } from '../../../../tests/support/troubled-cluster.ts'
import { type Course, everySeed, untilQuiet, workInTrouble } from '../../../../tests/support/until-quiet.ts'
import { startController } from '../../../engine/converge.ts'
import { timeText } from '../meta.ts'
import { isFinishedPod } from '../pods.ts'
import type { Node, Pod, Taint } from '../shapes.ts'
import { podGarbageCollector } from './controller.ts'

const START_MS = Date.parse('2026-11-23T04:00:00Z')

const nodeOf = (name: string, ready: string, taints: readonly Taint[] = []): Node => ({
  ...{ apiVersion: 'v1', kind: 'Node', metadata: { name } },
  ...{ spec: { taints }, status: { conditions: [{ type: 'Ready', status: ready }] } },
})
const OUT_OF_SERVICE = { key: 'node.kubernetes.io/out-of-service', effect: 'NoExecute' }

/** Pods in any state on nodes of every kind, on one that is gone, and on none. */
function begin(cluster: TroubledCluster): void {
  const { pick, int, is } = cluster.chance
  cluster.put(nodeOf('well', 'True'))
  cluster.put(nodeOf('ill', 'False'))
  cluster.put(nodeOf('off', 'Unknown', [OUT_OF_SERVICE]))
  for (let at = 0; at < 3 + int(8); at++) {
    const nodeName = pick(['well', 'ill', 'off', 'gone', undefined])
    cluster.put({
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
function isGarbage(cluster: TroubledCluster, { metadata, spec: { nodeName } }: Pod): boolean {
  const isLeaving = metadata.deletionTimestamp !== undefined
  if (nodeName === undefined || nodeName === 'off') return isLeaving
  return cluster.get('Node', nodeName) === undefined
}

test('what no kubelet will end goes from any state, nothing else does, and a second run writes nothing', () =>
  everySeed(12, async (seed) => {
    const cluster = troubledCluster(seed, START_MS)
    const { chance } = cluster
    begin(cluster)
    const all = cluster.of<Pod>('Pod')
    const course: Course = {
      start: (bench, options) => startController(podGarbageCollector(bench), options),
      others() {
        if (cluster.trouble.late === 0 || chance.is(0.5)) return false
        // a node that registers anew is gone for a moment only
        cluster.remove(nodeOf('well', 'True'))
        cluster.put(nodeOf('well', 'True'))
        return true
      },
      stepMs: 15_000,
    }
    await workInTrouble(cluster, course, 12)
    await untilQuiet(cluster, course)
    for (const pod of all) {
      const left = cluster.get('Pod', pod.metadata.name) as Pod | undefined
      if (!isGarbage(cluster, pod)) assert.deepEqual(left, pod)
      else if (pod.metadata.finalizers === undefined) assert.equal(left, undefined)
      else
        assert.ok(left && isFinishedPod(left) && left.metadata.deletionGracePeriodSeconds === 0, `${pod.metadata.name}`)
    }
  }))
