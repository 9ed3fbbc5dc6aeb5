import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubeObject } from '../../../lib/kube/object.ts'
import { controlledBy } from '../meta.ts'
import type { Pod } from '../shapes.ts'
import { decideClaim, decideClass, decideVolume } from './decide.ts'

const SINCE = '2026-11-23T04:00:00Z'
const GUARDS = ['kubernetes.io/pvc-protection', 'kubernetes.io/pv-protection', 'kubernetes.io/vac-protection']
const object = (metadata: Partial<KubeObject['metadata']> = {}, phase = 'Pending'): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Any',
  metadata: { name: 'data', finalizers: ['mine', ...GUARDS], deletionTimestamp: SINCE, ...metadata },
  status: { phase },
})
const pod = (volumes: NonNullable<Pod['spec']['volumes']>, nodeName = 'n'): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', namespace: 'a', uid: 'p' },
  spec: { containers: [], volumes, nodeName },
})
const shutDown = (ended: Pod): Pod => ({
  ...ended,
  metadata: { ...ended.metadata, deletionTimestamp: SINCE, deletionGracePeriodSeconds: 0 },
})
const user = [{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }]
const { deletionTimestamp: _none, ...staying } = object().metadata

const claims: { it: string; claim: KubeObject; pods: Pod[]; isFree: boolean }[] = [
  { it: 'that nobody uses goes', claim: object(), pods: [pod([])], isFree: true },
  { it: 'that a pod uses stays', claim: object(), pods: [pod(user)], isFree: false },
  { it: 'that only a pod without a node wants goes', claim: object(), pods: [pod(user, '')], isFree: true },
  {
    it: 'made for one pod stays with it',
    claim: object({ name: 'p-v', ownerReferences: [controlledBy(pod([]))] }),
    pods: [pod([{ name: 'v', ephemeral: {} }])],
    isFree: false,
  },
  {
    it: "of another that has the name of a pod's own goes",
    claim: object({ name: 'p-v' }),
    pods: [pod([{ name: 'v', ephemeral: {} }])],
    isFree: true,
  },
  {
    it: 'made for one pod goes when the pod waits only for its finalizers',
    claim: object({ name: 'p-v', ownerReferences: [controlledBy(pod([]))] }),
    pods: [shutDown(pod([{ name: 'v', ephemeral: {} }]))],
    isFree: true,
  },
  { it: 'that is not being deleted stays', claim: { ...object(), metadata: staying }, pods: [], isFree: false },
]
for (const { it, claim, pods, isFree } of claims)
  test(`a claim ${it}`, () => {
    const decision = decideClaim(claim, pods, 0)
    const [write] = decision.kind === 'done' ? decision.status : []
    const finalizers = write?.do === 'replace' ? write.object.metadata.finalizers : undefined
    assert.deepEqual(finalizers, isFree ? ['mine', ...GUARDS.slice(1)] : undefined)
  })

test('a volume goes unless a claim is bound to it', () => {
  assert.deepEqual(decideVolume(object({}, 'Bound')), { kind: 'done', status: [] })
  const decision = decideVolume(object())
  assert.equal(decision.kind === 'done' && decision.status.length, 1)
})

test('a class of attributes goes unless a claim names it, or has it still', () => {
  const claim = (spec: object, status = {}): KubeObject => ({ ...object(), spec, status })
  const went = (users: KubeObject[]): boolean => {
    const decision = decideClass(object(), users)
    return decision.kind === 'done' && decision.status.length === 1
  }
  assert.equal(went([claim({})]), true)
  assert.equal(went([claim({ volumeAttributesClassName: 'data' })]), false)
  assert.equal(went([claim({}, { currentVolumeAttributesClassName: 'data' })]), false)
})

test('what is to stay gets its guard back', () => {
  const bare = { ...object(), metadata: { ...staying, finalizers: ['mine'] } }
  const decisions = [decideClaim(bare, [], 0), decideVolume(bare), decideClass(bare, [])]
  const finalizers = decisions.map((decision) => {
    const [write] = decision.kind === 'done' ? decision.status : []
    return write?.do === 'replace' && write.object.metadata.finalizers
  })
  assert.deepEqual(
    finalizers,
    GUARDS.map((each) => ['mine', each]),
  )
})

test('a bound claim is unused once its pods have ended, or are leaving and run nothing any more', () => {
  const bound = { ...object({}, 'Bound'), metadata: staying }
  const isUsed = (user: Pod): boolean => {
    const decision = decideClaim(bound, [user], 0)
    const [write] = decision.kind === 'done' ? decision.status : []
    const { status } = (write?.do === 'patch' ? write.body : {}) as { status?: { conditions: { status: string }[] } }
    return status?.conditions[0]?.status === 'False'
  }
  const running = { containerStatuses: [{ name: 'c', state: {} }] }
  const stopped = { containerStatuses: [{ name: 'c', state: { terminated: { exitCode: 0 } } }] }
  assert.equal(isUsed({ ...pod(user), status: running }), true)
  assert.equal(isUsed({ ...pod(user), status: stopped }), true)
  assert.equal(isUsed({ ...shutDown(pod(user)), status: running }), true)
  assert.equal(isUsed({ ...shutDown(pod(user)), status: stopped }), false)
  assert.equal(isUsed({ ...pod(user), status: { phase: 'Succeeded' } }), false)
})
