import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import type { EngineClient } from '../../../adapters/container-engine/client.ts'
import type { RegistryClient } from '../../../adapters/registry/client.ts'
import { digestOf } from '../../../lib/oci/digest.ts'
import { packTar } from '../../../lib/tar/write.ts'
import { openEngineImages } from './images.ts'

const NAME = 'example.com/demo/web:1'
const layer = packTar([{ path: 'file', type: 'file', content: Buffer.from('hello') }])
const describe = (bytes: Buffer, mediaType: string) => ({ mediaType, digest: digestOf(bytes), size: bytes.length })
const rootfs = { type: 'layers', diff_ids: [digestOf(layer)] }
const config = Buffer.from(JSON.stringify({ architecture: 'amd64', os: 'linux', rootfs }))
const manifest = Buffer.from(
  JSON.stringify({
    schemaVersion: 2,
    config: describe(config, 'application/vnd.oci.image.config.v1+json'),
    layers: [describe(layer, 'application/vnd.oci.image.layer.v1.tar')],
  }),
)
const registry: Pick<RegistryClient, 'getManifest' | 'openBlob'> = {
  getManifest: async () => ({
    bytes: manifest,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    digest: digestOf(manifest),
  }),
  openBlob: async (_, digest) => Readable.from([digest === digestOf(layer) ? layer : config]) as never,
}

/** An engine that takes an archive only with the layer as it should be. */
function engine(): EngineClient {
  let isLoaded = false
  const client: Pick<EngineClient, 'ask' | 'send'> = {
    ask: async () => (isLoaded ? {} : Promise.reject(new Error('no such image'))),
    async send(_, archive) {
      const bytes = Buffer.concat(await archive.toArray())
      if (!bytes.includes(layer)) throw new Error('archive/tar: invalid tar header')
      isLoaded = true
      return ''
    },
  }
  return client as EngineClient
}

test('an image that the engine refuses since a layer is damaged is pulled again', async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'sluice-engine-images-'))
  t.after(() => rmSync(root, { recursive: true, force: true }))
  const open = () => openEngineImages(root, registry as RegistryClient, engine())
  await open().pull(NAME)
  const blob = join(root, 'blobs/sha256', digestOf(layer).slice(7))
  writeFileSync(blob, Buffer.alloc(layer.length, 'x'))
  await assert.rejects(open().pull(NAME), { code: 'DIGEST_MISMATCH' })
  writeFileSync(blob, Buffer.alloc(layer.length, 'x'))
  const images = open()
  assert.equal(await images.find(NAME), undefined)
  assert.ok(await images.pull(NAME))
  assert.deepEqual(readFileSync(blob), layer)
})
