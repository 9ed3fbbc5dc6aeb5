import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AbsorbingCache } from '../../../adapters/kube/types.ts'
import type { KubeObject } from '../../../lib/kube/object.ts'
import type { Bench } from '../bench.ts'
import { jobController } from './controller.ts'
import { TRACKING } from './ended.ts'

const held = (name: string, ownerUid?: string): KubeObject => ({
  ...{ apiVersion: 'v1', kind: 'Pod' },
  metadata: {
    ...{ namespace: 'a', name, finalizers: [TRACKING] },
    ...(ownerUid !== undefined && {
      ownerReferences: [{ apiVersion: 'batch/v1', kind: 'Job', name: 'j', uid: ownerUid, controller: true }],
    }),
  },
})

test('pods that a Job left behind before the start are let go, orphans and others', async () => {
  const objects: Record<string, readonly KubeObject[]> = {
    Job: [{ apiVersion: 'batch/v1', kind: 'Job', metadata: { namespace: 'a', name: 'j', uid: 'now' }, spec: {} }],
    Pod: [held('mine', 'now'), held('former', 'before'), held('orphan')],
  }
  const cacheOf = (kind: string): AbsorbingCache => ({
    ready: Promise.resolve(),
    list: () => objects[kind] ?? [],
    get: (_namespace: string, name: string) => objects[kind]?.find(({ metadata }) => metadata.name === name),
    onChange: () => () => undefined,
    absorb: () => undefined,
    absorbDeletion: () => undefined,
    close: () => undefined,
  })
  const bench = { cache: (_: string, kind: string) => cacheOf(kind), clock: { nowMs: () => 0 } }
  const woken: string[] = []
  const controller = jobController(bench as Bench)
  await controller.watch({ now: (key) => void woken.push(key), after: () => undefined })

  assert.deepEqual(woken.filter((key) => key !== 'a/j').sort(), ['a/j/before', 'a/orphan/'])
})
