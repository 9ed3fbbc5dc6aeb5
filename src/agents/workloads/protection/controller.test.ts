import assert from 'node:assert/strict'
import { test } from 'node:test'
import { liveCopy } from '../../../../tests/support/live-copy.ts'
import type { KubeObject } from '../../../lib/kube/object.ts'
import type { Bench } from '../bench.ts'
import { claimProtection } from './controller.ts'

const GUARD = 'kubernetes.io/pvc-protection'
const staying: KubeObject = {
  ...{ apiVersion: 'v1', kind: 'PersistentVolumeClaim' },
  metadata: { namespace: 'a', name: 'data', uid: 'c', finalizers: [GUARD] },
}
const leaving: KubeObject = {
  ...staying,
  metadata: { ...staying.metadata, deletionTimestamp: '2026-11-28T00:00:00Z' },
}
const user: KubeObject = {
  ...{ apiVersion: 'v1', kind: 'Pod', metadata: { namespace: 'a', name: 'p', uid: 'p' } },
  spec: { nodeName: 'n', containers: [], volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }] },
}

/** Whether a look lets the claim go, and how often it asked the server. */
async function look(claim: KubeObject, known: KubeObject[], live: KubeObject[]) {
  const copies = { PersistentVolumeClaim: liveCopy([claim]).cache, Pod: liveCopy(known).cache }
  let asked = 0
  const list = async (selection: unknown) => {
    assert.deepEqual(selection, { apiVersion: 'v1', kind: 'Pod', namespace: 'a' })
    asked++
    return { items: live, resourceVersion: '1' }
  }
  const bench = {
    cache: (_: string, kind: keyof typeof copies) => copies[kind],
    clock: { nowMs: () => 0 },
    client: { list },
  }
  const controller = claimProtection(bench as unknown as Bench)
  await controller.watch({ now: () => undefined, after: () => undefined })
  const seen = await controller.observe('a/data')
  assert.ok(seen)
  const decided = controller.decide(seen)
  assert.ok(decided.kind === 'done')
  return { goes: decided.status.length > 0, asked }
}

test('a claim goes only after the server, too, knows of no pod that uses it', async () => {
  assert.deepEqual(await look(leaving, [], []), { goes: true, asked: 1 })
  assert.deepEqual(await look(leaving, [], [user]), { goes: false, asked: 1 })
  assert.deepEqual(await look(leaving, [user], []), { goes: false, asked: 0 })
  assert.deepEqual(await look(staying, [], []), { goes: false, asked: 0 })
})
