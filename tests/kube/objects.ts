import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Place } from './place.ts'

const map = (name: string, data: object = {}): object => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  data,
})

/** One object: made, read, changed in every way, refused for every reason, ended. */
export function objectTests(inNamespace: () => Promise<Place>): void {
  test('an object is created, read, replaced, patched and deleted', async () => {
    const { api, namespace } = await inNamespace()
    const maps = `/api/v1/namespaces/${namespace}/configmaps`
    const made = await api.call('POST', maps, map('m', { a: '1' }))
    assert.deepEqual([made.code, made.body.data], [201, { a: '1' }])
    assert.deepEqual((await api.call('GET', `${maps}/m`)).body, made.body)
    assert.equal((await api.call('POST', maps, map('m'))).body.reason, 'AlreadyExists')
    assert.deepEqual((await api.call('PUT', `${maps}/m`, map('m', { b: '2' }))).body.data, { b: '2' })
    const patches: [type: string, body: unknown, data: unknown][] = [
      ['merge-patch', { data: { c: '3' } }, { b: '2', c: '3' }],
      ['strategic-merge-patch', { data: { b: null } }, { c: '3' }],
      ['json-patch', [{ op: 'add', path: '/data/d', value: '4' }], { c: '3', d: '4' }],
    ]
    for (const [type, body, data] of patches)
      assert.deepEqual((await api.call('PATCH', `${maps}/m`, body, `application/${type}+json`)).body.data, data, type)
    assert.equal((await api.call('DELETE', `${maps}/m`)).body.status, 'Success')
    assert.equal((await api.call('GET', `${maps}/m`)).body.reason, 'NotFound')
  })

  test('a write that comes too late, or to another object, is refused', async () => {
    const { api, namespace } = await inNamespace()
    const maps = `/api/v1/namespaces/${namespace}/configmaps`
    const { body } = await api.call('POST', maps, map('m', { a: '1' }))
    await api.call('PATCH', `${maps}/m`, { data: { a: '2' } }, 'application/merge-patch+json')
    assert.equal((await api.call('PUT', `${maps}/m`, body)).code, 409)
    const uid = '00000000-0000-0000-0000-000000000000'
    assert.equal((await api.call('DELETE', `${maps}/m`, { preconditions: { uid } })).code, 409)
    const { resourceVersion } = body.metadata
    assert.equal((await api.call('DELETE', `${maps}/m`, { preconditions: { resourceVersion } })).code, 409)
    assert.equal((await api.call('PUT', `${maps}/other`, map('m'))).code, 400)
    assert.equal((await api.call('POST', maps, map('Not_A_Name'))).code, 422)
    assert.equal((await api.call('POST', '/api/v1/namespaces/nowhere/configmaps', map('m'))).code, 404)
  })

  test('finalizers hold an object, and a name can be asked for', async () => {
    const { api, namespace } = await inNamespace()
    const maps = `/api/v1/namespaces/${namespace}/configmaps`
    const held = { ...map(''), metadata: { generateName: 'held-', finalizers: ['example.com/hold'] } }
    const { name } = (await api.call('POST', maps, held)).body.metadata
    assert.match(name, /^held-[a-z0-9]{5}$/)
    assert.ok((await api.call('DELETE', `${maps}/${name}`)).body.metadata.deletionTimestamp)
    const more = { metadata: { finalizers: ['example.com/hold', 'example.com/more'] } }
    assert.equal((await api.call('PATCH', `${maps}/${name}`, more, 'application/merge-patch+json')).code, 422)
    await api.call('PATCH', `${maps}/${name}`, { metadata: { finalizers: null } }, 'application/merge-patch+json')
    assert.equal((await api.call('GET', `${maps}/${name}`)).code, 404)
  })

  test('status is written through its own subresource, spec through the object; generation counts changes of spec', async () => {
    const { api, namespace } = await inNamespace()
    const sets = `/apis/apps/v1/namespaces/${namespace}/replicasets`
    const set = {
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      metadata: { name: 's' },
      spec: {
        replicas: 0,
        selector: { matchLabels: { app: 'x' } },
        template: { metadata: { labels: { app: 'x' } }, spec: { containers: [{ name: 'c', image: 'i' }] } },
      },
    }
    assert.equal((await api.call('POST', sets, set)).body.metadata.generation, 1)
    const merge = async (path: string, body: object): Promise<[unknown, unknown, unknown]> => {
      const { metadata, spec, status } = (
        await api.call('PATCH', `${sets}/s${path}`, body, 'application/merge-patch+json')
      ).body
      return [metadata.generation, (spec as { replicas: number }).replicas, (status as { replicas: number }).replicas]
    }
    assert.deepEqual(await merge('', { spec: { replicas: 2 }, status: { replicas: 7 } }), [2, 2, 0])
    assert.deepEqual(await merge('/status', { spec: { replicas: 3 }, status: { replicas: 7 } }), [2, 2, 7])
    assert.deepEqual(await merge('', { metadata: { labels: { a: 'b' } } }), [2, 2, 7])
    const scale = await api.call('PATCH', `${sets}/s/scale`, { spec: { replicas: 5 } }, 'application/merge-patch+json')
    assert.deepEqual([scale.body.kind, (scale.body.spec as { replicas: number }).replicas], ['Scale', 5])
  })

  test('unknown fields are dropped, warned about or refused, as the request wants', async () => {
    const { api, namespace } = await inNamespace()
    const maps = `/api/v1/namespaces/${namespace}/configmaps`
    const odd = { ...map('odd'), dat: {} }
    assert.equal((await api.call('POST', `${maps}?fieldValidation=Strict`, odd)).code, 400)
    const made = await api.call('POST', `${maps}?fieldValidation=Ignore`, odd)
    assert.deepEqual([made.code, made.body.dat], [201, undefined])
  })
}
