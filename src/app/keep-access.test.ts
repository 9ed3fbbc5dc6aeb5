import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { SharedCaches } from '../adapters/kube/shared-caches.ts'
import type { Cluster } from './cluster.ts'
import { keepAccess } from './keep-access.ts'
import { openClosers } from '../lib/concurrency/closers.ts'
import { holdStateFolder } from './state/hold-state-folder.ts'

test('a change that is told right before the end does not bring access.json back', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-access-'))
  t.after(() => rmSync(dir, { recursive: true }))
  const folder = holdStateFolder(dir)
  const changes: (() => void)[] = []
  const services: object[] = []
  const cache = { list: () => services, onChange: (told: () => void) => (changes.push(told), () => undefined) }
  const caches = { open: () => cache } as unknown as SharedCaches
  const cluster = {
    server: '',
    kubeconfig: '',
    token: '',
    serviceUrl: () => 'http://127.0.0.1:1',
  } as unknown as Cluster
  const urls = { git: { url: '', token: '' }, registry: { url: '' }, page: { url: '' } }
  const closers = openClosers()
  keepAccess({ folder, cluster, caches, log: () => undefined }, urls, closers)
  assert.ok(existsSync(join(dir, 'access.json')))
  services.push({ metadata: { namespace: 'default', name: 'web' } })
  for (const told of changes) told()
  await closers.closeAll()
  await new Promise((done) => setImmediate(done))
  assert.ok(!existsSync(join(dir, 'access.json')))
})
