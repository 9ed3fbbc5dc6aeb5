import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { test, type TestContext } from 'node:test'
import { digestOf, parseDigest } from '../../lib/oci/digest.ts'
import { openStore, type Store } from './store.ts'
import { createUploads } from './uploads.ts'

function folderOf(t: TestContext): string {
  const root = mkdtempSync(join(tmpdir(), 'sluice-store-'))
  t.after(() => rmSync(root, { recursive: true, force: true }))
  return root
}

const content = Buffer.from('content')
const digest = digestOf(content)

async function come(store: Store, name: string): Promise<void> {
  const path = store.uploadPath(name)
  writeFileSync(path, content)
  await store.keepFile(path, digest)
}

test('content that comes again while it is swept stays', async (t) => {
  const store = openStore(folderOf(t))
  for (let round = 0; round < 20; round++) {
    await come(store, `first-${round}`)
    const swept = store.sweep(digest)
    const release = store.hold(digest)
    await come(store, `again-${round}`)
    await swept
    assert.equal(existsSync(store.pathOf(digest)), true, `round ${round}`)
    release()
    await store.sweep(digest)
  }
  await store.close()
})

const body = (): IncomingMessage =>
  Object.assign(Readable.from([content]), { headers: {} }) as unknown as IncomingMessage

test('of two that finish the upload of an earlier process one does, the other is refused and harms nothing', async (t) => {
  const store = openStore(folderOf(t))
  const earlier = createUploads(store)
  const id = earlier.start('a')
  await earlier.append('a', id, body())
  const uploads = createUploads(store)
  const wanted = parseDigest(digest) ?? assert.fail()
  const ends = await Promise.allSettled([uploads.finish('a', id, wanted), uploads.finish('a', id, wanted)])
  assert.deepEqual(ends.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
  assert.equal(readFileSync(store.pathOf(digest), 'utf8'), 'content')
  await store.close()
})

test('an upload that nobody went on with for a day is removed and unknown, one that goes on is kept', async (t) => {
  const root = folderOf(t)
  const store = openStore(root)
  const uploads = createUploads(store)
  const [abandoned, alive] = [uploads.start('a'), uploads.start('a')]
  for (const id of [abandoned, alive]) await uploads.append('a', id, body())
  const yesterday = new Date(Date.now() - 25 * 3600 * 1000)
  utimesSync(store.uploadPath(abandoned), yesterday, yesterday)
  await uploads.dropAbandoned()
  assert.deepEqual(readdirSync(join(root, 'uploads')), [alive])
  await assert.rejects(uploads.append('a', abandoned, body(), content.length), { code: 'BLOB_UPLOAD_UNKNOWN' })
  assert.equal(await uploads.offsetOf('a', alive), content.length)
  await store.close()
})
