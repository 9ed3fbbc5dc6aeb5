import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { openContentStore } from '../../../adapters/registry/content-store.ts'
import { digestOf } from '../../../lib/oci/digest.ts'
import { collectUnused, layerFolders } from './collect.ts'

/** A folder, and that of a former version, which a pod may still run on. */
const inBothVersions = (folder: string): readonly string[] => [folder, `${folder.split('.')[0]}.flat`]

test('images that nobody needs go with their layers a day after their pull; what others share with them stays', async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'sluice-node-images-'))
  t.after(() => rmSync(root, { recursive: true, force: true }))
  const content = openContentStore(root)
  const put = async (layers: readonly string[]): Promise<string> => {
    const diffIds = layers.map((layer) => digestOf(layer))
    const parts = await Promise.all(
      layers.map(async (layer) => ({
        mediaType: 'l',
        digest: await content.write(Buffer.from(layer)),
        size: layer.length,
      })),
    )
    const config = Buffer.from(
      JSON.stringify({ architecture: 'a', os: 'linux', rootfs: { type: 'layers', diff_ids: diffIds } }),
    )
    const descriptor = { mediaType: 'c', digest: await content.write(config), size: config.length }
    for (const folder of layerFolders(diffIds).flatMap(inBothVersions))
      mkdirSync(join(root, 'layers', folder), { recursive: true })
    return content.write(Buffer.from(JSON.stringify({ schemaVersion: 2, config: descriptor, layers: parts })))
  }
  const running = await put(['base', 'app 1'])
  const index = { schemaVersion: 2, manifests: [{ mediaType: 'm', digest: running, size: 1 }] }
  const named = await content.write(Buffer.from(JSON.stringify(index)))
  await put(['base', 'app 2'])
  const yesterday = new Date(Date.now() - 25 * 3600 * 1000)
  const blobs = join(root, 'blobs', 'sha256')
  for (const name of readdirSync(blobs)) utimesSync(join(blobs, name), yesterday, yesterday)
  const fresh = await put(['base', 'app 3'])

  assert.ok((await collectUnused(content, [named], { dryRun: true })) > 0)
  assert.equal(readdirSync(join(root, 'layers')).length, 8)
  await collectUnused(content, [named], { dryRun: false })
  const left = await Promise.all(['base', 'app 1', 'app 2', 'app 3'].map((layer) => content.sizeOf(digestOf(layer))))
  assert.deepEqual(left, [4, 5, undefined, 5])
  assert.ok(await content.sizeOf(fresh))
  const folders = [
    ...layerFolders(['base', 'app 1'].map((l) => digestOf(l))),
    layerFolders(['base', 'app 3'].map((l) => digestOf(l)))[1] ?? '',
  ]
  assert.deepEqual(readdirSync(join(root, 'layers')).sort(), folders.flatMap(inBothVersions).sort())
  assert.equal(await collectUnused(content, [named], { dryRun: false }), 0)
})
