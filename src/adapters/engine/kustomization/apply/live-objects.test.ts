import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SharedCaches } from '../../../kube/shared-caches.ts'
import type { KubeClient } from '../../../kube/types.ts'
import { createLiveObjects } from './live-objects.ts'

const never = new Promise<void>(() => undefined)
const cases: readonly [it: string, verbs: readonly string[], isRefused: boolean, opened: number][] = [
  ['that cannot be listed', ['create'], false, 0],
  ['that can be listed, not watched', ['get', 'list', 'patch'], false, 0],
  ['that we may not list', ['list', 'watch'], true, 1],
]
for (const [it, verbs, isRefused, wanted] of cases)
  test(`nobody waits for the watch of a kind ${it}`, async () => {
    let opened = 0
    const client = { resource: async () => ({ verbs }) } as unknown as KubeClient
    const cache = { ready: never, refused: isRefused ? Promise.resolve() : never, onChange: () => undefined }
    const caches = { open: () => (opened++, { ...cache, get: () => undefined }) } as unknown as SharedCaches
    const live = createLiveObjects(client, caches)
    assert.equal(await live.ensure('v1', 'Binding'), true)
    assert.equal(opened, wanted)
    assert.equal(live.get({ apiVersion: 'v1', kind: 'Binding', namespace: 'n', name: 'b' }), undefined)
  })

for (const isListed of [true, false])
  test(`an object that was applied is ${isListed ? '' : 'not '}awaited in a watch that ${isListed ? 'was' : 'may not be'} listed`, async () => {
    const client = { resource: async () => ({ verbs: ['list', 'watch'] }) } as unknown as KubeClient
    const watch = isListed ? { ready: Promise.resolve(), refused: never } : { ready: never, refused: Promise.resolve() }
    const caches = { open: () => ({ ...watch, onChange: () => undefined, get: () => undefined }) }
    const live = createLiveObjects(client, caches as unknown as SharedCaches)
    const ref = { apiVersion: 'v1', kind: 'Secret', namespace: 'n', name: 's' }
    const labels = { 'kustomize.toolkit.fluxcd.io/name': 'app', 'kustomize.toolkit.fluxcd.io/namespace': 'n' }
    const metadata = { name: 's', namespace: 'n', labels, resourceVersion: '7' }
    await live.ensure('v1', 'Secret')
    live.remember(ref, '', { apiVersion: 'v1', kind: 'Secret', metadata })
    assert.deepEqual([live.isFollowed(ref), live.isBehind(ref)], [isListed, isListed])
  })
