import assert from 'node:assert/strict'
import { test } from 'node:test'
import { liveCopy } from '../../../../tests/support/live-copy.ts'
import type { KubeObject, ObjectRef } from '../../../lib/kube/object.ts'
import type { Bench } from '../bench.ts'
import { volumeBinder } from './controller.ts'

const claim = (uid: string): KubeObject => ({
  ...{ apiVersion: 'v1', kind: 'PersistentVolumeClaim', spec: { volumeName: 'v' } },
  metadata: { namespace: 'a', name: 'data', uid },
})
const volume = (phase: string, uid = 'now'): KubeObject => ({
  ...{ apiVersion: 'v1', kind: 'PersistentVolume', metadata: { name: 'v', uid: 'v', resourceVersion: '7' } },
  spec: { claimRef: { namespace: 'a', name: 'data', uid }, persistentVolumeReclaimPolicy: 'Delete', csi: {} },
  status: { phase },
})

type World = { readonly volume: KubeObject; readonly known?: KubeObject; readonly live?: KubeObject }

/** What a look at the volume writes into it, and how often it asked the server. */
async function look(world: World): Promise<{ readonly asked: number; readonly written: readonly unknown[] }> {
  const claims = liveCopy(world.known ? [world.known] : []).cache
  const volumes = liveCopy([world.volume]).cache
  let asked = 0
  const bench = {
    cache: (_: string, kind: string) => (kind === 'PersistentVolume' ? volumes : claims),
    client: {
      get: async ({ kind, namespace, name }: ObjectRef) => {
        assert.deepEqual([kind, namespace, name], ['PersistentVolumeClaim', 'a', 'data'])
        asked++
        return world.live
      },
    },
  }
  const controller = volumeBinder(bench as unknown as Bench)
  await controller.watch({ now: () => undefined, after: () => undefined })
  const seen = await controller.observe('v')
  assert.ok(seen)
  const decided = controller.decide(seen)
  assert.ok(decided.kind === 'done')
  return { asked, written: decided.status.map((write) => (write.do === 'patch' ? write.body : write.do)) }
}

const released = { metadata: { uid: 'v', resourceVersion: '7' }, status: { phase: 'Released', message: null } }
const cases: { it: string; world: World; asked: number; written: readonly unknown[] }[] = [
  { it: 'whose claim is known', world: { volume: volume('Bound'), known: claim('now') }, asked: 0, written: [] },
  { it: 'whose claim is not known yet', world: { volume: volume('Bound'), live: claim('now') }, asked: 1, written: [] },
  {
    it: 'whose claim is known as the one before it',
    world: { volume: volume('Bound'), known: claim('before'), live: claim('now') },
    asked: 1,
    written: [],
  },
  { it: 'whose claim is gone', world: { volume: volume('Bound') }, asked: 1, written: [released] },
  {
    it: 'whose claim came anew',
    world: { volume: volume('Bound', 'before'), known: claim('now'), live: claim('now') },
    asked: 1,
    written: [released],
  },
  { it: 'that was left before', world: { volume: volume('Released') }, asked: 0, written: [] },
]
for (const { it, world, asked, written } of cases)
  test(`a volume ${it} is ${written.length > 0 ? 'left, as the server says' : 'as it was'}`, async () =>
    assert.deepEqual(await look(world), { asked, written }))
