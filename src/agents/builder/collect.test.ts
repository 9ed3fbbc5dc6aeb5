import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, utimesSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { digestOf } from '../../lib/oci/digest.ts'
import { collectImages, UNUSED_MS } from './collect.ts'
import { findImage, type ImageStore, openImageStore, readImage, referenceFrom, setTag } from './store.ts'

async function putImage(store: ImageStore, name: string, layers: readonly string[]): Promise<string> {
  const { content } = store
  const parts = []
  for (const layer of layers) {
    const bytes = Buffer.from(layer)
    parts.push({
      mediaType: 'application/vnd.oci.image.layer.v1.tar',
      digest: await content.write(bytes),
      size: bytes.length,
    })
  }
  const config = Buffer.from(
    JSON.stringify({
      architecture: 'amd64',
      os: 'linux',
      rootfs: { type: 'layers', diff_ids: layers.map((l) => digestOf(l)) },
    }),
  )
  const mediaType = 'application/vnd.oci.image.config.v1+json'
  const manifest = {
    schemaVersion: 2,
    config: { mediaType, digest: await content.write(config), size: config.length },
    layers: parts,
  }
  const digest = await content.write(Buffer.from(JSON.stringify(manifest)))
  await setTag(store, referenceFrom(name), digest)
  return digest
}

/** As if nothing had been used since. */
function age(root: string, atMs: number): void {
  for (const folder of ['tags', 'cache', 'blobs/sha256'])
    for (const file of readdirSync(join(root, folder))) utimesSync(join(root, folder, file), atMs / 1000, atMs / 1000)
}

test('what no build has used for two weeks goes; what one used, and all that it is made of, stays', async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'sluice-images-'))
  t.after(() => rmSync(root, { recursive: true, force: true }))
  const store = openImageStore(root)
  const used = await putImage(store, 'used:1', ['shared', 'own of used'])
  const unused = await putImage(store, 'unused:1', ['shared', 'own of unused'])
  await store.cache.set('a step', JSON.stringify({ diffId: digestOf('of a step'), n: 1 }))
  await store.content.write(Buffer.from('of a step'))
  await store.cache.set('a step that nobody takes', digestOf('of nobody'))
  await store.content.write(Buffer.from('of nobody'))
  age(root, Date.now() - UNUSED_MS - 1000)
  await store.content.write(Buffer.from('of a build that begins'))
  assert.ok(await findImage(store, 'used:1'))
  assert.ok(await store.cache.get('a step'))

  const wouldFree = await collectImages(store, Date.now(), { dryRun: true })
  assert.ok(await readImage(store, unused), 'a dry run removes nothing')
  assert.equal(await collectImages(store, Date.now(), { dryRun: false }), wouldFree)
  assert.ok(await readImage(store, used))
  assert.equal(await findImage(store, 'unused:1'), undefined)
  assert.equal(await store.cache.get('a step that nobody takes'), undefined)
  const there = ['of a step', 'of nobody', 'of a build that begins', 'own of unused'].map((text) =>
    store.content.sizeOf(digestOf(text)),
  )
  assert.deepEqual(await Promise.all(there), [9, undefined, 22, undefined])
  assert.equal(await collectImages(store, Date.now(), { dryRun: false }), 0)
})
