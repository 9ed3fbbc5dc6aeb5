import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Place } from './place.ts'
import type { WatchEvent } from './server.ts'

const told = ({ type, object }: WatchEvent): string => `${type} ${object.metadata.name ?? ''}`.trim()
const MERGE = 'application/merge-patch+json'

/** Watches: every change once, in order, as the selector sees it. */
export function watchTests(inNamespace: () => Promise<Place>): void {
  const place = async (): Promise<
    Place & { maps: string; version: string; make: (name: string, labels?: object) => Promise<unknown> }
  > => {
    const { api, namespace } = await inNamespace()
    const maps = `/api/v1/namespaces/${namespace}/configmaps`
    const made = await api.call('POST', maps, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'first' } })
    const make = (name: string, labels: object = {}): Promise<unknown> =>
      api.call('POST', maps, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, labels } })
    return { api, namespace, maps, version: made.body.metadata.resourceVersion, make }
  }

  test('a watch from a version tells what came after it, old and new', async () => {
    const { api, maps, version, make } = await place()
    await make('x')
    const events = api.watch(
      `${maps}?watch=true&resourceVersion=${version}&timeoutSeconds=600`,
      (all) => all.length === 4,
    )
    await api.call('PATCH', `${maps}/x`, { data: { a: '1' } }, MERGE)
    await api.call('PATCH', `${maps}/x`, { data: { a: '1' } }, MERGE)
    await api.call('DELETE', `${maps}/x`)
    await make('y')
    const all = await events
    assert.deepEqual(all.map(told), ['ADDED x', 'MODIFIED x', 'DELETED x', 'ADDED y'])
    const versions = all.map(({ object }) => Number(object.metadata.resourceVersion))
    assert.deepEqual(
      versions,
      [...new Set(versions)].sort((a, b) => a - b),
    )
  })

  test('what enters a selection is added, what leaves it deleted', async () => {
    const { api, maps, version, make } = await place()
    await make('in', { app: 'a' })
    await make('out')
    const events = api.watch(
      `${maps}?watch=1&resourceVersion=${version}&labelSelector=app%3Da&timeoutSeconds=600`,
      (all) => all.length === 4,
    )
    await api.call('PATCH', `${maps}/out`, { metadata: { labels: { app: 'a' } } }, MERGE)
    await api.call('PATCH', `${maps}/in`, { metadata: { labels: { app: 'b' } } }, MERGE)
    await api.call('DELETE', `${maps}/in`)
    await api.call('DELETE', `${maps}/out`)
    assert.deepEqual((await events).map(told), ['ADDED in', 'ADDED out', 'DELETED in', 'DELETED out'])
  })

  test('one object, and one namespace, are watched alone', async () => {
    const { api, maps, version, make } = await place()
    const one = api.watch(
      `${maps}?watch=true&resourceVersion=${version}&fieldSelector=metadata.name%3Dx&timeoutSeconds=600`,
      (all) => all.length === 2,
    )
    for (const name of ['w', 'x', 'y']) await make(name)
    await api.call('DELETE', `${maps}/x`)
    assert.deepEqual((await one).map(told), ['ADDED x', 'DELETED x'])
  })

  test('the list comes as events, and a bookmark ends it', async () => {
    const { api, maps, make } = await place()
    await make('second')
    const events = await api.watch(
      `${maps}?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&timeoutSeconds=600`,
      (all) => all.at(-1)?.type === 'BOOKMARK',
    )
    const initial = events.slice(0, -1).map(told)
    assert.deepEqual(initial.filter((each) => !each.endsWith('kube-root-ca.crt')).sort(), [
      'ADDED first',
      'ADDED second',
    ])
    const annotations = events.at(-1)?.object.metadata.annotations
    assert.deepEqual(annotations, { 'k8s.io/initial-events-end': 'true' })
  })

  test('a watch ends when its time is over', async () => {
    const { api, maps, version } = await place()
    assert.deepEqual(await api.watch(`${maps}?watch=true&resourceVersion=${version}&timeoutSeconds=1`, () => false), [])
  })
}
