import assert from 'node:assert/strict'
import { test } from 'node:test'
import { troubledCluster } from '../../../../tests/support/troubled-cluster.ts'
import { startController } from '../../../engine/converge.ts'
import type { KubeObject } from '../../../lib/kube/object.ts'
import { podGarbageCollector } from './controller.ts'

const node: KubeObject = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n' } }
const pod: KubeObject = {
  ...{ apiVersion: 'v1', kind: 'Pod', metadata: { namespace: 'a', name: 'p' } },
  ...{ spec: { nodeName: 'n', containers: [] }, status: { phase: 'Running' } },
}

test('pods of a node that only the copy misses stay, and go once the server misses it, too', async () => {
  const cluster = troubledCluster(1, 0)
  cluster.put(node)
  cluster.put(pod)
  const { bench, leave } = cluster.join()
  const running = await startController(podGarbageCollector(bench), { clock: cluster.clock, onError: assert.fail })
  const pass = async (): Promise<boolean> => {
    cluster.clock.advance(40_000)
    await running.whenIdle()
    return cluster.get('Pod', 'p') !== undefined
  }
  cluster.remove(node)
  cluster.deliver()
  await running.whenIdle()
  cluster.put(node)
  assert.deepEqual([await pass(), await pass()], [true, true])
  cluster.remove(node)
  assert.equal(await pass(), false)
  leave()
  await running.close()
})
