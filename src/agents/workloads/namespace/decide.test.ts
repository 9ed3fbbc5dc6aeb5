import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Write } from '../write.ts'
import { decideNamespace, type Namespace, type NamespaceSeen } from './decide.ts'
import { endingConditions, type Leftovers, type Remaining } from './leftovers.ts'

const left = (plural: string, count: number, more: Partial<Remaining> = {}): Remaining => ({
  apiVersion: 'v1',
  plural,
  count,
  finalizers: {},
  ...more,
})
const nothing: Leftovers = { pods: [], others: [] }

/** What the conditions say beyond that all is well. */
function said(leftovers: Leftovers, isPatient = false): Record<string, string> {
  const told = endingConditions('a', leftovers, isPatient, [], 0).filter(({ status }) => status === 'True')
  return Object.fromEntries(told.map(({ type, reason, message }) => [type, `${reason}: ${message}`]))
}
const unexpected = 'unexpected items still remain in namespace: a for gvr:'
const failed = 'ContentDeletionFailed: Failed to delete all resource types,'

const cases: { it: string; left: Leftovers; isPatient?: boolean; want: Record<string, string> }[] = [
  { it: 'nothing where nothing is left', left: nothing, want: {} },
  {
    it: 'nothing of pods that take their time',
    left: { ...nothing, pods: [left('pods', 2)] },
    isPatient: true,
    want: {},
  },
  {
    it: 'nothing of pods that finalizers hold',
    left: { ...nothing, pods: [left('pods', 1, { finalizers: { f: 1 } })] },
    want: {},
  },
  {
    it: 'that pods are overdue',
    left: { ...nothing, pods: [left('pods', 1)] },
    want: {
      NamespaceDeletionContentFailure: `${failed} 1 remaining: ${unexpected} /v1, Resource=pods`,
    },
  },
  {
    it: 'what finalizers hold, in order',
    left: {
      pods: [],
      others: [
        left('secrets', 1, { finalizers: { z: 1, f: 1 } }),
        left('things', 2, { apiVersion: 'example.com/v1', finalizers: { f: 2 } }),
      ],
    },
    want: {
      NamespaceContentRemaining:
        'SomeResourcesRemain: Some resources are remaining: secrets. has 1 resource instances, things.example.com has 2 resource instances',
      NamespaceFinalizersRemaining:
        'SomeFinalizersRemain: Some content in the namespace has finalizers remaining: f in 3 resource instances, z in 1 resource instances',
    },
  },
  {
    it: 'what could not be deleted, and what stays without a reason',
    left: {
      pods: [],
      others: [left('secrets', 0, { failure: 'no!' }), left('things', 1, { apiVersion: 'example.com/v1' })],
    },
    want: {
      NamespaceDeletionContentFailure: `${failed} 2 remaining: no!, ${unexpected} example.com/v1, Resource=things`,
      NamespaceContentRemaining:
        'SomeResourcesRemain: Some resources are remaining: things.example.com has 1 resource instances',
    },
  },
]
for (const { it, left: leftovers, isPatient, want } of cases)
  test(`a namespace that ends says ${it}`, () => assert.deepEqual(said(leftovers, isPatient), want))

test('a condition keeps its time while only its words change', () => {
  const held = (count: number): Leftovers => ({
    pods: [],
    others: [left('secrets', count, { finalizers: { f: count } })],
  })
  const before = endingConditions('a', held(2), false, [], 0)
  const after = endingConditions('a', held(1), false, before, 60_000)
  assert.deepEqual(
    after.map(({ type, lastTransitionTime }) => [type, lastTransitionTime]),
    before.map(({ type, lastTransitionTime }) => [type, lastTransitionTime]),
  )
  const over = endingConditions('a', nothing, false, after, 60_000).find((each) =>
    each.type.startsWith('NamespaceCont'),
  )
  assert.equal(over?.lastTransitionTime, '1970-01-01T00:01:00Z')
})

const ending = (more: Partial<Namespace> = {}): Namespace => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name: 'a', resourceVersion: '7', deletionTimestamp: '1970-01-01T00:00:00Z' },
  spec: { finalizers: ['kubernetes', 'mine'] },
  status: { phase: 'Terminating' },
  ...more,
})
const calm: NamespaceSeen = {
  namespace: ending(),
  hasServiceAccount: true,
  rootCa: undefined,
  caPem: undefined,
  leftovers: nothing,
  graceSeconds: 0,
  nowMs: 8000,
}

test('an empty namespace shows that all is gone, then goes as it was seen', () => {
  const written = (namespace: Namespace) => {
    const decided = decideNamespace({ ...calm, namespace })
    assert.ok(decided.kind === 'act')
    const [write, ...more] = decided.changes
    assert.ok(write?.do === 'replace' && more.length === 0)
    return write
  }
  const shown = written(ending())
  assert.equal(shown.subresource, 'status')
  const metadata = { ...shown.object.metadata, resourceVersion: '8' }
  const last = written({ ...shown.object, metadata })
  assert.equal(last.subresource, 'finalize')
  assert.deepEqual(last.object['spec'], { finalizers: ['mine'] })
  assert.equal(last.object.metadata.resourceVersion, '8')
})

test('a namespace that waits writes its state once, and is looked at ever more rarely', () => {
  const leftovers = { pods: [], others: [left('secrets', 1, { finalizers: { f: 1 } })] }
  const first = decideNamespace({ ...calm, leftovers })
  assert.ok(first.kind === 'wait')
  const [write] = first.status as Write[]
  assert.ok(write?.do === 'replace')
  const again = decideNamespace({ ...calm, leftovers, namespace: write.object as Namespace })
  assert.deepEqual(again, { kind: 'wait', afterMs: 2000, status: [] })
  const later = decideNamespace({ ...calm, leftovers, nowMs: 3_600_000 })
  assert.equal(later.kind === 'wait' && later.afterMs, 5000)
})

test('a namespace that is finalized is left to others', () => {
  const { leftovers: _none, ...seen } = calm
  assert.deepEqual(decideNamespace(seen), { kind: 'done', status: [] })
})
