import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { digestOf } from '../../lib/oci/digest.ts'
import { openContentStore } from './content-store.ts'

test('a blob that is not there is undefined; one that cannot be read is no such blob', async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'sluice-content-'))
  t.after(() => rmSync(root, { recursive: true, force: true }))
  const store = openContentStore(root)
  const there = await store.write(Buffer.from('text'))
  assert.deepEqual([String(await store.read(there)), await store.sizeOf(there)], ['text', 4])
  const missing = digestOf(Buffer.from('none'))
  assert.deepEqual([await store.read(missing), await store.sizeOf(missing)], [undefined, undefined])
  mkdirSync(store.pathOf(missing))
  await assert.rejects(store.read(missing), { code: 'EISDIR' })
})
