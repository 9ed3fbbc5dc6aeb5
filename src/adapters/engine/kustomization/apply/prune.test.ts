import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseKustomization } from '../../../../kinds/kustomization.ts'
import type { KubeObject, ObjectRef } from '../../../../lib/kube/object.ts'
import { inventoryEntry } from '../../../../pipeline/apply/inventory.ts'
import { ApiError } from '../../../kube/api-error.ts'
import { pruneFault, pruneObjects } from './prune.ts'
import type { Target } from './target.ts'

// What a prune takes, what it leaves, and what PruneFailed says when something could not be deleted.
const kustomization = parseKustomization({
  apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
  kind: 'Kustomization',
  metadata: { name: 'app', namespace: 'ns' },
  spec: { interval: '1h', prune: true, sourceRef: { kind: 'GitRepository', name: 'app' } },
})
const own = { 'kustomize.toolkit.fluxcd.io/name': 'app', 'kustomize.toolkit.fluxcd.io/namespace': 'ns' }
const ref = (kind: string, name: string, apiVersion = 'v1'): ObjectRef => ({ apiVersion, kind, namespace: 'ns', name })

type Live = {
  labels?: Record<string, string>
  annotations?: Record<string, string>
  on?: 'get' | 'delete'
  status?: number
}

/** A cluster of such objects; a request about one that says so is refused with its status. */
function clusterOf(objects: Record<string, Live>, traps: 'safe' | 'flux' = 'safe') {
  const deleted: string[] = []
  const refuse = (name: string, verb: 'get' | 'delete'): void => {
    const { on, status = 403 } = objects[name] ?? {}
    if (on === verb) throw new ApiError(status, 'Refused', `${verb} of ${name} is refused`)
  }
  const client = {
    resource: async (_: string, kind: string) => (kind === 'Unknown' ? undefined : {}),
    async get({ apiVersion, kind, namespace, name }: ObjectRef): Promise<KubeObject | undefined> {
      refuse(name, 'get')
      const found = objects[name]
      if (!found) return undefined
      const { labels = own, annotations = {} } = found
      return { apiVersion, kind, metadata: { name, namespace, uid: `uid-${name}`, labels, annotations } } as KubeObject
    },
    async delete({ name }: ObjectRef, options: object) {
      refuse(name, 'delete')
      deleted.push(name)
      assert.deepEqual(options, { propagationPolicy: 'Background', uid: `uid-${name}` })
    },
  }
  const target = { context: { client, traps }, live: { forget: () => undefined } } as unknown as Target
  const prune = (...refs: ObjectRef[]) => pruneObjects(target, kustomization, refs.map(inventoryEntry))
  return { deleted, prune }
}

const rows: [it: string, live: Live | undefined, want: 'deleted' | 'skipped', isDeleted: boolean][] = [
  ['what is its own', {}, 'deleted', true],
  ['what is gone already', undefined, 'deleted', false],
  [
    'what another Kustomization owns',
    { labels: { ...own, 'kustomize.toolkit.fluxcd.io/name': 'b' } },
    'skipped',
    false,
  ],
  ['what has lost its labels', { labels: {} }, 'skipped', false],
  ['what asks to stay', { annotations: { 'kustomize.toolkit.fluxcd.io/prune': 'Disabled' } }, 'skipped', false],
  [
    'what is not reconciled',
    { labels: { ...own, 'kustomize.toolkit.fluxcd.io/reconcile': 'disabled' } },
    'skipped',
    false,
  ],
  ['what goes at the same moment', { on: 'delete', status: 404 }, 'deleted', false],
]
for (const [it, live, want, isDeleted] of rows)
  test(`pruning ${it}: ${want}`, async () => {
    const { deleted, prune } = clusterOf(live ? { a: live } : {})
    const result = await prune(ref('ConfigMap', 'a'))
    assert.deepEqual([result.pruned[0]?.action, result.failures], [want, []])
    assert.deepEqual(deleted, isDeleted ? ['a'] : [])
    assert.equal(pruneFault(result), undefined)
  })

test('a kind that the cluster does not have any more holds nothing up', async () => {
  const { prune } = clusterOf({})
  assert.equal((await prune(ref('Unknown', 'a', 'example.com/v1'))).pruned[0]?.action, 'deleted')
})

test('the namespace that the Kustomization is in stays, and so do the definitions of our kinds', async () => {
  const definition = 'kustomizations.kustomize.toolkit.fluxcd.io'
  const { deleted, prune } = clusterOf({ ns: {}, other: {}, [definition]: {} })
  const crd = ref('CustomResourceDefinition', definition, 'apiextensions.k8s.io/v1')
  const { pruned } = await prune(ref('Namespace', 'ns'), ref('Namespace', 'other'), crd)
  assert.deepEqual(deleted, ['other'])
  assert.deepEqual(
    pruned.filter(({ action }) => action === 'skipped').map(({ ref: { name } }) => name),
    ['ns', definition],
  )
})

test('pruning goes in the reverse order of applying', async () => {
  const { deleted, prune } = clusterOf({ a: {}, b: {}, c: {} })
  await prune(ref('ServiceAccount', 'a'), ref('Deployment', 'b', 'apps/v1'), ref('ConfigMap', 'c'))
  assert.deepEqual(deleted, ['b', 'c', 'a'])
})

test('PruneFailed: all others are deleted, every failure is named and stays in the inventory', async () => {
  const { deleted, prune } = clusterOf({ a: { on: 'delete' }, b: {}, c: { on: 'get', status: 500 } })
  const result = await prune(ref('ConfigMap', 'a'), ref('ConfigMap', 'b'), ref('Secret', 'c'))
  assert.deepEqual(deleted, ['b'])
  assert.deepEqual(
    result.failures.map(({ entry }) => entry.id),
    ['ns_c__Secret', 'ns_a__ConfigMap'],
  )
  assert.equal(
    pruneFault(result),
    'delete failed, errors: Secret/ns/c query failed: get of c is refused;ConfigMap/ns/a delete failed: delete of a is refused;',
  )
})

const homes: [traps: 'safe' | 'flux', name: string, want: 'deleted' | 'skipped'][] = [
  ['safe', 'ns', 'skipped'],
  ['safe', 'other', 'deleted'],
  ['flux', 'ns', 'deleted'],
]
for (const [traps, name, want] of homes)
  test(`the namespace ${name} of a Kustomization in ns is ${want}, ${traps}`, async () => {
    const { deleted, prune } = clusterOf({ [name]: {} }, traps)
    const { pruned } = await prune({ ...ref('Namespace', name), namespace: '' })
    assert.equal(pruned[0]?.action, want)
    assert.deepEqual(deleted, want === 'deleted' ? [name] : [])
  })
