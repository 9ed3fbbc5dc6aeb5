import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { createRegistryClient } from '../../src/adapters/registry/client.ts'
import { makeNodeBaseImage } from '../../src/agents/builder/base-image.ts'
import type { BuildOptions } from '../../src/agents/builder/build-state.ts'
import { buildImage, type BuildResult } from '../../src/agents/builder/build.ts'
import { inspectImage, listImages, pullImage, pushImage, tagImage } from '../../src/agents/builder/images.ts'
import { readTreeFile } from '../../src/agents/builder/owner.ts'
import { type ImageStore, openImageStore, referenceFrom, setTag } from '../../src/agents/builder/store.ts'
import { readTree, type Tree } from '../../src/agents/builder/tree.ts'
import { unpackTree } from '../../src/agents/builder/unpack.ts'
import { openCgroups, processesByNamespace } from '../../src/agents/node/linux/cgroup.ts'
import { serveRegistryd } from '../../src/embedded/registryd/serve.ts'
import { SluiceError } from '../../src/lib/error/sluice-error.ts'
import { digestOf } from '../../src/lib/oci/digest.ts'
import { MEDIA } from '../../src/lib/oci/media-types.ts'
import { packTar, type TarInput } from '../../src/lib/tar/write.ts'
import { LONG_MS } from '../support/wait.ts'

const root = mkdtempSync(join(tmpdir(), 'sluice-builder-'))
after(() => rmSync(root, { recursive: true, force: true }))

type Files = Readonly<Record<string, string>>

function context(files: Files): string {
  const dir = mkdtempSync(join(root, 'ctx'))
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true })
    writeFileSync(join(dir, path), text)
  }
  return dir
}

function newStore(): ImageStore {
  return openImageStore(mkdtempSync(join(root, 'store')))
}

type Built = BuildResult & { readonly store: ImageStore; readonly tree: Tree; readonly log: readonly string[] }

async function build(files: Files, o: Partial<BuildOptions> = {}): Promise<Built> {
  const store = o.store ?? newStore()
  const log: string[] = []
  const result = await buildImage({ contextDir: context(files), log: (line) => log.push(line), ...o, store })
  const { config, manifest } = await inspectImage(store, result.imageId)
  const layers = manifest.layers.map((descriptor, index) => ({
    descriptor,
    diffId: config.rootfs.diff_ids[index] ?? '',
  }))
  return { ...result, store, tree: await readTree(store, layers), log }
}

async function show({ store, tree }: Built): Promise<Record<string, string>> {
  const shown: Record<string, string> = {}
  for (const [path, node] of tree) {
    if (path === '') continue
    const text = node.type === 'file' ? ` ${(await readTreeFile(store, tree, path))?.toString()}` : ''
    const link = node.type === 'symlink' ? ` -> ${node.linkPath}` : ''
    shown[path] = `${node.type} ${node.mode.toString(8)} ${node.uid}:${node.gid}${text}${link}`
  }
  return shown
}

const copies: { it: string; files: Files; lines: string; want: Record<string, string> }[] = [
  {
    it: 'a file to a name',
    files: { a: 'A' },
    lines: 'COPY a /x/y',
    want: { x: 'directory 755 0:0', 'x/y': 'file 644 0:0 A' },
  },
  {
    it: 'a file into the folder of WORKDIR',
    files: { a: 'A' },
    lines: 'WORKDIR /app\nCOPY a ./',
    want: { app: 'directory 755 0:0', 'app/a': 'file 644 0:0 A' },
  },
  {
    it: 'the content of a folder',
    files: { 'd/a': 'A', 'd/e/b': 'B' },
    lines: 'COPY d /out',
    want: {
      out: 'directory 755 0:0',
      'out/a': 'file 644 0:0 A',
      'out/e': 'directory 755 0:0',
      'out/e/b': 'file 644 0:0 B',
    },
  },
  {
    it: 'what a pattern matches, without what is ignored',
    files: { 'a.js': '1', 'b.js': '2', 'c.ts': '3', 'a.test.js': '4', '.dockerignore': '*.test.js\n' },
    lines: 'COPY *.js /',
    want: { 'a.js': 'file 644 0:0 1', 'b.js': 'file 644 0:0 2' },
  },
  {
    it: 'owner and mode',
    files: { a: 'A' },
    lines: 'COPY --chown=10:20 --chmod=700 a /x/',
    want: { x: 'directory 755 10:20', 'x/a': 'file 700 10:20 A' },
  },
  {
    it: 'from a stage, and expands variables',
    files: { a: 'A' },
    lines: 'COPY a /from/a\nFROM scratch\nARG NAME=q\nENV PLACE=/${NAME:-x}\nCOPY --from=0 /from/ ${PLACE}/',
    want: { q: 'directory 755 0:0', 'q/a': 'file 644 0:0 A' },
  },
  {
    it: 'a here document',
    files: { a: 'A' },
    lines: 'ARG X=1\nCOPY <<EOF /etc/conf\nx=$X\nEOF',
    want: { etc: 'directory 755 0:0', 'etc/conf': 'file 644 0:0 x=1\n' },
  },
]
for (const { it, files, lines, want } of copies)
  test(`COPY brings ${it}`, async () =>
    assert.deepEqual(await show(await build({ ...files, Dockerfile: `FROM scratch\n${lines}\n` })), want))

test('the configuration holds what the instructions say', async () => {
  const { store, imageId } = await build(
    {
      Dockerfile: `ARG BASE=scratch
FROM $BASE
ARG VERSION=dev
LABEL b="two words" a=1
ENV A=1 B="x $VERSION"
ENV OLD form value
USER 1000
EXPOSE 8080 53/udp
VOLUME ["/data", "/$VERSION"]
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --retries=3 CMD wget -q localhost
ENTRYPOINT ["node", "server.mjs"]
CMD --flag`,
    },
    { buildArgs: { VERSION: '1.2.3', UNUSED: '1' }, labels: { c: '3' } },
  )
  const { config } = await inspectImage(store, imageId)
  assert.deepEqual(config.config, {
    Labels: { a: '1', b: 'two words', c: '3' },
    Env: ['A=1', 'B=x 1.2.3', 'OLD=form value'],
    User: '1000',
    ExposedPorts: { '53/udp': {}, '8080/tcp': {} },
    Volumes: { '/1.2.3': {}, '/data': {} },
    StopSignal: 'SIGTERM',
    Healthcheck: { Test: ['CMD-SHELL', 'wget -q localhost'], Interval: 5e9, Retries: 3 },
    Entrypoint: ['node', 'server.mjs'],
    Cmd: ['/bin/sh', '-c', '--flag'],
  })
  assert.equal(config.created, '1970-01-01T00:00:00Z')
})

test('the same files give the same image in another store, whatever their times', async () => {
  const files = { a: 'A', 'd/b': 'B', Dockerfile: 'FROM scratch\nCOPY . /app/\n' }
  const first = await build(files)
  const dir = context(files)
  utimesSync(join(dir, 'a'), 1, 1)
  const second = await build(files, { contextDir: dir })
  assert.equal(second.manifestDigest, first.manifestDigest)
})

test('nothing changed takes every layer from the cache, a changed file makes one', async () => {
  const store = newStore()
  const contextDir = context({ a: 'A', b: 'B', Dockerfile: 'FROM scratch\nCOPY a /a\nCOPY b /b\n' })
  const first = await build({}, { store, contextDir })
  const again = await build({}, { store, contextDir })
  assert.deepEqual([first.cached, again.cached], [false, true])
  assert.equal(again.manifestDigest, first.manifestDigest)
  writeFileSync(join(contextDir, 'b'), 'changed')
  const changed = await build({}, { store, contextDir })
  assert.equal(changed.cached, false)
  assert.equal((await show(changed))['b'], 'file 644 0:0 changed')
  assert.equal((await show(changed))['a'], 'file 644 0:0 A')
})

test('only the stages that the target needs are built', async () => {
  const { log } = await build(
    { a: 'A', Dockerfile: 'FROM scratch AS one\nCOPY a /a\nFROM one AS two\nUSER 1\nFROM nowhere/none AS three\n' },
    { target: 'two' },
  )
  assert.deepEqual(log, ['[one 1/1] COPY a /a', '[two 1/1] USER 1'])
})

test('ADD of a small archive of much holds none of it in memory, and leaves nothing behind', async () => {
  const dir = context({ Dockerfile: 'FROM scratch\nADD a.tgz /x/\n' })
  const content = Buffer.alloc(64 << 20)
  writeFileSync(
    join(dir, 'a.tgz'),
    gzipSync(packTar([1, 2, 3].map((each) => ({ path: `${each}`, type: 'file', content })))),
  )
  let most = 0
  const before = process.memoryUsage().arrayBuffers
  const timer = setInterval(() => (most = Math.max(most, process.memoryUsage().arrayBuffers - before)), 5)
  const { tree, store } = await build({}, { contextDir: dir })
  clearInterval(timer)
  assert.equal(tree.get('x/3')?.sizeBytes, content.length)
  assert.ok(most < 64 << 20, `${most >> 20} MiB`)
  assert.deepEqual(readdirSync(join(store.root, 'tmp')), [])
})

const texts = ['Dockerfile', '.dockerignore'] as const
for (const name of texts)
  for (const it of ['a pipe', 'an endless device', 'too large'] as const)
    test(`${name}: ${it} is refused at once`, async () => {
      const dir = context({ ...(name === 'Dockerfile' ? {} : { Dockerfile: 'FROM scratch\n' }) })
      const path = join(dir, name)
      if (it === 'a pipe') assert.equal(spawnSync('mkfifo', [path]).status, 0)
      else if (it === 'an endless device') symlinkSync('/dev/zero', path)
      else writeFileSync(path, '#'.repeat((1 << 20) + 1))
      await assert.rejects(build({}, { contextDir: dir }), { code: 'BUILD_CONTEXT' })
    })

test('ADD unpacks a local archive', async () => {
  const dir = context({ Dockerfile: 'FROM scratch\nADD a.tgz /x/\n' })
  writeFileSync(
    join(dir, 'a.tgz'),
    gzipSync(packTar([{ path: 'd/f', type: 'file', content: Buffer.from('F'), uid: 7 }])),
  )
  assert.deepEqual(await show(await build({}, { contextDir: dir })), {
    x: 'directory 755 0:0',
    'x/d': 'directory 755 0:0',
    'x/d/f': 'file 644 7:0 F',
  })
})

const refused: { it: string; lines: string; code: string; where?: string; want: RegExp }[] = [
  {
    it: 'a missing file',
    lines: 'COPY nope /',
    code: 'BUILD_CONTEXT',
    where: 'Dockerfile:2',
    want: /"nope" is not in/,
  },
  { it: 'a path that climbs', lines: 'COPY ../x /', code: 'BUILD_CONTEXT', want: /leads out of the build context/ },
  { it: 'a link that leads out', lines: 'COPY out /', code: 'BUILD_CONTEXT', want: /leads out of the build context/ },
  { it: 'a file through such a link', lines: 'COPY outdir/passwd /', code: 'BUILD_CONTEXT', want: /leads out of/ },
  {
    it: 'a URL',
    lines: 'ADD https://x.y/z /',
    code: 'DOCKERFILE_UNSUPPORTED',
    where: 'Dockerfile:2',
    want: /ADD of https/,
  },
  { it: 'a cache mount', lines: 'RUN --mount=type=cache,target=/x y', code: 'DOCKERFILE_UNSUPPORTED', want: /--mount/ },
  { it: 'a shell that is not there', lines: 'RUN echo', code: 'BUILD_RUN', want: /no \/bin\/sh/ },
  { it: 'two sources to a file', lines: 'COPY a b /x', code: 'DOCKERFILE_SYNTAX', want: /must be a folder/ },
  { it: 'an unknown user', lines: 'COPY --chown=bob a /', code: 'BUILD_CONTEXT', want: /no user "bob"/ },
  { it: 'an unset variable', lines: 'ENV A=${B:?is needed}', code: 'DOCKERFILE_SYNTAX', want: /B: is needed/ },
  { it: 'an archive that escapes', lines: 'ADD evil.tar /x/', code: 'TAR_INVALID', want: /leaves its folder/ },
  {
    it: 'an archive that writes through a link',
    lines: 'ADD link.tar /x/',
    code: 'TAR_INVALID',
    want: /through "x\/l"/,
  },
  {
    it: 'a base that is not there',
    lines: 'FROM some/base',
    code: 'IMAGE_MISSING',
    where: 'Dockerfile:2',
    want: /some\/base/,
  },
]
for (const { it, lines, code, where, want } of refused)
  test(`${it} is refused by name`, async () => {
    const dir = context({ a: 'A', b: 'B', Dockerfile: `FROM scratch\n${lines}\n` })
    symlinkSync('/etc/passwd', join(dir, 'out'))
    symlinkSync('/etc', join(dir, 'outdir'))
    writeFileSync(join(dir, 'evil.tar'), packTar([{ path: '../../evil', type: 'file', content: Buffer.from('x') }]))
    const through: TarInput[] = [
      { path: 'l', type: 'symlink', linkPath: '/etc' },
      { path: 'l/evil', type: 'file' },
    ]
    writeFileSync(join(dir, 'link.tar'), packTar(through))
    await assert.rejects(build({}, { contextDir: dir }), (error) => {
      assert.ok(error instanceof SluiceError, String(error))
      assert.equal(error.code, code, error.message)
      assert.match(error.message, want)
      if (where) assert.equal(error.where, where)
      return true
    })
  })

async function withRegistry(work: (host: string) => Promise<void>): Promise<void> {
  const registry = await serveRegistryd({ root: mkdtempSync(join(root, 'reg')), port: 0 })
  try {
    await work(registry.host)
  } finally {
    await registry.close()
  }
}

test('build, tag, push, pull and build on what was pushed', () =>
  withRegistry(async (host) => {
    const client = createRegistryClient({ aliases: { 'registry.sluice.local': host } })
    const built = await build({ a: 'A', Dockerfile: 'FROM scratch\nCOPY a /a\n' }, { tags: ['web:abc'] })
    await tagImage(built.store, 'web:abc', 'registry.sluice.local/web:1')
    const { digest } = await pushImage(built.store, 'registry.sluice.local/web:1', client)
    assert.equal(digest, built.manifestDigest)
    assert.deepEqual(
      (await listImages(built.store)).map(({ name }) => name),
      ['docker.io/library/web:abc', 'registry.sluice.local/web:1'],
    )
    const other = newStore()
    const files = { b: 'B', Dockerfile: 'FROM registry.sluice.local/web:1\nCOPY b /b\n' }
    const next = await build(files, { store: other, registry: client })
    assert.deepEqual(await show(next), { a: 'file 644 0:0 A', b: 'file 644 0:0 B' })
    assert.equal((await pullImage(other, 'registry.sluice.local/web:1', client)).digest, digest)
    await assert.rejects(pullImage(other, 'registry.sluice.local/nope:1', client), /not in the registry/)
    client.close()
  }))

test('gzip layers with whiteouts are read, layers that lie or escape are refused', () =>
  withRegistry(async (host) => {
    const client = createRegistryClient({ aliases: { 'registry.sluice.local': host } })
    const store = newStore()
    const layers: (readonly TarInput[])[] = [
      [
        { path: 'd/a', type: 'file' },
        { path: 'd/b', type: 'file' },
        { path: 'e/c', type: 'file' },
      ],
      [
        { path: 'd/.wh.a', type: 'file' },
        { path: 'e/.wh..wh..opq', type: 'file' },
        { path: 'e/n', type: 'file' },
      ],
    ]
    await putImage(store, 'registry.sluice.local/gz:1', layers)
    const good = await build(
      { Dockerfile: 'FROM registry.sluice.local/gz:1\nCOPY --from=registry.sluice.local/gz:1 /d /x' },
      { store },
    )
    assert.deepEqual(Object.keys(await show(good)).sort(), ['d', 'd/b', 'e', 'e/n', 'x', 'x/b'])
    await putImage(store, 'registry.sluice.local/evil:1', [[{ path: '../evil', type: 'file' }]])
    const onEvil = { x: 'X', Dockerfile: 'FROM registry.sluice.local/evil:1\nCOPY x /\n' }
    await assert.rejects(build(onEvil, { store }), /leaves the image/)
    await putImage(store, 'registry.sluice.local/lie:1', [[{ path: 'a', type: 'file' }]], digestOf('something else'))
    const onLie = { x: 'X', Dockerfile: 'FROM registry.sluice.local/lie:1\nCOPY x /\n' }
    await assert.rejects(
      build(onLie, { store }),
      (error) => error instanceof SluiceError && error.code === 'DIGEST_MISMATCH',
    )
    client.close()
  }))

async function putImage(
  store: ImageStore,
  name: string,
  layers: readonly (readonly TarInput[])[],
  lie?: string,
): Promise<void> {
  const tars = layers.map((entries) => packTar(entries))
  const descriptors = await Promise.all(
    tars.map(async (tar) => {
      const packed = gzipSync(tar)
      return { mediaType: MEDIA.layerGzip, digest: await store.content.write(packed), size: packed.length }
    }),
  )
  const diffIds = tars.map((tar) => lie ?? digestOf(tar))
  const config = Buffer.from(
    JSON.stringify({ architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: diffIds } }),
  )
  const manifest = {
    schemaVersion: 2,
    mediaType: MEDIA.manifest,
    config: { mediaType: MEDIA.config, digest: await store.content.write(config), size: config.length },
    layers: descriptors,
  }
  await setTag(store, referenceFrom(name), await store.content.write(Buffer.from(JSON.stringify(manifest))))
}

test(
  'the base image of the machine runs its Node, is made once, and RUN works on it',
  { timeout: LONG_MS },
  async (t) => {
    if (process.platform !== 'linux') return t.skip('needs Linux')
    const store = newStore()
    const made = await makeNodeBaseImage(store)
    assert.equal(made.cached, false)
    assert.equal((await makeNodeBaseImage(store)).cached, true)
    const script =
      "const fs=require('fs');fs.writeFileSync('made','M');fs.rmSync('old');fs.rmSync('d',{recursive:true});fs.mkdirSync('d')"
    const files = {
      old: 'O',
      'd/x': 'X',
      Dockerfile: `FROM ${made.name}\nWORKDIR /app\nCOPY old ./\nCOPY d d/\nRUN ["node","-e",${JSON.stringify(script)}]\nRUN read -r x < made || printf '%s' "$x" > shell\n`,
    }
    const built = await build(files, { store }).catch((error: unknown) => {
      if (error instanceof SluiceError && /cannot be isolated/.test(error.message)) return error.message
      throw error
    })
    if (typeof built === 'string') return t.skip(built)
    const app = Object.keys(await show(built)).filter((path) => path.startsWith('app'))
    assert.deepEqual(app.sort(), ['app', 'app/d', 'app/made', 'app/shell'])
    assert.equal((await readTreeFile(built.store, built.tree, 'app/shell'))?.toString(), 'M')
    const target = join(mkdtempSync(join(root, 'unpacked')), 'rootfs')
    await unpackTree(store, built.tree, target)
    if (process.getuid?.() !== 0) return
    const ran = spawnSync('chroot', [target, '/usr/local/bin/node', '-p', 'process.version'], { encoding: 'utf8' })
    assert.equal(ran.stdout.trim(), process.version, ran.stderr)
  },
)

test(
  'a RUN that forks without end stops at its limit, and goes first when memory is short',
  { timeout: LONG_MS },
  async (t) => {
    if (process.platform !== 'linux') return t.skip('needs Linux')
    if (processesByNamespace(openCgroups('builder')) === undefined && !openCgroups('builder').limitsProcesses)
      return t.skip('this machine lets us count no processes')
    const store = newStore()
    const { name } = await makeNodeBaseImage(store)
    const script = `const { spawn } = require('node:child_process')
const fail = (error) => { console.log('stopped at', count, error.code); process.exit(error.code === 'EAGAIN' ? 7 : 8) }
let count = 0
console.log('first to go', require('node:fs').readFileSync('/proc/self/oom_score_adj', 'utf8').trim())
process.on('uncaughtException', fail)
const more = () => { for (let turn = 0; turn < 50; turn++) { count++; spawn('/bin/sh', ['-c', 'read -r x'], { stdio: ['pipe', 'ignore', 'ignore'] }).on('error', fail) } ; setImmediate(more) }
more()`
    const files = { Dockerfile: `FROM ${name}\nRUN ["node","-e",${JSON.stringify(script)}]\n` }
    const log: string[] = []
    await assert.rejects(
      build(files, { store, log: (line) => log.push(line) }),
      /non-zero code: 7: stopped at \d+ EAGAIN|cannot be isolated/,
    )
    assert.ok(
      log.some((line) => line.includes('first to go 1000')),
      log.join('\n'),
    )
  },
)

test('a RUN that fails names its line and its code, and leaves nothing behind', { timeout: LONG_MS }, async (t) => {
  if (process.platform !== 'linux') return t.skip('needs Linux')
  const store = newStore()
  const { name } = await makeNodeBaseImage(store)
  const files = { Dockerfile: `FROM ${name}\nUSER 1000\nRUN echo before; exit 3\n` }
  await assert.rejects(build(files, { store }), (error) => {
    assert.ok(error instanceof SluiceError, String(error))
    assert.match(error.message, /non-zero code: 3|cannot be isolated/)
    assert.equal(error.where, 'Dockerfile:3')
    return true
  })
})
