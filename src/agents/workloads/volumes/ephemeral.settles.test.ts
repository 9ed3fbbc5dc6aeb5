import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type Chance,
  forSeeds,
  servedKind,
  simulateCluster,
  type SimulatedWrite,
} from '../../../../tests/support/simulated-cluster.ts'
import type { SimulatedStore } from '../../../../tests/support/simulated-store.ts'
import { type KubeObject, refOf } from '../../../lib/kube/object.ts'
import { controllerOf } from '../meta.ts'
import type { Pod } from '../shapes.ts'
import { ephemeralVolumes } from './ephemeral.ts'

const kinds = [servedKind('v1', 'Pod', 'pods'), servedKind('v1', 'PersistentVolumeClaim', 'persistentvolumeclaims')]
const VOLUMES = ['x', 'y']

function putPod(store: SimulatedStore, { is, pick }: Chance, name: string): void {
  const ephemeral = { volumeClaimTemplate: { metadata: { labels: { of: name } }, spec: { storageClassName: 'fast' } } }
  const isLeaving = is(0.2)
  store.put({
    ...{ apiVersion: 'v1', kind: 'Pod', status: { phase: 'Pending' } },
    metadata: {
      name,
      namespace: 'a',
      ...(isLeaving && { deletionTimestamp: '2026-11-23T04:00:00Z', deletionGracePeriodSeconds: 30 }),
    },
    spec: {
      containers: [],
      nodeName: 'n',
      volumes: VOLUMES.filter(() => is(0.8)).map((volume) => ({ name: volume, ...(pick([0, 1, 1]) && { ephemeral }) })),
    },
  })
}

function putClaim(store: SimulatedStore, { is, pick }: Chance, pod: string, volume: string): void {
  const uid = is(0.6) ? store.get('Pod', 'a', pod)?.metadata.uid : 'former'
  const owner = { apiVersion: 'v1', kind: 'Pod', name: pod, uid: uid ?? 'former', controller: true }
  store.put({
    ...{ apiVersion: 'v1', kind: 'PersistentVolumeClaim', spec: {} },
    metadata: { name: `${pod}-${volume}`, namespace: 'a', ...(pick([0, 1, 1]) && { ownerReferences: [owner] }) },
  })
}

function others(store: SimulatedStore, chance: Chance): (() => void)[] {
  const { pick, is, int } = chance
  const deed = (): void => {
    const name = `p${int(2)}`
    const [pod, claims] = [store.get('Pod', 'a', name), store.of('PersistentVolumeClaim')]
    if (pod && is(0.3)) store.remove(refOf(pod), { gracePeriodSeconds: 0 })
    else if (!pod) putPod(store, chance, name)
    if (claims.length > 0 && is(0.6)) store.remove(refOf(pick(claims)))
  }
  return Array.from({ length: int(6) }, () => deed)
}

const wanted = ({ metadata, spec }: Pod): string[] =>
  (spec.volumes ?? []).flatMap(({ name, ephemeral }) => (ephemeral ? [`${metadata.name}-${name}`] : []))

/** The claims of a pod as far as no claim of somebody else has the name of one. */
function checkEnd(store: SimulatedStore): void {
  for (const pod of store.of<Pod>('Pod').filter(({ metadata }) => metadata.deletionTimestamp === undefined))
    for (const name of wanted(pod)) {
      const claim = store.get<KubeObject>('PersistentVolumeClaim', 'a', name)
      assert.ok(claim, `${name} is not there`)
      if (controllerOf(claim)?.uid !== pod.metadata.uid) break
    }
}

/** Claims are made, and nothing else is written: whoever has the name keeps it. */
function checkWrite({ verb, args: [claim] }: SimulatedWrite): void {
  assert.deepEqual([verb, claim.kind, controllerOf(claim)?.kind], ['create', 'PersistentVolumeClaim', 'Pod'])
}

test('claims that pods bring along settle from any state, and a further run writes nothing', () =>
  forSeeds(8, async (seed) => {
    const { store, chance, run } = simulateCluster(seed, kinds, Date.parse('2026-11-23T04:00:00Z'))
    for (let at = chance.int(2); at >= 0; at--) putPod(store, chance, `p${at}`)
    for (const volume of VOLUMES) if (chance.is(0.5)) putClaim(store, chance, `p${chance.int(2)}`, volume)
    const options = { faults: chance.int(4), others: others(store, chance), onWrite: checkWrite }
    await run((bench) => [ephemeralVolumes(bench)], options)
    checkEnd(store)
    assert.deepEqual(await run((bench) => [ephemeralVolumes(bench)]), [])
  }))
