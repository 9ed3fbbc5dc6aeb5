import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EngineContext } from '../context.ts'
import { externalArtifactController } from './controller.ts'

test('what a deleted ExternalArtifact offered goes with it, the files too', async () => {
  const removed: string[] = []
  const cache = { get: () => undefined, list: () => [], onChange: () => undefined, close: () => undefined }
  const context = {
    caches: { open: () => cache },
    sources: { remove: (key: string) => removed.push(key) },
    artifacts: { remove: async (path: string) => removed.push(path) > 0 },
  } as unknown as EngineContext
  assert.equal(await externalArtifactController(context).observe('team/app'), undefined)
  assert.deepEqual(removed, ['ExternalArtifact/team/app', 'externalartifact/team/app'])
})
