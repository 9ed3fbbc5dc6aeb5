import assert from 'node:assert/strict'
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  statfsSync,
  utimesSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { after, test } from 'node:test'
import { build } from 'esbuild'
import { createRegistryClient } from '../../src/adapters/registry/client.ts'
import { openHousekeeping } from '../../src/adapters/registry/housekeeping.ts'
import { openContentStore } from '../../src/adapters/registry/content-store.ts'
import { pullImage } from '../../src/adapters/registry/pull.ts'
import { serveRegistryd } from '../../src/embedded/registryd/serve.ts'
import { digestOf } from '../../src/lib/oci/digest.ts'
import { MEDIA } from '../../src/lib/oci/media-types.ts'
import { parseReference, type Repository } from '../../src/lib/oci/reference.ts'
import { LONG_MS } from '../support/wait.ts'

const root = mkdtempSync(join(tmpdir(), 'sluice-collect-'))
after(() => rmSync(root, { recursive: true, force: true }))
const client = createRegistryClient()
after(() => client.close())

const [layerA, layerB, layerC, layerD, orphan] = ['a', 'b', 'c', 'd', 'e'].map((text) => Buffer.from(text)) as [
  Buffer,
  Buffer,
  Buffer,
  Buffer,
  Buffer,
]

async function pushBlob(of: Repository, bytes: Buffer): Promise<{ digest: string; size: number }> {
  const digest = digestOf(bytes)
  await client.pushBlob(of, { digest, sizeBytes: bytes.length, open: () => Readable.from([bytes]) })
  return { digest, size: bytes.length }
}

async function pushImage(of: Repository, tag: string, ...layers: readonly Buffer[]): Promise<string> {
  const config = {
    architecture: 'amd64',
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: layers.map((l) => digestOf(l)) },
  }
  const parts: object[] = []
  for (const layer of layers) parts.push({ mediaType: MEDIA.layer, ...(await pushBlob(of, layer)) })
  const manifest = {
    schemaVersion: 2,
    mediaType: MEDIA.manifest,
    config: { mediaType: MEDIA.config, ...(await pushBlob(of, Buffer.from(JSON.stringify(config)))) },
    layers: parts,
    annotations: { tag },
  }
  return client.putManifest(of, tag, { bytes: Buffer.from(JSON.stringify(manifest)), mediaType: MEDIA.manifest })
}

/** As if everything had been pushed two hours ago. */
function age(folder: string): void {
  const then = new Date(Date.now() - 2 * 3600 * 1000)
  const blobs = join(folder, 'blobs', 'sha256')
  for (const name of readdirSync(blobs)) utimesSync(join(blobs, name), then, then)
}

const isThere = (folder: string, bytes: Buffer): boolean =>
  existsSync(join(folder, 'blobs', 'sha256', digestOf(bytes).slice(7)))

const blobOf = (layer: Buffer) => ({
  digest: digestOf(layer),
  sizeBytes: layer.length,
  open: () => Readable.from([layer]),
})

test('what only a deleted manifest refers to is freed; what others refer to, and what somebody counts on, stays', async (t) => {
  const folder = mkdtempSync(join(root, 'd'))
  const first = await serveRegistryd({ root: folder, port: 0 })
  const one = await pushImage({ host: first.host, repository: 'web' }, '1', layerA, layerB, layerC)
  await pushImage({ host: first.host, repository: 'web' }, '2', layerB)
  await pushImage({ host: first.host, repository: 'api' }, '1', layerD)
  await pushBlob({ host: first.host, repository: 'api' }, orphan)
  await first.close()
  age(folder)
  const registry = await serveRegistryd({ root: folder, port: 0 })
  t.after(() => registry.close())
  const of = { host: registry.host, repository: 'web' }
  const house = openHousekeeping(registry.host)
  t.after(() => house.close())

  assert.equal(await client.pushBlob(of, blobOf(layerC)), 'present')
  assert.equal(await house.deleteManifest('web', one, Date.now()), true)
  assert.equal(await house.deleteManifest('web', one, Date.now()), false, 'it is gone already')
  await house.collect()
  const kept = [layerA, layerB, layerC, layerD, orphan].map((bytes) => isThere(folder, bytes))
  assert.deepEqual(kept, [false, true, true, true, false])
  assert.deepEqual(
    (await house.contents()).map(({ name, manifests }) => [
      name,
      manifests.map(({ tags, parts }) => [tags, parts.length]),
    ]),
    [
      ['api', [[['1'], 2]]],
      ['web', [[['2'], 2]]],
    ],
  )
  await pushImage(of, '3', layerC)
  await assertWhole(registry.host, 'web', '3')
})

test('a manifest that was pushed again since one looked is not deleted', async (t) => {
  const folder = mkdtempSync(join(root, 'c'))
  const registry = await serveRegistryd({ root: folder, port: 0 })
  t.after(() => registry.close())
  const house = openHousekeeping(registry.host)
  t.after(() => house.close())
  const digest = await pushImage({ host: registry.host, repository: 'web' }, '1', layerA)
  assert.equal(await house.deleteManifest('web', digest, Date.now() + 60_000), false, 'it was pushed this very hour')
  await assertWhole(registry.host, 'web', '1')
})

test(
  'a push whose layers are collected while it comes is whole, or told to send them',
  { timeout: LONG_MS },
  async (t) => {
    const folder = mkdtempSync(join(root, 'r'))
    const names = Array.from({ length: 30 }, (_, n) => `app-${n}`)
    const first = await serveRegistryd({ root: folder, port: 0 })
    const layers = new Map(names.map((name) => [name, randomBytes(2000)]))
    const digests = new Map<string, string>()
    for (const [name, layer] of layers)
      digests.set(name, await pushImage({ host: first.host, repository: name }, 'old', layer))
    await first.close()
    age(folder)
    const registry = await serveRegistryd({ root: folder, port: 0 })
    t.after(() => registry.close())
    const house = openHousekeeping(registry.host)
    t.after(() => house.close())
    const clean = async (name: string): Promise<void> => {
      await house.deleteManifest(name, digests.get(name) ?? '', Date.now())
      await house.collect()
    }
    const push = async (name: string, layer: Buffer, n: number): Promise<string | undefined> => {
      for (let turn = 0; turn < n; turn++) await new Promise((resolve) => setImmediate(resolve))
      const manifest = await pushImage({ host: registry.host, repository: name }, 'new', layer).catch(
        (error: unknown) => {
          assert.match(String(error), /MANIFEST_BLOB_UNKNOWN/)
          return undefined
        },
      )
      return manifest && name
    }
    const pushed = await Promise.all(
      [...layers].map(async ([name, layer], n) => {
        const [, done] = await Promise.all([clean(name), push(name, layer, n * 3)])
        return done
      }),
    )
    for (const name of pushed) if (name !== undefined) await assertWhole(registry.host, name, 'new')
  },
)

test('a full disk is freed', async (t) => {
  const folder = mkdtempSync(join(root, 'f'))
  if (process.getuid?.() !== 0) return t.skip('needs root to mount a small disk')
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', folder], { encoding: 'utf8' })
  if (mounted.status !== 0) return t.skip(`no small disk here: ${mounted.stderr}`)
  t.after(() => spawnSync('umount', [folder]))
  const data = join(folder, 'r')
  const first = await serveRegistryd({ root: data, port: 0 })
  const one = await pushImage({ host: first.host, repository: 'web' }, '1', randomBytes(2 << 20))
  await pushImage({ host: first.host, repository: 'web' }, '2', layerB)
  await first.close()
  age(data)
  const registry = await serveRegistryd({ root: data, port: 0 })
  const house = openHousekeeping(registry.host)
  try {
    const filler = openSync(join(folder, 'filler'), 'w')
    assert.throws(() => {
      for (;;) writeSync(filler, Buffer.alloc(4096))
    }, /ENOSPC/)
    closeSync(filler)
    assert.equal(await house.deleteManifest('web', one, Date.now()), true)
    await house.collect()
    assert.ok(statfsSync(folder).bfree * statfsSync(folder).bsize >= 2 << 20)
    await assertWhole(registry.host, 'web', '2')
  } finally {
    house.close()
    await registry.close()
  }
})

test('kill -9 while it is collected loses nothing that is kept', { timeout: LONG_MS }, async () => {
  const folder = mkdtempSync(join(root, 'k'))
  const program = await bundle(folder)
  const data = join(folder, 'data')
  const kept = new Map<string, string>()
  let collected = 0
  for (let round = 0; round < 6; round++) {
    const { child, host } = await start(program, data)
    const ended = once(child, 'exit')
    const house = openHousekeeping(host)
    for (const [tag, digest] of kept) assert.equal(await assertWhole(host, 'web', tag), digest)
    let collectedNow = 0
    const old = [...kept].slice(0, Math.floor(kept.size / 2))
    const work = [
      (async () => {
        for (const [tag, digest] of old) {
          kept.delete(tag) // asked for: it may be there or not
          if (await house.deleteManifest('web', digest, Date.now())) collectedNow++
          const isTime = round > 0 && collectedNow === round
          if (isTime) setTimeout(() => child.kill('SIGKILL'), 10 * round)
          await house.collect()
        }
      })(),
      (async () => {
        for (let n = 0; n < 12; n++) {
          const tag = `r${round}-${n}`
          kept.set(tag, await pushImage({ host, repository: 'web' }, tag, shared[n % 3] ?? layerA, randomBytes(9000)))
        }
      })(),
    ]
    await Promise.allSettled(work)
    child.kill('SIGKILL')
    await ended
    house.close()
    age(data)
    collected += collectedNow
  }
  assert.ok(collected > 5, `only ${collected} manifests were collected`)
  const { child, host } = await start(program, data)
  for (const [tag, digest] of kept) assert.equal(await assertWhole(host, 'web', tag), digest)
  child.kill('SIGKILL')
})

const shared = [layerB, layerC, layerD]

/** Pulls every part of an image; answers its digest. */
async function assertWhole(host: string, repository: string, tag: string): Promise<string> {
  const reference = parseReference(`${host}/${repository}:${tag}`)
  assert.ok(reference)
  const store = openContentStore(mkdtempSync(join(root, 'p')))
  return (await pullImage(client, reference, store, { platform: { os: 'linux', architecture: 'amd64' } })).digest
}

async function bundle(folder: string): Promise<string> {
  const outfile = join(folder, 'registryd.mjs')
  const contents = `import { serveRegistryd } from './src/embedded/registryd/serve.ts'
    const { host } = await serveRegistryd({ root: process.argv[2], port: 0 })
    console.log(host)`
  const stdin = { contents, resolveDir: process.cwd(), loader: 'ts' } as const
  await build({ stdin, bundle: true, platform: 'node', format: 'esm', outfile })
  return outfile
}

async function start(program: string, data: string): Promise<{ child: ChildProcess; host: string }> {
  const child = spawn(process.execPath, [program, data], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [text] = (await once(child.stdout, 'data')) as [Buffer]
  return { child, host: text.toString().trim() }
}
