import assert from 'node:assert/strict'
import { test } from 'node:test'
import { as, type Deployment, type ReplicaSet } from '../shapes.ts'
import { rollBack, rollbackOf } from './rollback.ts'

const template = (image: string, hash?: string) => ({
  metadata: { labels: { app: 'd', ...(hash && { 'pod-template-hash': hash }) } },
  spec: { containers: [{ name: 'c', image }] },
})
const deployment = as<Deployment>({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: {
    ...{ name: 'd', namespace: 'n', uid: 'd' },
    annotations: {
      ...{ cause: 'edit', 'deployment.kubernetes.io/revision': '2', 'deprecated.deployment.rollback.to': '1' },
    },
  },
  spec: { selector: {}, template: template('two') },
})
const set = (revision: string, image: string): ReplicaSet =>
  as<ReplicaSet>({
    ...{ apiVersion: 'apps/v1', kind: 'ReplicaSet' },
    metadata: { name: image, annotations: { 'deployment.kubernetes.io/revision': revision, cause: 'create' } },
    spec: { selector: {}, template: template(image, 'h') },
  })
const sets = [set('1', 'one'), set('2', 'two')]

// the Events of Kubernetes 1.37
const cases: { wish: bigint; all?: ReplicaSet[]; says: string }[] = [
  { wish: 1n, says: 'Rolled back deployment "d" to revision 1' },
  { wish: 0n, says: 'Rolled back deployment "d" to revision 1' },
  { wish: 0n, all: [set('1', 'two')], says: 'Unable to find last revision.' },
  { wish: 9n, says: 'Unable to find the revision to rollback to.' },
  { wish: 2n, says: 'The rollback revision contains the same template as current deployment "d"' },
]
for (const { wish, all = sets, says } of cases)
  test(`a rollback to ${wish} of ${all.length}: ${says}`, () => {
    const write = rollBack(deployment, wish, all)
    assert.ok(write.do === 'replace')
    assert.equal(write.tell?.message, says)
    assert.equal(rollbackOf(as<Deployment>(write.object)), undefined)
    const isBack = says.startsWith('Rolled')
    assert.deepEqual(as<Deployment>(write.object).spec.template, template(isBack ? 'one' : 'two'))
    assert.deepEqual(write.object.metadata.annotations, {
      ...{ cause: isBack ? 'create' : 'edit', 'deployment.kubernetes.io/revision': '2' },
    })
  })

test('a rollback that is no number is none', () => {
  const wishing = (text: string) => ({
    ...deployment,
    metadata: { ...deployment.metadata, annotations: { 'deprecated.deployment.rollback.to': text } },
  })
  assert.deepEqual(
    ['1', '', 'x', '-1'].map((text) => rollbackOf(wishing(text))),
    [1n, undefined, undefined, -1n],
  )
})
