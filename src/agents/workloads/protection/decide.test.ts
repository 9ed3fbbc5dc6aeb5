import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubeObject } from '../../../lib/kube/object.ts'
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
  metadata: { name: 'p', namespace: 'a' },
  spec: { containers: [], volumes, nodeName },
})
const user = [{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }]
const { deletionTimestamp: _none, ...staying } = object().metadata

const claims: { it: string; claim: KubeObject; pods: Pod[]; isFree: boolean }[] = [
  { it: 'that nobody uses goes', claim: object(), pods: [pod([])], isFree: true },
  { it: 'that a pod uses stays', claim: object(), pods: [pod(user)], isFree: false },
  { it: 'that only a pod without a node wants goes', claim: object(), pods: [pod(user, '')], isFree: true },
  {
    it: 'made for one pod stays with it',
    claim: object({ name: 'p-v' }),
    pods: [pod([{ name: 'v', ephemeral: {} }])],
    isFree: false,
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
