import assert from 'node:assert/strict'
import { test } from 'node:test'
import { manualClock } from '../../../../tests/support/manual-clock.ts'
import { liveCopy } from '../../../../tests/support/live-copy.ts'
import type { KubeObject } from '../../../lib/kube/object.ts'
import type { Bench } from '../bench.ts'
import { nodeSilenceController } from './silence-controller.ts'

const lost = (labels: Record<string, string>): KubeObject => ({
  ...{ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n', uid: 'u', labels } },
  ...{ spec: {}, status: { conditions: [{ type: 'Ready', status: 'Unknown' }] } },
})

/** Watches a cluster of which this is the only node. */
async function watching(node: KubeObject, ...leases: KubeObject[]) {
  const copies = { Node: liveCopy([node]).cache, Pod: liveCopy([]).cache }
  const clock = manualClock(Date.parse('2026-11-28T12:00:00Z'))
  const bench = {
    cache: (_: string, kind: 'Node' | 'Pod') => copies[kind],
    cacheOf: () => liveCopy(leases).cache,
    clock,
  }
  const controller = nodeSilenceController(bench as unknown as Bench)
  await controller.watch({ now: () => undefined, after: () => undefined })
  const observe = async () => (await controller.observe('n')) ?? assert.fail()
  return { clock, observe }
}

test('a cluster of which every node is lost evicts nothing; one of which no node counts does', async () => {
  const isAllLost = async (node: KubeObject) => (await (await watching(node)).observe()).isAllLost
  assert.equal(await isAllLost(lost({})), true)
  assert.equal(await isAllLost(lost({ 'node.kubernetes.io/exclude-disruption': '' })), false)
})

const HOUR_MS = 3_600_000

for (const setByMs of [-240 * HOUR_MS, -HOUR_MS, 0, 240 * HOUR_MS])
  test(`a node is silent for as long as it was when the clock is set by ${setByMs / HOUR_MS} h`, async () => {
    const { clock, observe } = await watching(lost({}))
    await observe()
    clock.set(setByMs)
    clock.advance(20_000)
    const { nowMs, heardMs } = await observe()
    assert.equal(nowMs - heardMs, 20_000)
  })

test('a node that never spoke is as old as it is', async () => {
  const metadata = { name: 'n', uid: 'u', creationTimestamp: '2026-11-28T11:59:30Z' }
  const { clock, observe } = await watching({ ...{ apiVersion: 'v1', kind: 'Node', metadata }, status: {} })
  await observe()
  clock.advance(20_000)
  const { nowMs, heardMs } = await observe()
  assert.equal(nowMs - heardMs, 50_000)
})

test('a node that shows by its Lease alone that it lives is not silent', async () => {
  const metadata = { name: 'n', uid: 'u', creationTimestamp: '2026-11-28T11:00:00Z' }
  const lease = {
    ...{ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', spec: { renewTime: '2026-11-28T11:59:55Z' } },
    metadata: { name: 'n', namespace: 'kube-node-lease' },
  }
  const { observe } = await watching({ ...{ apiVersion: 'v1', kind: 'Node', metadata }, status: {} }, lease)
  const { nowMs, heardMs } = await observe()
  assert.equal(nowMs - heardMs, 0)
})
