import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { test, type TestContext } from 'node:test'
import type { RegistryClient } from '../../../adapters/registry/client.ts'
import { SluiceError } from '../../../lib/error/sluice-error.ts'
import { digestOf } from '../../../lib/oci/digest.ts'
import { packTar } from '../../../lib/tar/write.ts'
import { openImageStore } from './store.ts'

const NAME = 'example.com/demo/web:1'
const layer = packTar([{ path: 'file', type: 'file', content: Buffer.from('hello') }])
const descriptor = (bytes: Buffer, mediaType: string): object => ({
  mediaType,
  digest: digestOf(bytes),
  size: bytes.length,
})
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json'
/** The configuration of an image of that layer, and its manifest. */
function imageOf(diffId: string): { readonly config: Buffer; readonly manifest: Buffer } {
  const rootfs = { type: 'layers', diff_ids: [diffId] }
  const config = Buffer.from(JSON.stringify({ architecture: 'amd64', os: 'linux', rootfs }))
  const manifest = {
    schemaVersion: 2,
    config: descriptor(config, 'application/vnd.oci.image.config.v1+json'),
    layers: [descriptor(layer, 'application/vnd.oci.image.layer.v1.tar')],
  }
  return { config, manifest: Buffer.from(JSON.stringify(manifest)) }
}
const { manifest, config } = imageOf(digestOf(layer))

/** A registry that has one image, as long as it is there. */
function registry(isThere: boolean, diffId = digestOf(layer)): RegistryClient {
  const { config, manifest: bytes } = imageOf(diffId)
  const away = async (): Promise<never> => {
    throw new SluiceError('REGISTRY_UNREACHABLE', 'it is away', { retry: 'backoff' })
  }
  const client: Pick<RegistryClient, 'getManifest' | 'openBlob'> = {
    getManifest: isThere ? async () => ({ bytes, mediaType: MANIFEST, digest: digestOf(bytes) }) : away,
    openBlob: isThere
      ? async (_, digest) => Readable.from([digest === digestOf(layer) ? layer : config]) as never
      : away,
  }
  return client as RegistryClient
}

async function storeWithImage(t: TestContext): Promise<string> {
  const root = mkdtempSync(join(tmpdir(), 'sluice-images-'))
  t.after(() => rmSync(root, { recursive: true, force: true }))
  await openImageStore(root, registry(true), false).pull(NAME)
  return root
}

test('an image that was pulled is found after a restart, though its registry is away', async (t) => {
  const root = await storeWithImage(t)
  const found = await openImageStore(root, registry(false), false).find(NAME)
  assert.equal(found?.id, `example.com/demo/web@${digestOf(manifest)}`)
  assert.equal(readFileSync(join(found?.layers[0] ?? '', 'file'), 'utf8'), 'hello')
})

const blobOf = (root: string, bytes: Buffer): string => join(root, 'blobs/sha256', digestOf(bytes).slice(7))

const damages: { it: string; damage: (root: string) => void }[] = [
  { it: 'a layer', damage: (root) => writeFileSync(blobOf(root, layer), 'x') },
  { it: 'the manifest', damage: (root) => rmSync(blobOf(root, manifest)) },
  {
    it: 'the manifest, as long as before,',
    damage: (root) => writeFileSync(blobOf(root, manifest), Buffer.alloc(manifest.length)),
  },
  { it: 'the configuration', damage: (root) => writeFileSync(blobOf(root, config), Buffer.alloc(config.length)) },
  {
    it: 'the configuration, which still makes sense,',
    damage: (root) => writeFileSync(blobOf(root, config), String(config).replace('amd64', 'arm64')),
  },
  { it: 'the list of names', damage: (root) => writeFileSync(join(root, 'names.json'), '{"') },
]
for (const { it, damage } of damages)
  test(`an image of which ${it} is damaged is pulled again`, async (t) => {
    const root = await storeWithImage(t)
    damage(root)
    assert.equal(await openImageStore(root, registry(false), false).find(NAME), undefined)
    assert.ok(await openImageStore(root, registry(true), false).pull(NAME))
    assert.ok(await openImageStore(root, registry(false), false).find(NAME), 'it is whole again')
    for (const bytes of [manifest, config, layer]) assert.deepEqual(readFileSync(blobOf(root, bytes)), bytes)
  })

for (const [what, bytes] of [
  ['zeros', Buffer.alloc(layer.length)],
  ['other bytes', Buffer.alloc(layer.length, 'x')],
] as const)
  test(`a layer that became ${what} of the same size is told, and fetched again`, async (t) => {
    const root = await storeWithImage(t)
    const blob = blobOf(root, layer)
    const damage = (): void => {
      writeFileSync(blob, bytes)
      rmSync(join(root, 'layers'), { recursive: true })
    }
    damage()
    const store = openImageStore(root, registry(true), false)
    await assert.rejects(store.pull(NAME), {
      code: 'DIGEST_MISMATCH',
      message: `content ${digestOf(layer)} was damaged on the disk, where it is ${digestOf(bytes)} now; it is fetched again`,
    })
    assert.ok(await store.pull(NAME))
    damage()
    const later = openImageStore(root, registry(true), false)
    assert.equal(await later.find(NAME), undefined)
    assert.ok(await later.pull(NAME))
    assert.deepEqual(readFileSync(blob), layer)
  })

test('a layer that is not what its image promises is refused', async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'sluice-images-'))
  t.after(() => rmSync(root, { recursive: true, force: true }))
  const promised = digestOf('something else')
  await assert.rejects(openImageStore(root, registry(true, promised), false).pull(NAME), {
    code: 'DIGEST_MISMATCH',
    message: `the layer ${digestOf(layer)} unpacks to ${digestOf(layer)}, not to ${promised}`,
  })
})

test('a name whose image was collected is not found again', async (t) => {
  const root = await storeWithImage(t)
  await openImageStore(root, registry(false), false).collect({ names: new Set(), ids: [] }, { dryRun: false })
  assert.equal(await openImageStore(root, registry(false), false).find(NAME), undefined)
})
