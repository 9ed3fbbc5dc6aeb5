import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubeObject, OwnerReference } from '../../../lib/kube/object.ts'
import { decideGarbage, type GarbageSeen, type OwnerState } from './decide.ts'
import { createGraph } from './graph.ts'

const object = (metadata: Partial<KubeObject['metadata']> = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', namespace: 'a', uid: 'p', ...metadata },
})
const owner = (uid: string, blockOwnerDeletion = true): OwnerReference => ({
  apiVersion: 'apps/v1',
  kind: 'ReplicaSet',
  name: uid,
  uid,
  blockOwnerDeletion,
})
const owners = (...states: OwnerState[]): GarbageSeen['owners'] =>
  states.map((state, at) => ({ owner: owner(`o${at}`), state }))
const child = (isDeleting = false, blocks = true, finalizers: readonly string[] = []) => ({
  uid: 'c',
  ref: { apiVersion: 'v1', kind: 'Pod', namespace: 'a', name: 'c' },
  owners: [owner('p', blocks)],
  isDeleting,
  finalizers,
})
/** A dependent that waits for its own, of which the object may be one. */
const circle = [child(true, true, ['foregroundDeletion'])]
const deleted = '2026-11-23T00:00:00Z'

const cases: { it: string; seen: Partial<GarbageSeen>; want: string[] }[] = [
  { it: 'keeps what nobody owns', seen: {}, want: [] },
  { it: 'keeps what has an owner', seen: { owners: owners('present') }, want: [] },
  { it: 'deletes what has lost its owner', seen: { owners: owners('absent') }, want: ['delete Background'] },
  { it: 'drops one lost owner of two', seen: { owners: owners('present', 'absent') }, want: ['dropOwners o1'] },
  { it: 'concludes nothing from a kind that is not served', seen: { owners: owners('unknown', 'absent') }, want: [] },
  { it: 'follows an owner that waits', seen: { owners: owners('waiting') }, want: ['delete Background'] },
  {
    it: 'waits itself when it has dependents',
    seen: { owners: owners('waiting'), dependents: [child()] },
    want: ['delete Foreground'],
  },
  {
    it: 'deletes what has lost its owner, its dependents later',
    seen: { owners: owners('absent'), dependents: [child()] },
    want: ['delete Background'],
  },
  {
    it: 'frees the dependents of what has lost its owner, where somebody wished it',
    seen: { object: object({ finalizers: ['orphan'] }), owners: owners('absent') },
    want: ['delete Orphan'],
  },
  {
    it: 'takes the dependents of what has lost its owner first, where somebody wished it',
    seen: { object: object({ finalizers: ['foregroundDeletion'] }), owners: owners('absent') },
    want: ['delete Foreground'],
  },
  {
    it: 'lets its owners go first where it may wait for itself',
    seen: { owners: owners('waiting'), dependents: circle },
    want: ['unblock'],
  },
  {
    it: 'lets them go first though but one of them is blocked',
    seen: { owners: [...owners('waiting'), { owner: owner('o1', false), state: 'waiting' }], dependents: circle },
    want: ['unblock'],
  },
  {
    it: 'waits itself where no owner is blocked',
    seen: { owners: [{ owner: owner('o0', false), state: 'waiting' }], dependents: circle },
    want: ['delete Foreground'],
  },
  {
    it: 'waits itself where a dependent goes without waiting',
    seen: { owners: owners('waiting'), dependents: [child(true)] },
    want: ['delete Foreground'],
  },
  {
    it: 'leaves alone what waits for others',
    seen: { object: object({ deletionTimestamp: deleted, finalizers: ['b.io/x'] }), dependents: [child()] },
    want: [],
  },
  {
    it: 'asks dependents to go first',
    seen: { object: object({ deletionTimestamp: deleted, finalizers: ['foregroundDeletion'] }), dependents: [child()] },
    want: ['collect c'],
  },
  {
    it: 'waits for a dependent that is going',
    seen: {
      object: object({ deletionTimestamp: deleted, finalizers: ['foregroundDeletion'] }),
      dependents: [child(true)],
    },
    want: [],
  },
  {
    it: 'ends when only dependents are left that do not block',
    seen: {
      object: object({ deletionTimestamp: deleted, finalizers: ['foregroundDeletion'] }),
      dependents: [child(true, false)],
    },
    want: ['dropFinalizer foregroundDeletion'],
  },
  {
    it: 'frees dependents when orphaning',
    seen: { object: object({ deletionTimestamp: deleted, finalizers: ['orphan'] }), dependents: [child()] },
    want: ['orphan c'],
  },
  {
    it: 'ends when all are freed',
    seen: { object: object({ deletionTimestamp: deleted, finalizers: ['orphan'] }) },
    want: ['dropFinalizer orphan'],
  },
]
for (const { it, seen, want } of cases)
  test(`the collector ${it}`, () => {
    const steps = decideGarbage({ object: object(), owners: [], dependents: [], ...seen }).map((step) => {
      switch (step.do) {
        case 'delete':
          return `delete ${step.propagationPolicy}`
        case 'dropOwners':
          return `dropOwners ${step.uids.join()}`
        case 'dropFinalizer':
          return `dropFinalizer ${step.finalizer}`
        case 'collect':
        case 'orphan':
          return `${step.do} ${step.dependents.map(({ uid }) => uid).join()}`
        case 'unblock':
          return step.do
      }
    })
    assert.deepEqual(steps, want)
  })

test('the graph follows changes of owners', () => {
  const graph = createGraph()
  graph.put(object({ ownerReferences: [owner('x')] }))
  assert.equal(graph.dependentsOf('x').length, 1)
  graph.put(object({ ownerReferences: [owner('y')] }))
  assert.equal(graph.dependentsOf('x').length, 0)
  graph.remove({ ...object(), metadata: { name: 'other', uid: 'other' } })
  assert.equal(graph.get('p')?.ref.name, 'p')
  graph.remove(object())
  assert.equal(graph.dependentsOf('y').length, 0)
  assert.equal(graph.get('p'), undefined)
})
