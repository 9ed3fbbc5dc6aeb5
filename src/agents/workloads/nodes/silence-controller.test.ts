import assert from 'node:assert/strict'
import { test } from 'node:test'
import { liveCopy } from '../../../../tests/support/live-copy.ts'
import type { KubeObject } from '../../../lib/kube/object.ts'
import type { Bench } from '../bench.ts'
import { nodeSilenceController } from './silence-controller.ts'

const lost = (labels: Record<string, string>): KubeObject => ({
  ...{ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n', uid: 'u', labels } },
  ...{ spec: {}, status: { conditions: [{ type: 'Ready', status: 'Unknown' }] } },
})

/** Whether the cluster counts as lost as a whole when this is its only node. */
async function isAllLost(node: KubeObject): Promise<boolean | undefined> {
  const copies = { Node: liveCopy([node]).cache, Pod: liveCopy([]).cache }
  const bench = {
    cache: (_: string, kind: 'Node' | 'Pod') => copies[kind],
    cacheOf: () => liveCopy([]).cache,
    clock: { nowMs: () => 0 },
  }
  const controller = nodeSilenceController(bench as unknown as Bench)
  await controller.watch({ now: () => undefined, after: () => undefined })
  return (await controller.observe('n'))?.isAllLost
}

test('a cluster of which every node is lost evicts nothing; one of which no node counts does', async () => {
  assert.equal(await isAllLost(lost({})), true)
  assert.equal(await isAllLost(lost({ 'node.kubernetes.io/exclude-disruption': '' })), false)
})
