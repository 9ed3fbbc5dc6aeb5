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
