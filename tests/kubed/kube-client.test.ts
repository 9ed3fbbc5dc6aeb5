import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { ApiError } from '../../src/adapters/kube/api-error.ts'
import { clientFromKubeconfig, type HttpKubeClient } from '../../src/adapters/kube/client.ts'
import { watchCache } from '../../src/adapters/kube/watch-cache.ts'
import { systemClock } from '../../src/adapters/clock.ts'
import { controlPlaneBinary, startControlPlane, type ControlPlane } from '../lib/control-plane.ts'
import { until } from '../support/wait.ts'

const skip = controlPlaneBinary() === undefined ? 'no kube-control-plane at hand (SLUICE_PEERS)' : false
let plane: ControlPlane | undefined
let client: HttpKubeClient

before(async () => {
  if (skip) return
  plane = await startControlPlane({ controllers: false })
  client = clientFromKubeconfig(plane.kubeconfig)
})
after(async () => {
  client?.close()
  await plane?.stop()
})

const write = { fieldManager: 'sluice-test' }
const configMap = (name: string, data: Record<string, string>) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'default' },
  data,
})
const ref = (name: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', namespace: 'default', name })

test('objects are created, read, patched, applied and deleted on a real API server', { skip }, async () => {
  const created = await client.create(configMap('crud', { a: '1' }), write)
  assert.ok(created.metadata.uid)
  await assert.rejects(client.create(configMap('crud', {}), write), { status: 409, reason: 'AlreadyExists' })
  assert.deepEqual((await client.patch(ref('crud'), 'merge', { data: { b: '2' } }, write))['data'], { a: '1', b: '2' })
  await assert.rejects(
    client.patch(ref('crud'), 'apply', configMap('crud', { a: '3' }), { fieldManager: 'other' }),
    (error: unknown) => error instanceof ApiError && error.status === 409 && /conflict/.test(error.message),
  )
  const applied = await client.patch(ref('crud'), 'apply', configMap('crud', { a: '3' }), {
    fieldManager: 'other',
    force: true,
  })
  assert.deepEqual(applied['data'], { a: '3', b: '2' })
  const dry = await client.patch(ref('crud'), 'apply', configMap('dry', {}), { ...write, dryRun: true }).catch((e) => e)
  assert.ok(dry instanceof ApiError && dry.status === 400, 'a name that differs is refused')
  assert.equal(await client.delete(ref('crud'), { uid: created.metadata.uid ?? '' }), true)
  assert.equal(await client.delete(ref('crud')), false)
  assert.equal(await client.get(ref('crud')), undefined)
})

test('a list of more than one page is whole, and a cache follows it', { skip }, async () => {
  const namespace = 'pages'
  await client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }, write)
  const names = Array.from({ length: 620 }, (_, i) => `m-${i}`)
  for (let at = 0; at < names.length; at += 20)
    await Promise.all(
      names
        .slice(at, at + 20)
        .map((name) =>
          client.create(
            { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace, labels: { odd: 'yes' } } },
            write,
          ),
        ),
    )
  const selection = { apiVersion: 'v1', kind: 'ConfigMap', namespace, labelSelector: 'odd=yes' }
  assert.equal((await client.list(selection)).items.length, 620)

  const cache = watchCache(client, selection, { clock: systemClock })
  await cache.ready
  assert.equal(cache.list().length, 620)
  const leaving = new Promise<string>((resolve) =>
    cache.onChange((object, type) => type === 'DELETED' && resolve(object.metadata.name)),
  )
  await client.patch({ ...ref('m-7'), namespace }, 'merge', { metadata: { labels: { odd: null } } }, write)
  assert.equal(await leaving, 'm-7')
  assert.equal(cache.get(namespace, 'm-7'), undefined)
  cache.close()
})

test('a kind made a moment ago is found', { skip }, async () => {
  assert.equal(await client.resource('example.com/v1', 'Thing'), undefined)
  await client.create(
    {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'things.example.com' },
      spec: {
        group: 'example.com',
        names: { kind: 'Thing', plural: 'things', singular: 'thing', listKind: 'ThingList' },
        scope: 'Namespaced',
        versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
      },
    },
    write,
  )
  const found = await until('the kind', () => client.resource('example.com/v1', 'Thing'))
  assert.equal(found.plural, 'things')
})

test('every kind of the server is listed by aggregated discovery', { skip }, async () => {
  const all = await client.resources()
  const deployment = all.find(({ kind, apiVersion }) => kind === 'Deployment' && apiVersion === 'apps/v1')
  assert.deepEqual(
    { ...deployment, verbs: deployment?.verbs.includes('deletecollection') },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      plural: 'deployments',
      namespaced: true,
      verbs: true,
    },
  )
  assert.ok(all.length > 50)
})
