import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { Bind } from '../../driver.ts'
import type { Container, Pod, PodSpec, Volume } from '../shapes.ts'
import { bindsOf, inMountOrder, makeVolumes, readVolumeFile, renewVolumes, type VolumeSources } from './volumes.ts'
import { subPathOf } from './sub-path.ts'

const MAP = { a: Buffer.from('1'), b: Buffer.from('2') }

function sourcesOf(volume: Volume, spec: Partial<PodSpec> = {}): VolumeSources {
  const container: Container = { name: 'web', image: 'web:1', resources: { limits: { cpu: '1500m' } } }
  const pod: Pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web-1', namespace: 'shop', labels: { app: 'web', note: 'a\u0001b' } },
    spec: { containers: [container], volumes: [volume], ...spec },
  }
  return {
    pod,
    ip: '10.42.0.7',
    hostIp: '10.42.0.1',
    configMap: (name) => (name === 'map' ? MAP : undefined),
    secret: (name) => (name === 'keys' ? MAP : undefined),
    token: () => 'the token',
    trustBundles: [],
    credential: () => ({ missing: 'credential bundle is not issued yet' }),
    claimed: new Map(),
  }
}

function folderOf(t: TestContext): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'sluice-volumes-')))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

const refusals: { it: string; volume: (folder: string) => Omit<Volume, 'name'>; want: string }[] = [
  {
    it: 'a ConfigMap that is not there',
    volume: () => ({ configMap: { name: 'no' } }),
    want: 'configmap "no" not found',
  },
  {
    it: 'a key that a ConfigMap does not have',
    volume: () => ({ configMap: { name: 'map', items: [{ key: 'c', path: 'c' }] } }),
    want: 'configmap references non-existent config key: c',
  },
  {
    it: 'a key that a Secret does not have',
    volume: () => ({ secret: { secretName: 'keys', items: [{ key: 'c', path: 'c' }] } }),
    want: 'references non-existent secret key: c',
  },
  {
    it: 'a file where a folder is asked for',
    volume: (folder) => ({ hostPath: { path: join(folder, 'file'), type: 'Directory' } }),
    want: 'hostPath type check failed: FOLDER/file is not a directory',
  },
  {
    it: 'a folder where a socket is asked for',
    volume: (folder) => ({ hostPath: { path: folder, type: 'Socket' } }),
    want: 'hostPath type check failed: FOLDER is not a socket file',
  },
  {
    it: 'a file that must be there and is not',
    volume: (folder) => ({ hostPath: { path: join(folder, 'no'), type: 'File' } }),
    want: 'hostPath type check failed: FOLDER/no is not a file',
  },
  {
    it: 'a folder where there can be none',
    volume: () => ({ hostPath: { path: '/proc/sluice/x', type: 'DirectoryOrCreate' } }),
    want: "hostPath cannot be made: ENOENT: no such file or directory, mkdir '/proc/sluice'",
  },
  {
    it: 'a file in a folder that is not there',
    volume: (folder) => ({ hostPath: { path: join(folder, 'no/file'), type: 'FileOrCreate' } }),
    want: "hostPath cannot be made: ENOENT: no such file or directory, open 'FOLDER/no/file'",
  },
]
for (const { it, volume, want } of refusals)
  test(`a volume refuses ${it}`, (t) => {
    const folder = folderOf(t)
    writeFileSync(join(folder, 'file'), '')
    assert.throws(() => makeVolumes(join(folder, 'volumes'), sourcesOf({ name: 'v', ...volume(folder) })), {
      message: `MountVolume.SetUp failed for volume "v" : ${want.replaceAll('FOLDER', folder)}`,
    })
  })

test('an emptyDir whose making failed is made whole the next time, and what is in it stays', (t) => {
  const folder = folderOf(t)
  const volume = { name: 'v', emptyDir: {} }
  // no group of any machine
  assert.throws(() => makeVolumes(folder, sourcesOf(volume, { securityContext: { fsGroup: 2 ** 40 } })))
  const path = makeVolumes(folder, sourcesOf(volume)).get('v') ?? ''
  assert.equal(statSync(path).mode & 0o7777, 0o777)
  writeFileSync(join(path, 'file'), '')
  makeVolumes(folder, sourcesOf(volume))
  assert.deepEqual(readdirSync(path), ['file'])
})

test('a token that cannot be had is told, and that of before stays', (t) => {
  const folder = folderOf(t)
  const volume = { name: 'v', projected: { sources: [{ serviceAccountToken: { path: 'token' } }] } }
  makeVolumes(folder, sourcesOf(volume))
  const faults = renewVolumes(folder, { ...sourcesOf(volume), token: () => undefined })
  assert.deepEqual(faults.map(String), [
    'SluiceError: MountVolume.SetUp failed for volume "v" : the API server gives no token for the service account of the pod',
  ])
  assert.equal(readFileSync(join(folder, 'v', 'token'), 'utf8'), 'the token')
})

test('what is optional may be missing, a key as well as the whole', (t) => {
  const items = [
    { key: 'a', path: 'deep/a', mode: 0o400 },
    { key: 'c', path: 'c' },
  ]
  for (const [name, want] of [
    ['map', '1'],
    ['no', undefined],
  ] as const) {
    const volumes = makeVolumes(folderOf(t), sourcesOf({ name: 'v', configMap: { name, optional: true, items } }))
    const file = join(volumes.get('v') ?? '', 'deep/a')
    if (want === undefined) assert.equal(statSync(file, { throwIfNoEntry: false }), undefined)
    else assert.equal(readFileSync(file, 'utf8'), want)
    if (want !== undefined) assert.equal(statSync(file).mode & 0o777, 0o400)
  }
})

test('fields are written as a kubelet writes them', (t) => {
  const items = [
    { path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } },
    { path: 'cpu', resourceFieldRef: { containerName: 'web', resource: 'limits.cpu', divisor: '1m' } },
    { path: 'whole', resourceFieldRef: { containerName: 'web', resource: 'limits.cpu' } },
    { path: 'none', resourceFieldRef: { containerName: 'web', resource: 'requests.memory' } },
  ]
  const folder = makeVolumes(folderOf(t), sourcesOf({ name: 'v', downwardAPI: { items } })).get('v') ?? ''
  const text = (name: string): string => readFileSync(join(folder, name), 'utf8')
  assert.deepEqual(['labels', 'cpu', 'whole', 'none'].map(text), ['app="web"\nnote="a\\x01b"', '1500', '2', '0'])
})

test('a token is read by the group of the volumes only, where there is one', (t) => {
  const volume = { name: 'v', projected: { sources: [{ serviceAccountToken: { path: 'token' } }] } }
  const modeOf = (spec: Partial<PodSpec>): number =>
    statSync(join(makeVolumes(folderOf(t), sourcesOf(volume, spec)).get('v') ?? '', 'token')).mode & 0o777
  assert.equal(modeOf({}), 0o644)
  assert.equal(modeOf({ securityContext: { fsGroup: process.getgid?.() ?? 0 } }), 0o640)
})

test('a path of variables needs all of them', async (t) => {
  const root = folderOf(t)
  mkdirSync(join(root, 'web'))
  const binds = (subPathExpr: string) => {
    const volumeMounts = [{ name: 'v', mountPath: '/data', subPathExpr }]
    const container = { name: 'web', image: 'web:1', volumeMounts }
    return bindsOf(container, new Map([['v', root]]), new Set(), new Map([['NAME', 'web']]))
  }
  assert.equal((await binds('$(NAME)'))[0]?.source, join(root, 'web'))
  await assert.rejects(binds('$(NAME)/$(B)-$(A)'), { message: 'missing value for A, B' })
})

test('no folder is made behind a link that leads out of a volume', async (t) => {
  const [root, outside] = [folderOf(t), folderOf(t)]
  mkdirSync(join(root, 'inside'))
  symlinkSync(outside, join(root, 'out'))
  symlinkSync('inside', join(root, 'in'))
  const source = async (subPath: string): Promise<string | undefined> => {
    const container = { name: 'web', image: 'web:1', volumeMounts: [{ name: 'v', mountPath: '/data', subPath }] }
    return (await bindsOf(container, new Map([['v', root]]), new Set(), new Map()))[0]?.source
  }
  await assert.rejects(source('out/a/b'), { message: /subPath "out\/a\/b" is a symlink out of the volume/ })
  assert.deepEqual(readdirSync(outside), [])
  assert.equal(await source('in/a/b'), join(root, 'inside', 'a', 'b'))
  assert.ok(statSync(join(root, 'inside', 'a', 'b')).isDirectory())
})

test('a folder that is made for a subPath may be used by whoever may use the volume', (t) => {
  const root = folderOf(t)
  chmodSync(root, 0o2777)
  const made = subPathOf(root, 'a/b', 'v')
  for (const path of [made, join(root, 'a')]) assert.equal(statSync(path).mode & 0o7777, 0o2777)
})

test('what is mounted below another comes after it, as written otherwise', () => {
  const at = (target: string, source = ''): Bind => ({ source, target, readOnly: false })
  const ordered = inMountOrder([
    at('/a/b/c'),
    at('/etc/hosts', 'ours'),
    at('/a/'),
    at('/a/b'),
    at('/etc/hosts', 'theirs'),
  ])
  assert.deepEqual(
    ordered.map(({ target, source }) => target + source),
    ['/a/', '/etc/hostsours', '/a/b', '/etc/hoststheirs', '/a/b/c'],
  )
})

test('the fault of a volume holds up no other when they are made anew', (t) => {
  const folder = folderOf(t)
  const token = { serviceAccountToken: { path: 'token' } }
  const volumes: Volume[] = [
    {
      name: 'tls',
      projected: { sources: [{ podCertificate: { signerName: 'a.b/c', keyType: 'ED25519', keyPath: 'k' } }] },
    },
    { name: 'access', projected: { sources: [token] } },
  ]
  const faults = renewVolumes(folder, sourcesOf({ name: 'v' }, { volumes }))
  assert.deepEqual(
    faults.map((fault) => (fault as Error).message),
    ['MountVolume.SetUp failed for volume "tls" : credential bundle is not issued yet'],
  )
  assert.equal(readFileSync(join(folder, 'access', 'token'), 'utf8'), 'the token')
})

const files: { it: string; make: (path: string) => void; want: RegExp | number }[] = [
  { it: 'a file', make: (path) => writeFileSync(path, 'A=1'), want: 3 },
  { it: 'a file of as much as is read', make: (path) => writeFileSync(path, 'x'.repeat(2 ** 20)), want: 2 ** 20 },
  {
    it: 'a larger file',
    make: (path) => writeFileSync(path, 'x'.repeat(2 ** 20 + 1)),
    want: /more than 1048576 bytes are in/,
  },
  {
    it: 'a pipe that nobody writes to',
    make: (path) => execFileSync('mkfifo', [path]),
    want: /no regular file at "env"/,
  },
  { it: 'a folder', make: (path) => mkdirSync(path), want: /no regular file at "env"/ },
  {
    it: 'a link to a device',
    make: (path) => symlinkSync('/dev/zero', path),
    want: /a link out of the volume at "env"/,
  },
  { it: 'nothing', make: () => undefined, want: /cannot read "env" of volume "v"/ },
]
for (const { it, make, want } of files)
  test(`a variable from ${it} of a volume`, { timeout: 10_000 }, (t) => {
    const root = folderOf(t)
    make(join(root, 'env'))
    const read = (): string => readVolumeFile(new Map([['v', root]]), 'v', 'env')
    if (typeof want === 'number') assert.equal(read().length, want)
    else assert.throws(read, want)
  })
