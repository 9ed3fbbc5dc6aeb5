import assert from 'node:assert/strict'
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { after, test, type TestContext } from 'node:test'
import { build } from 'esbuild'
import { createRegistryClient } from '../../src/adapters/registry/client.ts'
import { openContentStore } from '../../src/adapters/registry/content-store.ts'
import { pullImage } from '../../src/adapters/registry/pull.ts'
import { type Registryd, serveRegistryd } from '../../src/embedded/registryd/serve.ts'
import type { RegistryPush } from '../../src/embedded/registryd/registry.ts'
import { SluiceError } from '../../src/lib/error/sluice-error.ts'
import { digestOf } from '../../src/lib/oci/digest.ts'
import { MEDIA } from '../../src/lib/oci/media-types.ts'
import { parseReference, type Repository } from '../../src/lib/oci/reference.ts'
import { LONG_MS } from '../support/wait.ts'

const root = mkdtempSync(join(tmpdir(), 'sluice-registryd-'))
after(() => rmSync(root, { recursive: true, force: true }))
const client = createRegistryClient()
after(() => client.close())

async function withRegistry(
  t: TestContext,
  work: (o: { registry: Registryd; of: Repository; events: RegistryPush[]; folder: string }) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(root, 'r'))
  const events: RegistryPush[] = []
  const registry = await serveRegistryd({ root: folder, port: 0, onPush: (event) => events.push(event) })
  t.after(() => registry.close())
  await work({ registry, of: { host: registry.host, repository: 'team/web' }, events, folder })
}

async function pushBytes(of: Repository, bytes: Buffer): Promise<{ digest: string; size: number }> {
  const digest = digestOf(bytes)
  await client.pushBlob(of, { digest, sizeBytes: bytes.length, open: () => Readable.from([bytes]) })
  return { digest, size: bytes.length }
}

async function pushSmallImage(of: Repository, tag: string, layer = Buffer.from('layer')): Promise<string> {
  const config = Buffer.from(
    JSON.stringify({ architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [digestOf(layer)] } }),
  )
  const manifest = {
    schemaVersion: 2,
    mediaType: MEDIA.manifest,
    config: { mediaType: MEDIA.config, ...(await pushBytes(of, config)) },
    layers: [{ mediaType: MEDIA.layer, ...(await pushBytes(of, layer)) }],
    annotations: { tag },
  }
  const bytes = Buffer.from(JSON.stringify(manifest))
  return client.putManifest(of, tag, { bytes, mediaType: MEDIA.manifest })
}

test('what was pushed is listed, found by tag and digest, and pulled', (t) =>
  withRegistry(t, async ({ of, events, folder }) => {
    const digest = await pushSmallImage(of, '1.0.0')
    assert.deepEqual(await client.listTags(of), ['1.0.0'])
    assert.equal((await client.headManifest(of, '1.0.0'))?.digest, digest)
    assert.equal((await client.getManifest(of, digest))?.mediaType, MEDIA.manifest)
    assert.deepEqual(events, [{ repository: 'team/web', tag: '1.0.0', digest, mediaType: MEDIA.manifest }])
    const reference = parseReference(`${of.host}/team/web:1.0.0`)
    assert.ok(reference)
    const store = openContentStore(join(folder, 'pulled'))
    const pulled = await pullImage(client, reference, store, { platform: { os: 'linux', architecture: 'amd64' } })
    assert.equal((await store.read(pulled.layers[0]?.digest ?? ''))?.toString(), 'layer')
  }))

test('a blob goes up in chunks, is mounted elsewhere, and is not sent twice', (t) =>
  withRegistry(t, async ({ of }) => {
    const bytes = randomBytes(300_000)
    const source = {
      digest: digestOf(bytes),
      sizeBytes: bytes.length,
      open: () => Readable.from([bytes]),
      openRange: (from: number, to: number) => Readable.from([bytes.subarray(from, to)]),
      chunkBytes: 100_001,
    }
    assert.equal(await client.pushBlob(of, source), 'pushed')
    assert.equal(await client.pushBlob(of, source), 'present')
    const other = { ...of, repository: 'other' }
    assert.equal(await client.pushBlob(other, { ...source, mountFrom: of.repository }), 'mounted')
    const mounted = await client.openBlob(other, source.digest)
    assert.equal(mounted?.headers['content-length'], String(bytes.length))
    mounted?.resume()
  }))

test('tags are sorted and paged', (t) =>
  withRegistry(t, async ({ registry, of }) => {
    await pushSmallImage(of, 'b')
    const manifest = await client.getManifest(of, 'b')
    assert.ok(manifest)
    for (const tag of ['10', '9', 'a', 'B']) await client.putManifest(of, tag, manifest)
    assert.deepEqual(await client.listTags(of), ['10', '9', 'B', 'a', 'b'])
    const page = await fetchPlain(`${registry.url}/v2/team/web/tags/list?n=2&last=9`)
    assert.deepEqual(JSON.parse(page.body), { name: 'team/web', tags: ['B', 'a'] })
    assert.match(page.link ?? '', /<\/v2\/team\/web\/tags\/list\?n=2&last=a>; rel="next"/)
  }))

test('a deleted tag leaves the manifest, a deleted manifest takes its tags and the files', (t) =>
  withRegistry(t, async ({ registry, of, events, folder }) => {
    const drop = (version: string): Promise<Plain> =>
      fetchPlain(`${registry.url}/v2/team/web/manifests/${version}`, {}, 'DELETE')
    const digest = await pushSmallImage(of, 'one')
    const manifest = await client.getManifest(of, 'one')
    assert.ok(manifest)
    await client.putManifest(of, 'two', manifest)
    assert.equal((await drop('one')).status, 202)
    assert.deepEqual(await client.listTags(of), ['two'])
    assert.equal((await drop(digest)).status, 202)
    assert.deepEqual(await client.listTags(of), [])
    assert.equal(await client.getManifest(of, digest), undefined)
    assert.equal(existsSync(join(folder, 'blobs', 'sha256', digest.slice(7))), false)
    assert.deepEqual(
      events.filter(({ deleted }) => deleted).map(({ tag }) => tag),
      ['one', 'two'],
    )
  }))

test('a blob whose digest lies is refused and nothing of it stays', (t) =>
  withRegistry(t, async ({ of, folder }) => {
    const lie = { digest: digestOf('truth'), sizeBytes: 3, open: () => Readable.from([Buffer.from('lie')]) }
    await assert.rejects(client.pushBlob(of, lie), /400, DIGEST_INVALID/)
    assert.equal(await client.openBlob(of, lie.digest), undefined)
    assert.deepEqual(readdirSync(join(folder, 'uploads')), [])
  }))

test('a manifest that points to what is not there, or lies about a size, is refused', (t) =>
  withRegistry(t, async ({ of }) => {
    const config = { mediaType: MEDIA.config, ...(await pushBytes(of, Buffer.from('{}'))) }
    const manifest = (layers: unknown[], own = config): { bytes: Buffer; mediaType: string } => ({
      bytes: Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MEDIA.manifest, config: own, layers })),
      mediaType: MEDIA.manifest,
    })
    const gone = { mediaType: MEDIA.layer, digest: digestOf('gone'), size: 4 }
    await assert.rejects(client.putManifest(of, 'x', manifest([gone])), /MANIFEST_BLOB_UNKNOWN/)
    await assert.rejects(client.putManifest(of, 'x', manifest([], { ...config, size: 3 })), /SIZE_INVALID/)
    await assert.rejects(client.putManifest(of, '../x', manifest([])), /40[04]/)
    assert.deepEqual(await client.listTags(of), [])
  }))

test('blobs on disk that lie are found when they are pulled', (t) =>
  withRegistry(t, async ({ of, folder }) => {
    await pushSmallImage(of, '1', Buffer.from('true content'))
    writeFileSync(join(folder, 'blobs', 'sha256', digestOf('true content').slice(7)), 'fake content')
    const reference = parseReference(`${of.host}/team/web:1`)
    assert.ok(reference)
    const store = openContentStore(join(folder, 'pulled'))
    await assert.rejects(
      pullImage(client, reference, store, { platform: { os: 'linux', architecture: 'amd64' } }),
      (error) => error instanceof SluiceError && error.code === 'DIGEST_MISMATCH',
    )
    assert.equal(await store.sizeOf(digestOf('true content')), undefined)
  }))

test('web pages, and strangers on an open address, are turned away', async (t) => {
  const folder = mkdtempSync(join(root, 'r'))
  const registry = await serveRegistryd({ root: folder, port: 0, token: 'secret' })
  t.after(() => registry.close())
  assert.equal((await fetchPlain(`${registry.url}/v2/`)).status, 401)
  const basic = `Basic ${Buffer.from('any:secret').toString('base64')}`
  assert.equal((await fetchPlain(`${registry.url}/v2/`, { authorization: basic })).status, 200)
  assert.equal((await fetchPlain(`${registry.url}/v2/`, { authorization: basic, origin: 'http://evil' })).status, 403)
  const open = await serveRegistryd({ root: mkdtempSync(join(root, 'r')), port: 0 })
  t.after(() => open.close())
  assert.equal((await fetchPlain(`${open.url}/v2/_catalog`)).status, 200)
  assert.equal((await fetchPlain(`${open.url}/v2/_catalog`, { host: 'evil.example.com' })).status, 421)
  await assert.rejects(serveRegistryd({ root: folder, port: 0, host: '0.0.0.0' }), /open to everybody/)
  const taken = { root: folder, port: Number(registry.host.split(':')[1]) }
  const where = `127.0.0.1:${taken.port}`
  await assert.rejects(serveRegistryd(taken), (error) => {
    assert.ok(error instanceof SluiceError)
    assert.deepEqual([error.code, error.where], ['PORT_IN_USE', where])
    assert.match(error.hint ?? '', /another port/)
    return true
  })
})

test('kill -9 in the middle of pushes loses nothing that was acknowledged', { timeout: LONG_MS }, async () => {
  const folder = mkdtempSync(join(root, 'k'))
  const program = join(folder, 'registryd.mjs')
  await build({
    stdin: {
      contents: `import { serveRegistryd } from './src/embedded/registryd/serve.ts'
        const { host } = await serveRegistryd({ root: process.argv[2], port: 0 })
        console.log(host)`,
      resolveDir: process.cwd(),
      loader: 'ts',
    },
    bundle: true,
    platform: 'node',
    format: 'esm',
    outfile: program,
  })
  const acknowledged = new Map<string, string>()
  for (let round = 0; round < 5; round++) {
    const { child, host } = await start(program, join(folder, 'data'))
    const of = { host, repository: 'team/web' }
    for (const [tag, digest] of acknowledged) assert.equal((await client.headManifest(of, tag))?.digest, digest)
    let stop: NodeJS.Timeout | undefined
    const push = async (worker: number): Promise<void> => {
      for (let n = 0; ; n++) {
        const tag = `r${round}-${worker}-${n}`
        acknowledged.set(tag, await pushSmallImage(of, tag, randomBytes(50_000)))
        if (n > 0) stop ??= setTimeout(() => child.kill('SIGKILL'), round * 37)
      }
    }
    const ended = once(child, 'exit')
    await Promise.allSettled([push(0), push(1), push(2)])
    clearTimeout(stop)
    child.kill('SIGKILL')
    await ended
  }
  assert.ok(acknowledged.size > 5, `only ${acknowledged.size} pushes were acknowledged`)
  const { child, host } = await start(program, join(folder, 'data'))
  const store = openContentStore(join(folder, 'pulled'))
  for (const [tag, digest] of acknowledged) {
    const reference = parseReference(`${host}/team/web:${tag}`)
    assert.ok(reference)
    const pulled = await pullImage(client, reference, store, { platform: { os: 'linux', architecture: 'amd64' } })
    assert.equal(pulled.digest, digest)
  }
  child.kill('SIGKILL')
})

test('an upload goes on after a restart', async (t) => {
  const folder = mkdtempSync(join(root, 'u'))
  const first = await serveRegistryd({ root: folder, port: 0 })
  const begun = await fetchPlain(`${first.url}/v2/a/blobs/uploads/`, {}, 'POST')
  assert.equal((await fetchPlain(first.url + begun.location, {}, 'PATCH', 'hello ')).status, 202)
  await first.close()
  const second = await serveRegistryd({ root: folder, port: 0 })
  t.after(() => second.close())
  assert.equal((await fetchPlain(second.url + begun.location)).range, '0-5')
  const put = `${second.url}${begun.location}?digest=${digestOf('hello world')}`
  assert.equal((await fetchPlain(put, {}, 'PUT', 'world')).status, 201)
})

test('a full disk is said, and what was there stays', async (t) => {
  const folder = mkdtempSync(join(root, 'f'))
  if (process.getuid?.() !== 0) return t.skip('needs root to mount a small disk')
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', folder], { encoding: 'utf8' })
  if (mounted.status !== 0) return t.skip(`no small disk here: ${mounted.stderr}`)
  const registry = await serveRegistryd({ root: join(folder, 'r'), port: 0 })
  try {
    const of = { host: registry.host, repository: 'team/web' }
    const digest = await pushSmallImage(of, 'small')
    await assert.rejects(pushBytes(of, randomBytes(8 << 20)), /507, DENIED: the disk of the registry is full/)
    assert.equal((await client.headManifest(of, 'small'))?.digest, digest)
    await pushSmallImage(of, 'after', randomBytes(1000))
    assert.deepEqual(await client.listTags(of), ['after', 'small'])
  } finally {
    await registry.close()
    spawnSync('umount', [folder])
  }
})

test('skopeo copies in and out', { timeout: LONG_MS }, async (t) => {
  if (spawnSync('skopeo', ['--version']).error) return t.skip('skopeo is not installed')
  await withRegistry(t, async ({ registry, of, folder }) => {
    await pushSmallImage(of, '1')
    const policy = join(folder, 'policy.json')
    writeFileSync(policy, '{"default":[{"type":"insecureAcceptAnything"}]}')
    const copied = await run('skopeo', [
      ...['--policy', policy, 'copy', '--src-tls-verify=false', '--dest-tls-verify=false'],
      ...[`docker://${registry.host}/team/web:1`, `docker://${registry.host}/copy:2`],
    ])
    assert.equal(copied.code, 0, copied.text)
    assert.deepEqual(await client.listTags({ ...of, repository: 'copy' }), ['2'])
  })
})

async function start(program: string, data: string): Promise<{ child: ChildProcess; host: string }> {
  const child = spawn(process.execPath, [program, data], { stdio: ['ignore', 'pipe', 'inherit'] })
  const host = await new Promise<string>((resolve, reject) => {
    child.stdout.once('data', (text: Buffer) => resolve(text.toString().trim()))
    child.once('exit', () => reject(new Error('the registry ended')))
  })
  return { child, host }
}

function run(command: string, args: readonly string[]): Promise<{ code: number | null; text: string }> {
  return new Promise((resolve) => {
    const child = spawn(command, args)
    let text = ''
    child.stderr.on('data', (part: Buffer) => (text += part.toString()))
    child.on('close', (code) => resolve({ code, text }))
  })
}

type Plain = { status: number; body: string; link?: string; location?: string; range?: string }

function fetchPlain(url: string, headers: Record<string, string> = {}, method = 'GET', body = ''): Promise<Plain> {
  return new Promise((resolve, reject) => {
    const call = httpRequest(url, {
      method,
      headers: { ...headers, 'content-length': Buffer.byteLength(body) },
      agent: false,
    })
    call.on('error', reject)
    call.on('response', (answer) => {
      let text = ''
      answer.setEncoding('utf8').on('data', (part: string) => (text += part))
      answer.on('end', () => {
        const { link, location, range } = answer.headers as Record<string, string | undefined>
        const known = Object.fromEntries(Object.entries({ link, location, range }).filter(([, value]) => value))
        resolve({ status: answer.statusCode ?? 0, body: text, ...known })
      })
    })
    call.end(body)
  })
}
