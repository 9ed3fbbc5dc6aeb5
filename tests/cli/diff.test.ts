import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, before, test } from 'node:test'
import { systemClock } from '../../src/adapters/clock.ts'
import { APPLY_MANAGER } from '../../src/adapters/engine/kustomization/apply/tools.ts'
import { installCrds } from '../../src/adapters/engine/install-crds.ts'
import { clientFromKubeconfig, type HttpKubeClient } from '../../src/adapters/kube/client.ts'
import { runCli } from '../../src/app/cli/run.ts'
import { type Kubed, serveKubed } from '../../src/embedded/kubed/serve.ts'
import { type KubeObject, refOf } from '../../src/lib/kube/object.ts'
import { loadAll } from '../../src/lib/yaml/load.ts'
import { normalize } from '../../src/pipeline/apply/normalize.ts'

const data = join(process.env['SLUICE_CONFORMANCE'] ?? '../shared/conformance', 'flux')
const skip = existsSync(data) ? false : `no conformance data at ${data} (SLUICE_CONFORMANCE)`
const FLUX = 'flux-system'

const dir = mkdtempSync(join(tmpdir(), 'sluice-diff-'))
let kubed: Kubed
let client: HttpKubeClient

before(async () => {
  kubed = await serveKubed({ stateDir: join(dir, 'kubed'), port: 0 })
  client = clientFromKubeconfig(kubed.kubeconfig)
  await installCrds(client, systemClock)
  await client.create(manifest('v1', 'Namespace', { name: FLUX }), { fieldManager: 'test' })
})
after(async () => {
  client.close()
  await kubed.close()
  rmSync(dir, { recursive: true, force: true })
})

function manifest(apiVersion: string, kind: string, metadata: KubeObject['metadata'], rest: object = {}): KubeObject {
  return { apiVersion, kind, metadata, ...rest }
}

async function sluice(...argv: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  let out = ''
  let err = ''
  const code = await runCli([...argv, '--kubeconfig', kubed.kubeconfig], {
    out: (text) => (out += `${text}\n`),
    err: (text) => (err += `${text}\n`),
    env: {},
    cwd: dir,
    isTty: false,
    signal: new AbortController().signal,
  })
  return { code, out, err }
}

async function apply(objects: readonly KubeObject[]): Promise<readonly KubeObject[]> {
  for (const object of objects)
    await client.patch(refOf(object), 'apply', normalize(object), { fieldManager: APPLY_MANAGER, force: true })
  return objects
}

function fluxKustomization(name: string, more: object): KubeObject {
  const sourceRef = { kind: 'GitRepository', name }
  const spec = { interval: '5m0s', path: './kustomize', force: true, prune: true, sourceRef, ...more }
  return manifest('kustomize.toolkit.fluxcd.io/v1', 'Kustomization', { name, namespace: FLUX }, { spec })
}

function golden(name: string): string {
  return readFileSync(join(data, 'flux-diff-kustomization', name), 'utf8').replaceAll(
    'kustomize.toolkit.fluxcd.io/namespace:\n',
    `kustomize.toolkit.fluxcd.io/namespace: ${FLUX}\n`,
  )
}

const rows: { want: string; folder: string; name?: string; live?: string; target?: string }[] = [
  { want: 'diff-new-kustomization', folder: 'podinfo' },
  { want: 'diff-with-deployment', folder: 'podinfo', live: 'deployment' },
  { want: 'diff-with-drifted-service', folder: 'podinfo', live: 'service' },
  { want: 'diff-with-drifted-secret', folder: 'podinfo', live: 'secret' },
  { want: 'diff-with-drifted-key-sops-secret', folder: 'podinfo', live: 'key-sops-secret' },
  { want: 'diff-with-drifted-value-sops-secret', folder: 'podinfo', live: 'value-sops-secret' },
  { want: 'diff-with-drifted-stringdata-sops-secret', folder: 'podinfo', live: 'stringdata-sops-secret' },
  { want: 'diff-with-dockerconfigjson-sops-secret', folder: 'podinfo', live: 'dockerconfigjson-sops-secret' },
  { want: 'diff-new-namespace-only', folder: 'new-namespace-only', name: 'new-namespace-only', target: '' },
  { want: 'diff-taking-ownership', folder: 'configmaps', name: 'configmaps', live: 'existing-configmap' },
]

for (const { want, folder, name = 'podinfo', live, target = 'default' } of rows)
  test(`diff kustomization prints ${want} as flux does`, { skip }, async () => {
    const text = live && readFileSync(join(data, 'flux-diff-kustomization', `${live}.yaml`), 'utf8')
    const before = await apply([
      fluxKustomization(name, target === '' ? {} : { targetNamespace: target }),
      ...(text ? loadAll(text.replaceAll(/\{\{ \.fluxns \}\}/g, FLUX)) : []).map((object) => object as KubeObject),
    ])
    try {
      const path = resolve(data, 'flux-build-kustomization', folder)
      const { code, out, err } = await sluice('diff', 'kustomization', name, '--path', path)
      assert.deepEqual({ code, out, err }, { code: 1, out: golden(`${want}.golden`), err: '' })
    } finally {
      for (const object of before) await client.delete(refOf(object))
    }
  })

function folderOf(name: string, files: Readonly<Record<string, string>>): string {
  const folder = join(dir, name)
  mkdirSync(folder, { recursive: true })
  for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text)
  return folder
}

const A = 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a, namespace: default }\ndata: { k: "${V:=one}" }\n'

test('diff of a folder: 1 and the difference, then 0 when it is applied', async () => {
  folderOf('plain', { 'a.yaml': A.replace('${V:=one}', 'one').replace(', namespace: default', '') })
  assert.deepEqual(await sluice('diff', 'plain'), { code: 1, out: '► ConfigMap/default/a created\n', err: '' })
  const made = await apply([manifest('v1', 'ConfigMap', { name: 'a', namespace: 'default' }, { data: { k: 'one' } })])
  assert.deepEqual(await sluice('diff', 'plain'), { code: 0, out: '', err: '' })
  for (const object of made) await client.delete(refOf(object))
})

test('diff of a folder does not ask whose the objects are', async () => {
  folderOf('of-an-app', { 'a.yaml': A.replace('${V:=one}', 'one') })
  const labels = { 'kustomize.toolkit.fluxcd.io/name': 'apps', 'kustomize.toolkit.fluxcd.io/namespace': FLUX }
  const metadata = { name: 'a', namespace: 'default', labels }
  const made = await apply([manifest('v1', 'ConfigMap', metadata, { data: { k: 'one' } })])
  assert.deepEqual(await sluice('diff', 'of-an-app'), { code: 0, out: '', err: '' })
  for (const object of made) await client.delete(refOf(object))
})

test('diff of a Kustomization substitutes, and names what a prune would delete', async () => {
  folderOf('owned', { 'a.yaml': A })
  const labels = { 'kustomize.toolkit.fluxcd.io/name': 'apps', 'kustomize.toolkit.fluxcd.io/namespace': FLUX }
  const kustomization = fluxKustomization('apps', { postBuild: { substitute: { V: 'two' } } })
  const made = await apply([
    kustomization,
    manifest('v1', 'ConfigMap', { name: 'a', namespace: 'default', labels }, { data: { k: 'one' } }),
    manifest('v1', 'ConfigMap', { name: 'old', namespace: 'default', labels }),
  ])
  const entries = ['a', 'old'].map((name) => ({ id: `default_${name}__ConfigMap`, v: 'v1' }))
  const status = { status: { inventory: { entries } } }
  await client.patch(refOf(kustomization), 'merge', status, { fieldManager: 'test', subresource: 'status' })
  const { code, out } = await sluice('diff', 'ks', 'apps', '--path', 'owned')
  assert.equal(
    out,
    '► ConfigMap/default/a drifted\n\ndata.k\n± value change\n- one\n+ two\n\n► ConfigMap/default/old deleted\n',
  )
  assert.equal(code, 1)
  for (const object of made) await client.delete(refOf(object))
})

test('diff brings what the same build defines', async () => {
  const namespace = 'apiVersion: v1\nkind: Namespace\nmetadata: { name: young }\n'
  folderOf('with-namespace', { 'a.yaml': A.replace('default', 'young'), 'n.yaml': namespace })
  const { code, out } = await sluice('diff', 'with-namespace')
  assert.equal(out, '► ConfigMap/young/a created\n► Namespace/young created\n')
  assert.equal(code, 1)
})

test('diff fails with 3 when the server refuses an object, and says which', async () => {
  folderOf('refused', { 'a.yaml': A.replace('namespace: default', 'namespace: nowhere') })
  const { code, err } = await sluice('diff', 'refused')
  assert.match(err, /✗ ConfigMap\/nowhere\/a dry-run failed \(NotFound\): .*nowhere/)
  assert.equal(code, 3)
})

test('diff fails with 3 for a Kustomization or a folder that is not there, with 2 for a half question', async () => {
  assert.equal((await sluice('diff', 'ks', 'missing', '--path', 'plain')).code, 3)
  assert.equal((await sluice('diff', 'no-such-folder')).code, 3)
  assert.equal((await sluice('diff', 'ks', 'missing')).code, 2)
})

test('a command tells what the server refuses in its words, not as a bug', async () => {
  const source = ['source', 'git', 'app', '--url', 'https://git.example.com/app', '--branch', 'main']
  const { code, err } = await sluice('create', ...source, '-n', 'nowhere')
  assert.match(err, /^error: the Kubernetes API refused \(NotFound\): namespaces "nowhere" not found\n$/m)
  assert.equal(code, 3)
})
