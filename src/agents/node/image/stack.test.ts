import assert from 'node:assert/strict'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { test, type TestContext } from 'node:test'
import type { RegistryClient } from '../../../adapters/registry/client.ts'
import { digestOf } from '../../../lib/oci/digest.ts'
import { packTar } from '../../../lib/tar/write.ts'
import { removeTreeSync } from '../../../machine/remove-tree.ts'
import { openImageStore } from './store.ts'

type Entry = Parameters<typeof packTar>[0][number]

const folder = (path: string, look: Partial<Entry> = {}): Entry => ({ path, type: 'directory', ...look })
const file = (path: string): Entry => ({ path, type: 'file', content: Buffer.from(path) })
const link = (path: string, linkPath: string): Entry => ({ path, type: 'symlink', linkPath })

const hardLink = (path: string, linkPath: string): Entry => ({ path, type: 'link', linkPath })

function makeRoot(t: TestContext): string {
  const root = mkdtempSync(join(tmpdir(), 'sluice-stack-'))
  t.after(() => removeTreeSync(root))
  return root
}

const isRoot = process.getuid?.() === 0

/** Mode, and owners where they are kept. */
function lookOf(layer: string | undefined, path: string): string {
  const { mode, uid, gid } = lstatSync(join(layer ?? '', path))
  return [(mode & 0o7777).toString(8), ...(isRoot ? [uid, gid] : [])].join(' ')
}

const look = (mode: string, owner: string): string => (isRoot ? `${mode} ${owner}` : mode)

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
  const store = openImageStore(join(root, 'images'), client as RegistryClient, isRoot)
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

test('a folder that a layer writes into without naming it looks as in the layers below', async (t) => {
  const layers = await pull(
    makeRoot(t),
    [
      folder('tmp', { mode: 0o1777 }),
      folder('home/node', { mode: 0o500, uid: 1000, gid: 1001 }),
      folder('named', { mode: 0o700, uid: 7, gid: 7 }),
      link('work', 'home/node'),
    ],
    [file('tmp/x'), file('work/app/x'), file('named/x'), folder('named', { mode: 0o711, uid: 8, gid: 8 })],
  )
  assert.equal(layers.length, 2)
  const looks = ['tmp', 'home/node', 'home/node/app', 'named'].map((path) => lookOf(layers[0], path))
  assert.deepEqual(looks, [look('1777', '0 0'), look('500', '1000 1001'), look('755', '0 0'), look('711', '8 8')])
})

test('a folder takes nothing from where a symlink of a layer below leads', async (t) => {
  const [top] = await pull(
    makeRoot(t),
    [folder('secret/sub', { mode: 0o700 }), link('x', 'secret')],
    [folder('x'), file('x/sub/file')],
  )
  assert.equal(lookOf(top, 'x/sub'), look('755', '0 0'))
})

test('folders and symlinks look the same where a layer took something away', async (t) => {
  const at = { mtimeSeconds: 1_600_000_000, uid: 999, gid: 998 }
  const [flat = ''] = await pull(
    makeRoot(t),
    [
      folder('data', { ...at, mode: 0o1770 }),
      folder('data/empty', { ...at, mode: 0o700 }),
      { ...link('link', 'data'), ...at },
      file('gone'),
    ],
    [file('.wh.gone')],
  )
  assert.deepEqual(readdirSync(flat), ['data', 'link'])
  const looks = ['data', 'data/empty', 'link'].map((path) => lookOf(flat, path))
  assert.deepEqual(looks, [look('1770', '999 998'), look('700', '999 998'), look('777', '999 998')])
  const times = ['data', 'data/empty', 'link'].map((path) => lstatSync(join(flat, path)).mtimeMs / 1000)
  assert.deepEqual(times, [at.mtimeSeconds, at.mtimeSeconds, at.mtimeSeconds])
})

test('layers that a former version unpacked are unpacked anew', async (t) => {
  const root = makeRoot(t)
  const [folderNow = ''] = await pull(root, [file('x')])
  const former = folderNow.replace(/\.2$/, '')
  rmSync(folderNow, { recursive: true })
  mkdirSync(former)
  const [again = ''] = await pull(root, [file('x')])
  assert.deepEqual([again, readdirSync(again)], [folderNow, ['x']])
  assert.deepEqual(readdirSync(former), [], 'a pod may run on it')
})

test('a hard link to a symlink is that symlink, and to a file of a layer below a copy that looks like it', async (t) => {
  const at = { mtimeSeconds: 1_600_000_000, uid: 999, gid: 998 }
  const [top = '', below = ''] = await pull(
    makeRoot(t),
    [{ ...file('data/file'), ...at, mode: 0o640 }, { ...link('link', 'data'), ...at }, hardLink('same', 'link')],
    [file('soon/x'), hardLink('soon', 'link'), file('soon/y'), hardLink('copy', 'data/file')],
  )
  assert.equal(readlinkSync(join(below, 'same')), 'data')
  assert.equal(readlinkSync(join(top, 'soon')), 'data')
  assert.equal(readFileSync(join(top, 'data/y'), 'utf8'), 'soon/y')
  assert.deepEqual(
    ['soon', 'copy'].map((path) => lookOf(top, path)),
    [look('777', '999 998'), look('640', '999 998')],
  )
  assert.equal(lstatSync(join(top, 'copy')).mtimeMs / 1000, at.mtimeSeconds)
})

test('what a layer has taken away is no way and no look for what it brings after that', async (t) => {
  const below = [
    folder('b', { mode: 0o755 }),
    file('b/old'),
    link('a', 'b'),
    folder('c', { mode: 0o700 }),
    file('c/old'),
  ]
  const [merged = ''] = await pull(makeRoot(t), below, [
    ...[file('.wh.a'), file('a/x'), file('.wh.c'), file('c/x')],
    ...[file('b/.wh..wh..opq'), file('b/new')],
  ])
  assert.ok(lstatSync(join(merged, 'a')).isDirectory())
  const held = ['a', 'b', 'c'].map((name) => `${name}: ${readdirSync(join(merged, name)).join()}`)
  assert.deepEqual(held, ['a: x', 'b: new', 'c: x'])
  assert.equal(lookOf(merged, 'c'), look('755', '0 0'))
})

test('a hard link finds nothing that its layer has taken away', async (t) => {
  await assert.rejects(
    pull(makeRoot(t), [file('a')], [file('.wh.a'), hardLink('b', 'a')]),
    /which is no file of the image/,
  )
})
