import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { createHash, generateKeyPairSync, sign } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { systemClock } from '../../src/adapters/clock.ts'
import { indexDigest } from '../../src/adapters/engine/bucket/look.ts'
import { type Engine, startEngine } from '../../src/adapters/engine/start.ts'
import { clientFromKubeconfig } from '../../src/adapters/kube/client.ts'
import type { KubeClient } from '../../src/adapters/kube/types.ts'
import { createRegistryClient } from '../../src/adapters/registry/client.ts'
import { serveKubed } from '../../src/embedded/kubed/serve.ts'
import { serveRegistryd } from '../../src/embedded/registryd/serve.ts'
import type { KubeObject } from '../../src/lib/kube/object.ts'
import { conditionOf, read, readText } from '../../src/lib/kube/read.ts'
import { digestOf } from '../../src/lib/oci/digest.ts'
import { ARCHIVE_END, archiveEntry } from '../../src/pipeline/source/archive.ts'
import { serveS3 } from '../lib/s3-server.ts'
import { until } from '../support/wait.ts'

/** Sources that are no Git repositories, end to end on the embedded servers: registry, object store, another controller's artifact. */
const temp = mkdtempSync(join(tmpdir(), 'sluice-sources-'))
const keys = { accessKey: 'AK', secretKey: 's3cret' }
const registryClient = createRegistryClient()
const closers: (() => unknown)[] = []
let client: KubeClient
let engine: Engine
let registryHost = ''
let s3: Awaited<ReturnType<typeof serveS3>>
const NS = 'default'
const SOURCE = 'source.toolkit.fluxcd.io/v1'

before(async () => {
  const kubed = await serveKubed({ stateDir: join(temp, 'kubed'), port: 0 })
  const registry = await serveRegistryd({
    root: join(temp, 'registry'),
    port: 0,
    onPush: ({ repository }) => engine?.imageChanged(repository),
  })
  registryHost = registry.host
  s3 = await serveS3('manifests', keys)
  client = clientFromKubeconfig(kubed.kubeconfig)
  engine = await startEngine({
    client,
    clock: systemClock,
    stateDir: join(temp, 'engine'),
    artifactListen: '127.0.0.1:0',
    receiverListen: '',
    traps: 'safe',
    installCrds: true,
    registryAliases: {},
  })
  await apply({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 's3', namespace: NS },
    stringData: { accesskey: keys.accessKey, secretkey: keys.secretKey },
  })
  closers.push(
    () => engine.close(),
    () => s3.close(),
    () => registryClient.close(),
    () => registry.close(),
    () => client.close(),
    () => kubed.close(),
  )
})

after(async () => {
  for (const close of closers) await close()
  rmSync(temp, { recursive: true, force: true })
})

const configMap = (name: string, value: string): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\ndata: {value: "${value}"}\n`
const apply = (object: KubeObject): Promise<KubeObject> =>
  client.patch(
    {
      apiVersion: object.apiVersion,
      kind: object.kind,
      namespace: object.metadata.namespace ?? '',
      name: object.metadata.name,
    },
    'apply',
    object,
    { fieldManager: 'test', force: true },
  )
const source = (kind: string, name: string, spec: object): KubeObject => ({
  apiVersion: SOURCE,
  kind,
  metadata: { name, namespace: NS },
  spec: { interval: '1h', ...spec },
})
const kustomization = (kind: string, name: string, path = './'): KubeObject => ({
  apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
  kind: 'Kustomization',
  metadata: { name, namespace: NS },
  spec: { interval: '1h', prune: true, path, targetNamespace: NS, sourceRef: { kind, name } },
})

const valueOf = (name: string, want: string): Promise<string> =>
  until(`ConfigMap ${name}=${want}`, async () => {
    const object = await client.get({ apiVersion: 'v1', kind: 'ConfigMap', namespace: NS, name })
    return readText(object, 'data', 'value') === want ? want : undefined
  })

const readyOf = (kind: string, name: string, fits: RegExp): Promise<KubeObject> =>
  until(`${kind}/${name} ${String(fits)}`, async () => {
    const object = await client.get({ apiVersion: SOURCE, kind, namespace: NS, name })
    const ready = conditionOf(object, 'Ready')
    return object && ready && fits.test(`${ready.status} ${ready.reason}: ${ready.message}`) ? object : undefined
  })

/** As `flux push artifact` makes it. */
async function pushArtifact(
  repository: string,
  tag: string,
  files: Record<string, string>,
  annotations: Record<string, string> = {},
): Promise<string> {
  const to = { host: registryHost, repository }
  const blob = async (bytes: Buffer): Promise<{ digest: string; size: number }> => {
    const digest = digestOf(bytes)
    await registryClient.pushBlob(to, { digest, sizeBytes: bytes.length, open: () => Readable.from([bytes]) })
    return { digest, size: bytes.length }
  }
  const entries = Object.entries(files).flatMap(([path, text]) =>
    archiveEntry({ path, bytes: Buffer.from(text), isExecutable: false }),
  )
  const archive = gzipSync(Buffer.concat([...entries, ARCHIVE_END]))
  const config = await blob(Buffer.from('{}'))
  const layer = await blob(archive)
  const mediaType = 'application/vnd.oci.image.manifest.v1+json'
  const manifest = {
    schemaVersion: 2,
    mediaType,
    config: { mediaType: 'application/vnd.cncf.flux.config.v1+json', ...config },
    layers: [{ mediaType: 'application/vnd.cncf.flux.content.v1.tar+gzip', ...layer }],
    annotations,
  }
  return registryClient.putManifest(to, tag, { bytes: Buffer.from(JSON.stringify(manifest)), mediaType })
}

/** As `cosign sign --key` makes it: a signature beside the image, or a bundle attached to it. */
async function signArtifact(
  repository: string,
  digest: string,
  key: Parameters<typeof sign>[2],
  form: 'sig' | 'bundle',
): Promise<void> {
  const to = { host: registryHost, repository }
  const payload =
    form === 'sig'
      ? Buffer.from(
          JSON.stringify({ critical: { identity: {}, image: { 'docker-manifest-digest': digest }, type: 'x' } }),
        )
      : bundleOf(digest, key)
  const push = async (bytes: Buffer): Promise<{ digest: string; size: number }> => {
    const of = digestOf(bytes)
    await registryClient.pushBlob(to, { digest: of, sizeBytes: bytes.length, open: () => Readable.from([bytes]) })
    return { digest: of, size: bytes.length }
  }
  const mediaType = 'application/vnd.oci.image.manifest.v1+json'
  const bundleType = 'application/vnd.dev.sigstore.bundle.v0.3+json'
  const signature = sign('sha256', payload, key).toString('base64')
  const subject = await registryClient.headManifest(to, digest)
  const manifest = {
    schemaVersion: 2,
    mediaType,
    ...(form === 'bundle' ? { artifactType: bundleType, subject } : {}),
    config: { mediaType: 'application/vnd.oci.empty.v1+json', ...(await push(Buffer.from('{}'))) },
    layers: [
      form === 'sig'
        ? {
            mediaType: 'application/vnd.dev.cosign.simplesigning.v1+json',
            ...(await push(payload)),
            annotations: { 'dev.cosignproject.cosign/signature': signature },
          }
        : { mediaType: bundleType, ...(await push(payload)) },
    ],
  }
  const bytes = Buffer.from(JSON.stringify(manifest))
  const version = form === 'sig' ? `${digest.replace(':', '-')}.sig` : digestOf(bytes)
  await registryClient.putManifest(to, version, { bytes, mediaType })
}

function bundleOf(digest: string, key: Parameters<typeof sign>[2]): Buffer {
  const type = 'application/vnd.in-toto+json'
  const payload = Buffer.from(JSON.stringify({ subject: [{ digest: { sha256: digest.slice('sha256:'.length) } }] }))
  const pae = Buffer.concat([Buffer.from(`DSSEv1 ${type.length} ${type} ${payload.length} `), payload])
  const signatures = [{ sig: sign('sha256', pae, key).toString('base64') }]
  return Buffer.from(
    JSON.stringify({ dsseEnvelope: { payload: payload.toString('base64'), payloadType: type, signatures } }),
  )
}

test('an OCI artifact is applied, and a pushed tag is followed at once', async () => {
  const digest = await pushArtifact(
    'app',
    '1.0.0',
    { 'cm.yaml': configMap('from-oci', '1'), 'a.txt': 'x', 'p.jpg': 'x' },
    {
      'org.opencontainers.image.revision': 'main@sha1:abc',
      'org.opencontainers.image.source': 'https://example.com/app',
    },
  )
  await pushArtifact('app', '0.9.0', { 'cm.yaml': configMap('from-oci', 'old') })
  await apply(source('OCIRepository', 'app', { url: `oci://${registryHost}/app`, ref: { semver: '>=0.1.0' } }))
  await apply(kustomization('OCIRepository', 'app'))
  await valueOf('from-oci', '1')
  const object = await readyOf('OCIRepository', 'app', /^True Succeeded: stored artifact for digest '1\.0\.0@sha256/)
  const artifact = read(object, 'status', 'artifact')
  assert.equal(readText(artifact, 'revision'), `1.0.0@${digest}`)
  assert.equal(readText(artifact, 'path'), `ocirepository/${NS}/app/${digest}.tar.gz`)
  assert.equal(readText(artifact, 'metadata', 'org.opencontainers.image.revision'), 'main@sha1:abc')
  await pushArtifact('app', '1.1.0', { 'cm.yaml': configMap('from-oci', '2') })
  await valueOf('from-oci', '2')
})

test('an artifact is served as source-controller serves it', async () => {
  const object = await readyOf('OCIRepository', 'app', /^True/)
  const url = readText(object, 'status', 'artifact', 'url')
  const answer = await fetch(url)
  const bytes = Buffer.from(await answer.arrayBuffer())
  assert.equal(
    `sha256:${createHash('sha256').update(bytes).digest('hex')}`,
    readText(object, 'status', 'artifact', 'digest'),
  )
  assert.equal(bytes.length, read(object, 'status', 'artifact', 'size'))
  const modified = answer.headers.get('last-modified') ?? ''
  assert.ok(Date.parse(modified) > 0)
  assert.equal((await fetch(url, { headers: { 'if-modified-since': modified } })).status, 304)
  const latest = readText(object, 'status', 'url')
  assert.equal(latest, url.replace(/[^/]*$/, 'latest.tar.gz'))
  assert.deepEqual(Buffer.from(await (await fetch(latest)).arrayBuffer()), bytes)
  const part = await fetch(url, { headers: { range: 'bytes=2-5' } })
  assert.deepEqual([part.status, Buffer.from(await part.arrayBuffer())], [206, bytes.subarray(2, 6)])
  const head = await fetch(url, { method: 'HEAD' })
  assert.equal(head.headers.get('content-length'), String(bytes.length))
  assert.equal((await fetch(url.replace(/ocirepository.*/, '..%2f..%2fkubed'))).status, 404)
})

for (const form of ['sig', 'bundle'] as const)
  test(`an artifact is taken only when it is signed by the given key (${form})`, async () => {
    const [good, other] = [
      generateKeyPairSync('ec', { namedCurve: 'P-256' }),
      generateKeyPairSync('ec', { namedCurve: 'P-256' }),
    ]
    const name = `signed-${form}`
    const digest = await pushArtifact(name, 'latest', { 'cm.yaml': configMap(name, '1') })
    await signArtifact(name, digest, other.privateKey, form)
    const pub = good.publicKey.export({ type: 'spki', format: 'pem' }).toString()
    await apply({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name, namespace: NS },
      stringData: { 'cosign.pub': pub },
    })
    await apply(
      source('OCIRepository', name, {
        interval: '1s',
        url: `oci://${registryHost}/${name}`,
        verify: { provider: 'cosign', secretRef: { name } },
      }),
    )
    await readyOf(
      'OCIRepository',
      name,
      /^False VerificationError: failed to verify the signature using provider 'cosign': no matching/,
    )
    await signArtifact(name, digest, good.privateKey, form)
    const object = await readyOf('OCIRepository', name, /^True/)
    assert.equal(conditionOf(object, 'SourceVerified')?.message, `verified signature of revision latest@${digest}`)

    const stringData = { 'cosign.pub': pub, 'second.pub': 'no key' }
    await apply({ apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace: NS }, stringData })
    await readyOf('OCIRepository', name, /^False VerificationError: .* 'cosign': PEM decoding failed$/)
  })

const peer = (name: string): string => join(process.env['SLUICE_PEERS'] ?? join(homedir(), '.cache/sluice/peers'), name)
const without = (name: string): string | false => (existsSync(peer(name)) ? false : `no ${name}`)

for (const [form, flags] of [
  ['a signature beside the image', ['--new-bundle-format=false', '--use-signing-config=false', '--tlog-upload=false']],
  ['a bundle', ['--use-signing-config=false', '--tlog-upload=false']],
] as const)
  test(`what the real cosign signs is taken: ${form}`, { skip: without('cosign') }, async () => {
    const name = `real-${form.replaceAll(' ', '-')}`
    const cosign = (...argv: string[]) =>
      promisify(execFile)(peer('cosign'), argv, { cwd: temp, env: { ...process.env, COSIGN_PASSWORD: 'x' } })
    if (!existsSync(join(temp, 'cosign.key'))) await cosign('generate-key-pair')
    const digest = await pushArtifact(name, 'latest', { 'cm.yaml': configMap(name, '1') })
    const image = `${registryHost}/${name}@${digest}`
    await cosign(
      'sign',
      '--yes',
      '--key',
      'cosign.key',
      '--allow-http-registry',
      '--allow-insecure-registry',
      ...flags,
      image,
    )
    const data = { 'cosign.pub': readFileSync(join(temp, 'cosign.pub'), 'utf8') }
    await apply({ apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace: NS }, stringData: data })
    const verify = { provider: 'cosign', secretRef: { name } }
    await apply(source('OCIRepository', name, { url: `oci://${registryHost}/${name}`, verify }))
    const object = await readyOf('OCIRepository', name, /^(True|False VerificationError)/)
    assert.equal(conditionOf(object, 'SourceVerified')?.message, `verified signature of revision latest@${digest}`)
  })

test('a bucket of another store is applied', { skip: without('gofakes3') }, async () => {
  const child = spawn(peer('gofakes3'), ['-backend', 'memory', '-host', '127.0.0.1:0', '-initialbucket', 'real'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  closers.unshift(() => child.kill())
  const host = await new Promise<string>((resolve, reject) => {
    const read = (chunk: Buffer): void => {
      const found = /using port: (\d+)/.exec(chunk.toString())?.[1]
      if (found) resolve(`127.0.0.1:${found}`)
    }
    child.stdout.on('data', read)
    child.stderr.on('data', read)
    child.on('exit', () => reject(new Error('gofakes3 ended')))
  })
  for (const [key, text] of [
    ['x/cm.yaml', configMap('from-fake', '1')],
    ['x/with space+plus.yaml', configMap('spaced', '1')],
  ] as const)
    assert.equal(
      (await fetch(`http://${host}/real/${encodeURIComponent(key)}`, { method: 'PUT', body: text })).status,
      200,
    )
  await apply(
    source('Bucket', 'real', { bucketName: 'real', endpoint: host, insecure: true, secretRef: { name: 's3' } }),
  )
  await apply(kustomization('Bucket', 'real', './x'))
  await Promise.all([valueOf('from-fake', '1'), valueOf('spaced', '1')])
})

test('a bucket is applied: signed requests, pages, ignore rules, Flux’s revision, keys that stay inside', async () => {
  s3.objects.set('apps/cm.yaml', configMap('from-bucket', '1'))
  s3.objects.set('apps/../../../evil.yaml', 'x: 1')
  s3.objects.set('apps/kustomization.yaml', 'resources: [cm.yaml]\n')
  s3.objects.set('apps/left-out.md', 'x')
  s3.objects.set('other/x', 'x')
  s3.objects.set('.sourceignore', '*.md\n')
  const spec = {
    bucketName: 'manifests',
    endpoint: s3.host,
    insecure: true,
    secretRef: { name: 's3' },
    prefix: 'apps/',
  }
  await apply(source('Bucket', 'b', { ...spec, interval: '1s' }))
  await apply(kustomization('Bucket', 'b', './apps'))
  await valueOf('from-bucket', '1')
  const object = await readyOf('Bucket', 'b', /^True Succeeded: stored artifact: revision 'sha256:/)
  const etag = (key: string): string =>
    createHash('md5')
      .update(s3.objects.get(key) ?? '')
      .digest('hex')
  const index = ['apps/../../../evil.yaml', 'apps/cm.yaml', 'apps/kustomization.yaml']
  assert.equal(
    readText(object, 'status', 'artifact', 'revision'),
    indexDigest(new Map(index.map((key) => [key, etag(key)]))),
  )
  s3.objects.set('apps/cm.yaml', configMap('from-bucket', '2'))
  await valueOf('from-bucket', '2')
  await apply(source('Bucket', 'b', { ...spec, bucketName: 'nope' }))
  await readyOf('Bucket', 'b', /^False BucketOperationFailed: bucket 'nope' not found/)
  await valueOf('from-bucket', '2')
})

test('an artifact of another controller is applied', async () => {
  const object = await readyOf('OCIRepository', 'app', /^True/)
  await apply({ apiVersion: SOURCE, kind: 'ExternalArtifact', metadata: { name: 'ext', namespace: NS }, spec: {} })
  await apply(kustomization('ExternalArtifact', 'ext'))
  const status = { artifact: read(object, 'status', 'artifact'), conditions: [] }
  await client.patch(
    { apiVersion: SOURCE, kind: 'ExternalArtifact', namespace: NS, name: 'ext' },
    'merge',
    { status },
    {
      fieldManager: 'other',
      subresource: 'status',
    },
  )
  await until('Kustomization/ext applied', async () => {
    const found = await client.get({
      apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
      kind: 'Kustomization',
      namespace: NS,
      name: 'ext',
    })
    return readText(found, 'status', 'lastAppliedRevision') === readText(object, 'status', 'artifact', 'revision') ||
      conditionOf(found, 'Ready')?.status === 'False'
      ? true
      : undefined
  })
})

test('objects of Helm are told that nothing is done for them, in every version', async () => {
  for (const version of ['v2beta1', 'v2']) {
    const name = `helm-${version}`
    await apply({
      apiVersion: `helm.toolkit.fluxcd.io/${version}`,
      kind: 'HelmRelease',
      metadata: { name, namespace: NS },
      spec: { chart: {} },
    })
    const ref = { apiVersion: 'helm.toolkit.fluxcd.io/v2', kind: 'HelmRelease', namespace: NS, name }
    const ready = await until(name, async () => conditionOf(await client.get(ref), 'Ready'))
    assert.match(
      `${ready.status} ${ready.reason}: ${ready.message}`,
      /^False NotSupported: HelmRelease is not supported/,
    )
  }
})

test('a forced look at an object of Helm is noted as handled, and told to come to nothing', async () => {
  const ref = { apiVersion: 'helm.toolkit.fluxcd.io/v2', kind: 'HelmRelease', namespace: NS, name: 'forced' }
  const { apiVersion, kind, namespace, name } = ref
  const asked = { 'reconcile.fluxcd.io/requestedAt': 'now', 'reconcile.fluxcd.io/forceAt': 'now' }
  await apply({ apiVersion, kind, metadata: { name, namespace, annotations: asked }, spec: { chart: {} } })
  const handled = await until('the request is handled', async () => {
    const found = await client.get(ref)
    return readText(found, 'status', 'lastHandledReconcileAt') === 'now' ? found : undefined
  })
  assert.equal(readText(handled, 'status', 'lastHandledForceAt'), 'now')
  assert.equal(readText(handled, 'status', 'lastHandledResetAt'), '')
  await until('an event says so', async () =>
    (await client.list({ apiVersion: 'v1', kind: 'Event', namespace: NS })).items.find((event) =>
      /reconcile\.fluxcd\.io\/forceAt asks for what is not supported/.test(readText(event, 'message')),
    ),
  )
})

test('objects that a controller of Helm held go with it, but for what only it can uninstall', async () => {
  const held = { namespace: NS, finalizers: ['finalizers.fluxcd.io'] }
  const charts = { apiVersion: SOURCE, kind: 'HelmChart' }
  const releases = { apiVersion: 'helm.toolkit.fluxcd.io/v2', kind: 'HelmRelease' }
  const chart = { ...charts, namespace: NS, name: 'left' }
  const release = { ...releases, namespace: NS, name: 'left' }
  const spec = { chart: 'x', interval: '1h', sourceRef: { kind: 'GitRepository', name: 'none' } }
  await apply({ ...charts, metadata: { name: 'left', ...held }, spec })
  await apply({ ...releases, metadata: { name: 'left', ...held }, spec: { interval: '1h', chart: { spec } } })
  for (const ref of [chart, release]) await client.delete(ref)
  await until('the chart is gone', async () => ((await client.get(chart)) ? undefined : true))
  const told = await until('the release says why it stays', async () =>
    (await client.list({ apiVersion: 'v1', kind: 'Event', namespace: NS })).items.find((event) =>
      readText(event, 'message').includes('HelmRelease/'),
    ),
  )
  assert.match(readText(told, 'message'), /helm-controller does not run, and only that uninstalls/)
  assert.ok(await client.get(release))
  await client.patch(release, 'merge', { metadata: { finalizers: null } }, { fieldManager: 'test' })
})

test('what fails once the registry has told its digest says which revision it was', async () => {
  const digest = await pushArtifact('unlike', '2.0.0', { 'cm.yaml': configMap('unlike', '1') })
  const layerSelector = { mediaType: 'application/vnd.other' }
  await apply(
    source('OCIRepository', 'unlike', { url: `oci://${registryHost}/unlike`, ref: { tag: '2.0.0' }, layerSelector }),
  )
  const object = await readyOf('OCIRepository', 'unlike', /^False OCIArtifactLayerOperationFailed/)
  assert.equal(
    conditionOf(object, 'Reconciling')?.message,
    `building artifact: new revision '2.0.0@${digest}' for '${registryHost}/unlike:2.0.0'`,
  )
})

test('what is not done is refused by name', async () => {
  await apply(
    source('OCIRepository', 'keyless', {
      url: `oci://${registryHost}/app`,
      ref: { tag: '1.0.0' },
      verify: { provider: 'cosign' },
    }),
  )
  await readyOf('OCIRepository', 'keyless', /^False NotSupported: spec\.verify with keyless cosign/)
  await apply(source('Bucket', 'gcp', { provider: 'gcp', bucketName: 'x', endpoint: 'storage.googleapis.com' }))
  await readyOf('Bucket', 'gcp', /^False NotSupported: spec\.provider gcp/)
  await apply(source('OCIRepository', 'tagged', { url: `oci://${registryHost}/app:1.0.0` }))
  await readyOf(
    'OCIRepository',
    'tagged',
    /^False URLInvalid: URL validation failed .* URL must not contain a tag; remove ':1.0.0'/,
  )
})
