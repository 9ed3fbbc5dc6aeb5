import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { test, type TestContext } from 'node:test'
import type { RegistryClient } from '../../../adapters/registry/client.ts'
import { digestOf } from '../../../lib/oci/digest.ts'
import { packTar } from '../../../lib/tar/write.ts'
import { openImageStore } from './store.ts'

type Entry = Parameters<typeof packTar>[0][number]

const folder = (path: string): Entry => ({ path, type: 'directory' })
const file = (path: string): Entry => ({ path, type: 'file', content: Buffer.from(path) })
const link = (path: string, linkPath: string): Entry => ({ path, type: 'symlink', linkPath })

function makeRoot(t: TestContext): string {
  const root = mkdtempSync(join(tmpdir(), 'sluice-stack-'))
  t.after(() => rmSync(root, { recursive: true, force: true }))
  return root
}

/** Pulls an image of these layers, the lowest first; answers its folders, topmost first. */
async function pull(root: string, ...layersOf: readonly (readonly Entry[])[]): Promise<readonly string[]> {
  const layers = layersOf.map((entries) => packTar(entries))
  const describe = (bytes: Buffer, mediaType: string): object => ({
    mediaType,
    digest: digestOf(bytes),
    size: bytes.length,
  })
  const rootfs = { type: 'layers', diff_ids: layers.map((layer) => digestOf(layer)) }
  const config = Buffer.from(JSON.stringify({ architecture: 'amd64', os: 'linux', rootfs }))
  const bytes = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      config: describe(config, 'application/vnd.oci.image.config.v1+json'),
      layers: layers.map((layer) => describe(layer, 'application/vnd.oci.image.layer.v1.tar')),
    }),
  )
  const blobs = new Map([config, ...layers].map((blob) => [digestOf(blob), blob]))
  const mediaType = 'application/vnd.oci.image.manifest.v1+json'
  const client: Pick<RegistryClient, 'getManifest' | 'openBlob'> = {
    getManifest: async () => ({ bytes, mediaType, digest: digestOf(bytes) }),
    openBlob: async (_, digest) => Readable.from([blobs.get(digest)]) as never,
  }
  const store = openImageStore(join(root, 'images'), client as RegistryClient, process.getuid?.() === 0)
  return (await store.pull('example.com/demo/web:1')).layers
}

test('what a layer takes away from a folder is not taken from where a symlink of a layer below leads', async (t) => {
  const root = makeRoot(t)
  const outside = join(root, 'outside')
  mkdirSync(join(outside, 'sub'), { recursive: true })
  for (const name of ['passwd', 'sub/key']) writeFileSync(join(outside, name), 'of the machine')
  const [flat = ''] = await pull(
    root,
    [link('x', outside), file('kept')],
    [folder('x'), file('x/.wh.passwd'), folder('x/sub'), file('x/sub/.wh..wh..opq')],
  )
  assert.deepEqual([readdirSync(outside), readdirSync(join(outside, 'sub'))], [['passwd', 'sub'], ['key']])
  assert.deepEqual(readdirSync(flat, { recursive: true }).sort(), ['kept', 'x', 'x/sub'])
})

test('a layer takes away what layers below have, through their symlinks and where there is nothing', async (t) => {
  const [flat = ''] = await pull(
    makeRoot(t),
    [folder('run'), file('run/gone'), file('run/kept'), folder('var'), link('var/run', '/run'), file('plain')],
    [file('var/run/.wh.gone'), file('plain/.wh.x'), file('nowhere/.wh.x')],
  )
  assert.deepEqual(readdirSync(join(flat, 'run')), ['kept'])
  assert.equal(existsSync(join(flat, 'plain')), true)
})
