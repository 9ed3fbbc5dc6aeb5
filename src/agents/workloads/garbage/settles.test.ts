import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type Chance,
  forSeeds,
  type RunOptions,
  servedKind,
  simulateCluster,
  type SimulatedWrite,
  START_MS,
} from '../../../../tests/support/simulated-cluster.ts'
import type { SimulatedStore } from '../../../../tests/support/simulated-store.ts'
import { type KubeObject, type OwnerReference, refOf } from '../../../lib/kube/object.ts'
import { FOREGROUND, ORPHAN } from './decide.ts'
import { garbageCollector } from './controller.ts'

const kinds = [
  servedKind('example.com/v1', 'Thing', 'things'),
  servedKind('example.com/v1', 'Part', 'parts'),
  servedKind('example.com/v1', 'Area', 'areas', false),
  servedKind('apiextensions.k8s.io/v1', 'CustomResourceDefinition', 'customresourcedefinitions', false),
]
const HELD = 'example.com/held'

/** Objects that own each other, rightly and wrongly, in circles, some of them going already. */
function begin(store: SimulatedStore, chance: Chance): void {
  const { int, pick, is } = chance
  const names = Array.from({ length: 4 + int(5) }, (_, at) => ({
    uid: `u${at}`,
    name: `o${at}`,
    kind: pick(['Thing', 'Thing', 'Part', 'Area']),
    namespace: pick(['a', 'a', 'a', 'b']),
  }))
  const referenceTo = (owner: (typeof names)[number]): OwnerReference => ({
    apiVersion: is(0.05) ? 'example.com/v2' : 'example.com/v1',
    kind: is(0.05) ? pick(['Thing', 'Area', 'Gone']) : owner.kind,
    name: is(0.05) ? 'wrong' : owner.name,
    uid: is(0.25) ? 'absent' : owner.uid,
    ...(is(0.7) && { blockOwnerDeletion: is(0.7) }),
  })
  for (const { uid, name, kind, namespace } of names) {
    const owners = Array.from({ length: pick([0, 1, 1, 1, 2, 3]) }, () => referenceTo(pick(names)))
    const finalizers = [...(is(0.2) ? [HELD] : []), ...(is(0.2) ? [pick([FOREGROUND, ORPHAN])] : [])]
    const isGoing = finalizers.length > 0 && is(0.7)
    store.put({
      apiVersion: 'example.com/v1',
      kind,
      metadata: {
        name,
        uid,
        ...(kind !== 'Area' && { namespace }),
        ...(owners.length > 0 && { ownerReferences: owners }),
        ...(finalizers.length > 0 && { finalizers }),
        ...(isGoing && { deletionTimestamp: '2026-11-23T03:00:00Z', deletionGracePeriodSeconds: 0 }),
      },
    })
  }
}

const all = (store: SimulatedStore): KubeObject[] => kinds.flatMap(({ kind }) => store.of(kind))

/** What people do meanwhile: they delete, let go what they held, and make an object anew under its name. */
function others(store: SimulatedStore, chance: Chance): (() => void)[] {
  const { int, pick, is } = chance
  const policies = ['Background', 'Foreground', 'Orphan', undefined] as const
  const deed = (): void => {
    const present = all(store)
    if (present.length === 0) return
    const object = pick(present)
    const propagationPolicy = pick(policies)
    if (is(0.6)) store.remove(refOf(object), propagationPolicy === undefined ? {} : { propagationPolicy })
    else if (is(0.5)) letGo(store, object)
    else renounce(store, object, chance)
    const { uid: _uid, deletionTimestamp: _going, finalizers: _held, ...metadata } = object.metadata
    if (is(0.3) && store.get(object.kind, metadata.namespace ?? '', metadata.name) === undefined)
      store.put({ ...object, metadata })
  }
  return Array.from({ length: 1 + int(5) }, () => deed)
}

function letGo(store: SimulatedStore, object: KubeObject): void {
  const finalizers = (object.metadata.finalizers ?? []).filter((finalizer) => finalizer !== HELD)
  store.put({ ...object, metadata: { ...object.metadata, finalizers } })
}

/** An object has one owner less, or does not keep it any longer. */
function renounce(store: SimulatedStore, object: KubeObject, { pick, is }: Chance): void {
  const { ownerReferences = [] } = object.metadata
  const renounced = pick(ownerReferences)
  const kept = ownerReferences.flatMap((owner) =>
    owner !== renounced ? [owner] : is(0.5) ? [] : [{ ...owner, blockOwnerDeletion: false }],
  )
  store.put({ ...object, metadata: { ...object.metadata, ownerReferences: kept } })
}

type Found = 'present' | 'absent' | 'unknown'

function stateOf(store: SimulatedStore, object: KubeObject, owner: OwnerReference): Found {
  const resource = kinds.find(({ apiVersion, kind }) => apiVersion === owner.apiVersion && kind === owner.kind)
  const { namespace = '' } = object.metadata
  if (resource === undefined || (resource.namespaced && namespace === '')) return 'unknown'
  const found = store.get(owner.kind, resource.namespaced ? namespace : '', owner.name)
  return found?.metadata.uid === owner.uid ? 'present' : 'absent'
}

/** Nothing goes that has an owner which stays, and nobody lets go of dependents before they are gone or its no more. */
function checkWrite(store: SimulatedStore, { verb, args: [ref, ...more] }: SimulatedWrite): void {
  const object = store.get(ref.kind, ref.namespace, ref.name)
  const { resourceVersion, finalizers } = verb === 'remove' ? more[0] : more[1].metadata
  // of another version it is refused
  if (object === undefined || object.metadata.resourceVersion !== resourceVersion) return
  if (verb === 'remove') return checkDeletion(store, object)
  for (const finalizer of [FOREGROUND, ORPHAN])
    if (object.metadata.finalizers?.includes(finalizer) && finalizers?.includes(finalizer) === false)
      assert.deepEqual(namesOf(waitedFor(store, object, finalizer)), [], `${ref.name} is rid of ${finalizer}`)
}

function checkDeletion(store: SimulatedStore, object: KubeObject): void {
  const { name, ownerReferences = [] } = object.metadata
  assert.ok(ownerReferences.length > 0, `${name} has no owner, and is deleted`)
  for (const owner of ownerReferences) {
    const found = store.of(owner.kind).find(({ metadata }) => metadata.uid === owner.uid)
    const isThere = found !== undefined && stateOf(store, object, owner) !== 'absent'
    const isGoing = found?.metadata.deletionTimestamp !== undefined
    assert.ok(!isThere || isGoing, `${name} is deleted, and its owner ${owner.name} is there`)
  }
}

/** The dependents of the beginning that are to go, or to be let go, before the object. */
function waitedFor(store: SimulatedStore, { metadata: { uid } }: KubeObject, finalizer: string): KubeObject[] {
  return all(store).filter(
    ({ metadata }) =>
      metadata.uid?.startsWith('u') &&
      !metadata.uid.startsWith('uid-') &&
      metadata.ownerReferences?.some(
        (owner) => owner.uid === uid && (finalizer === ORPHAN || owner.blockOwnerDeletion === true),
      ),
  )
}

const namesOf = (objects: readonly KubeObject[]): string[] => objects.map(({ metadata }) => metadata.name)

/** What holds once nothing happens any more. */
function checkEnd(store: SimulatedStore): void {
  const objects = all(store)
  for (const object of objects) {
    const { name, deletionTimestamp, finalizers = [], ownerReferences = [], uid } = object.metadata
    const states = ownerReferences.map((owner) => stateOf(store, object, owner))
    if (deletionTimestamp === undefined) {
      const isLost = states.length > 0 && states.every((state) => state === 'absent')
      assert.ok(!isLost, `${name} is there, and none of its owners is`)
      const isLoose = states.includes('absent') && !states.includes('unknown')
      assert.ok(!isLoose, `${name} names an owner that is gone beside one that is there`)
    }
    assert.ok(
      deletionTimestamp === undefined || !finalizers.includes(ORPHAN),
      `${name} waits to be rid of its dependents`,
    )
    if (deletionTimestamp === undefined || !finalizers.includes(FOREGROUND)) continue
    const blocking = objects.filter(({ metadata }) =>
      metadata.ownerReferences?.some((owner) => owner.uid === uid && owner.blockOwnerDeletion === true),
    )
    assert.ok(blocking.length > 0, `${name} waits for dependents that it has not`)
  }
}

test('the collector settles from any state, keeps what has an owner, and a further run writes nothing', () =>
  forSeeds(6, async (seed) => {
    const cluster = simulateCluster(seed, kinds, START_MS)
    const { store, chance } = cluster
    const collect = (options: RunOptions): Promise<readonly string[]> =>
      cluster.run((bench, caches) => [garbageCollector(bench, caches)], {
        onWrite: (write) => checkWrite(store, write),
        ...options,
      })
    begin(store, chance)
    await collect({ faults: chance.int(4), others: others(store, chance) })
    checkEnd(store)
    assert.deepEqual(await collect({}), [])
    for (const object of all(store)) letGo(store, object)
    await collect({})
    checkEnd(store)
  }))
