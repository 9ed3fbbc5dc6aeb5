import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubeClient } from '../../adapters/kube/types.ts'
import type { KubeObject } from '../../lib/kube/object.ts'
import { conditionOf } from '../../lib/kube/read.ts'
import { registerNode } from './node-object.ts'
import { markNotReady } from './not-ready.ts'

const TEAM = { key: 'team', value: 'a', effect: 'NoSchedule' }
const CLOSED = { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }

const nodeWith = (taints: readonly object[]): KubeObject => ({
  ...{ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n' } },
  spec: { taints },
  status: { conditions: [{ type: 'Ready', status: 'True' }] },
})

/** A client of a cluster with one node, and what was patched of that: its taints, or that it is not ready. */
function clusterOf(node: KubeObject): { client: KubeClient; told: unknown[] } {
  const told: unknown[] = []
  const client = {
    get: () => Promise.resolve(node),
    list: () => Promise.resolve({ items: [] }),
    patch(_ref: unknown, _type: string, body: { spec?: { taints: unknown }; status?: object }) {
      if (body.spec !== undefined) told.push(body.spec.taints)
      else if (body.status !== undefined) told.push('status')
      return Promise.resolve(node)
    },
  } as unknown as KubeClient
  return { client, told }
}

const clock = { nowMs: () => 0 } as never

test('a node that falls silent takes no more pods before it is not ready', async () => {
  const { client, told } = clusterOf(nodeWith([TEAM]))
  await markNotReady(client, clock, { name: 'n', why: 'gone' })
  assert.deepEqual(told, [[TEAM, CLOSED], 'status'])
})

test('a node that takes no pods already is not told so again', async () => {
  const { client, told } = clusterOf(nodeWith([CLOSED]))
  await markNotReady(client, clock, { name: 'n', why: 'gone' })
  assert.deepEqual(told, ['status'])
})

for (const [it, notReady, want] of [
  ['that cannot run pods takes none before it says so', 'no driver', [[TEAM, CLOSED], 'status']],
  ['that can run pods keeps its taints', undefined, ['status']],
] as const)
  test(`a node that starts again and ${it}`, async () => {
    const { client, told } = clusterOf(nodeWith([TEAM]))
    const facts = { name: 'n', driver: 'none', isSimulated: false, kubeletPort: 1, podNetworkAddress: undefined }
    await registerNode(client, { ...facts, notReady, gaps: [] }, { nowMs: 0, felt: [] })
    assert.deepEqual(told, want)
  })

test('a node that is new and cannot run pods says so from the first', async () => {
  const made: KubeObject[] = []
  const client = {
    get: () => Promise.resolve(undefined),
    create: (object: KubeObject) => Promise.resolve(made.push(object)),
    patch: () => Promise.resolve(undefined),
  } as unknown as KubeClient
  const facts = { name: 'n', driver: 'none', isSimulated: false, kubeletPort: 1, podNetworkAddress: undefined }
  await registerNode(client, { ...facts, notReady: 'no driver', gaps: [] }, { nowMs: 0, felt: [] })
  assert.deepEqual(
    made.map((node) => conditionOf(node, 'Ready')?.status),
    ['False'],
  )
})
