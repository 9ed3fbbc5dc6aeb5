import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import { systemClock } from '../../src/adapters/clock.ts'
import { type Engine, startEngine } from '../../src/adapters/engine/start.ts'
import { clientFromKubeconfig } from '../../src/adapters/kube/client.ts'
import type { KubeClient } from '../../src/adapters/kube/types.ts'
import { createRegistryClient } from '../../src/adapters/registry/client.ts'
import { type Gitd, serveGitd } from '../../src/embedded/gitd/serve.ts'
import { serveKubed } from '../../src/embedded/kubed/serve.ts'
import { serveRegistryd } from '../../src/embedded/registryd/serve.ts'
import type { KubeObject } from '../../src/lib/kube/object.ts'
import { read } from '../../src/lib/kube/read.ts'
import type { FactBody } from '../../src/pipeline/record/fact.ts'
import { until } from '../support/wait.ts'

/** An image's whole way, embedded, with the safe behaviour: pushed, chosen, written back, fetched, applied; and what stops it. */
const TOKEN = 'token'
const temp = mkdtempSync(join(tmpdir(), 'sluice-image-loop-'))
const work = join(temp, 'work')
const facts: FactBody[] = []
const closers: (() => unknown)[] = []
let client: KubeClient
let engine: Engine
let gitd: Gitd
let registryHost = ''
const run = promisify(execFile)
/** The servers live in this very process: nothing here may block it. */
const git = async (...argv: string[]): Promise<string> =>
  (await run('git', ['-C', work, '-c', 'user.name=T', '-c', 'user.email=t@example.com', ...argv])).stdout.trim()

/** As a person does: who comes second takes in what came first, and pushes again. */
async function push(tries = 5): Promise<void> {
  const remote = gitd.urlOf('vps').replace('://', `://x:${TOKEN}@`)
  try {
    await git('push', '-q', remote, 'main')
  } catch (error) {
    if (tries === 0) throw error
    await git('pull', '-q', '--rebase', remote, 'main')
    await push(tries - 1)
  }
}

const marker = (setter: string): string => `# {"$imagepolicy": "${setter}"}`
const deployment = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: apps}
spec:
  replicas: 0
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: web
          image:   'registry.sluice.local/web:1.0.0'   ${marker('apps:web')}
`

before(async () => {
  const kubed = await serveKubed({ stateDir: join(temp, 'kubed'), port: 0 })
  gitd = await serveGitd({
    root: join(temp, 'git'),
    port: 0,
    token: TOKEN,
    onPush: ({ repository }) => engine?.gitChanged(gitd.urlOf(repository)),
  })
  const registry = await serveRegistryd({
    root: join(temp, 'registry'),
    port: 0,
    onPush: ({ repository }) => engine?.imageChanged(repository),
  })
  registryHost = registry.host
  closers.push(
    () => registry.close(),
    () => gitd.close(),
    () => client.close(),
    () => kubed.close(),
  )
  client = clientFromKubeconfig(kubed.kubeconfig)
  mkdirSync(join(work, 'deploy'), { recursive: true })
  writeFileSync(join(work, 'deploy/web.yaml'), deployment)
  await git('init', '-q', '-b', 'main')
  await git('add', '-A')
  await git('commit', '-q', '-m', 'first')
  await gitd.createRepository('vps')
  await push()
  await pushImage('1.0.0')
  engine = await startEngine({
    client,
    clock: systemClock,
    stateDir: join(temp, 'engine'),
    artifactListen: '127.0.0.1:0',
    receiverListen: '',
    traps: 'safe',
    installCrds: true,
    registryAliases: { 'registry.sluice.local': registry.host },
    report: (fact) => void facts.push(fact),
  })
  closers.unshift(() => engine.close())
  await applyAll()
})

after(async () => {
  for (const close of closers) await close()
  rmSync(temp, { recursive: true, force: true })
})

async function applyAll(): Promise<void> {
  const meta = { name: 'web', namespace: 'apps' }
  const url = gitd.urlOf('vps')
  const author = { name: 'Bot', email: 'bot@example.com' }
  const messageTemplate = '{{ range .Updated.Images }}{{ . }}{{ end }}\n'
  const objects: KubeObject[] = [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'apps' } },
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'git', namespace: 'apps' },
      stringData: { username: 'x', password: TOKEN },
    },
    {
      apiVersion: 'source.toolkit.fluxcd.io/v1beta2',
      kind: 'GitRepository',
      metadata: meta,
      spec: { interval: '1h', url, ref: { branch: 'main' }, secretRef: { name: 'git' } },
    },
    {
      apiVersion: 'kustomize.toolkit.fluxcd.io/v1beta2',
      kind: 'Kustomization',
      metadata: meta,
      spec: { interval: '1h', prune: true, path: './deploy', sourceRef: { kind: 'GitRepository', name: 'web' } },
    },
    {
      apiVersion: 'image.toolkit.fluxcd.io/v1beta1',
      kind: 'ImageRepository',
      metadata: meta,
      spec: { interval: '1h', image: 'registry.sluice.local/web' },
    },
    {
      apiVersion: 'image.toolkit.fluxcd.io/v1beta2',
      kind: 'ImagePolicy',
      metadata: meta,
      spec: { imageRepositoryRef: { name: 'web' }, policy: { semver: { range: '>=1.0.0-0' } } },
    },
    {
      apiVersion: 'image.toolkit.fluxcd.io/v1beta1',
      kind: 'ImageUpdateAutomation',
      metadata: meta,
      spec: {
        interval: '1h',
        sourceRef: { kind: 'GitRepository', name: 'web' },
        git: { commit: { author, messageTemplate } },
        update: { path: './deploy', strategy: 'Setters' },
      },
    },
  ]
  for (const object of objects) await client.create(object, { fieldManager: 'test' })
}

async function pushImage(tag: string): Promise<void> {
  const registry = createRegistryClient()
  const manifest = {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    manifests: [],
    annotations: { tag },
  }
  const bytes = Buffer.from(JSON.stringify(manifest))
  await registry.putManifest({ host: registryHost, repository: 'web' }, tag, { bytes, mediaType: manifest.mediaType })
  registry.close()
}

const imageOf = (object: KubeObject | undefined): unknown =>
  read(read(object, 'spec', 'template', 'spec', 'containers'), '0', 'image')

async function untilApplied(tag: string): Promise<void> {
  await eventually(
    `web at ${tag}`,
    async () =>
      imageOf(await client.get({ apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'apps', name: 'web' })) ===
      `registry.sluice.local/web:${tag}`,
  )
}

async function eventually(what: string, holds: () => Promise<boolean>): Promise<void> {
  const kind = { apiVersion: 'image.toolkit.fluxcd.io/v1', kind: 'ImageUpdateAutomation' }
  await until(what, holds, async () => JSON.stringify(await client.list(kind), undefined, 1))
}

async function readyMessage(kind: string): Promise<string> {
  const object = await client.get({ apiVersion: 'image.toolkit.fluxcd.io/v1', kind, namespace: 'apps', name: 'web' })
  const conditions = read(object, 'status', 'conditions')
  const ready: unknown = Array.isArray(conditions) ? conditions.find((one) => read(one, 'type') === 'Ready') : undefined
  return String(read(ready, 'message'))
}

test('an image that is pushed is chosen, committed byte for byte, and applied', async () => {
  await untilApplied('1.0.0')
  await eventually(
    'the automation',
    async () => (await readyMessage('ImageUpdateAutomation')) === 'repository up-to-date',
  )
  await pushImage('1.1.0-main.7')
  // the next look by itself is an hour away
  await untilApplied('1.1.0-main.7')
  await git('pull', '-q', gitd.urlOf('vps'), 'main')
  assert.equal(await git('show', 'HEAD:deploy/web.yaml'), deployment.replace('1.0.0', '1.1.0-main.7').trim())
  assert.equal(
    await git('log', '-1', '--format=%an <%ae> %s'),
    'Bot <bot@example.com> registry.sluice.local/web:1.1.0-main.7',
  )
  const kinds = facts.map(({ kind }) => kind)
  for (const kind of ['source', 'policy', 'write-back', 'build', 'apply'] as const)
    assert.ok(kinds.includes(kind), kind)
})

test('a person who pushes at the same time loses nothing: the automation goes on top', async () => {
  writeFileSync(join(work, 'note.txt'), 'mine')
  await git('add', '-A')
  await git('commit', '-q', '-m', 'by a person')
  await Promise.all([pushImage('1.2.0'), push()])
  await untilApplied('1.2.0')
  await git('pull', '-q', gitd.urlOf('vps'), 'main')
  assert.equal(await git('show', 'HEAD:note.txt'), 'mine')
  assert.match(await git('show', 'HEAD:deploy/web.yaml'), /web:1\.2\.0/)
})

test('a marker that leads nowhere is said in the status, with file and line', async () => {
  writeFileSync(
    join(work, 'deploy/cm.yaml'),
    `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: cm, namespace: apps}\ndata:\n  image: x:1 ${marker('apps:nope')}\n`,
  )
  await git('add', '-A')
  await git('commit', '-q', '-m', 'marker')
  await push()
  await eventually('the status', async () =>
    /deploy\/cm\.yaml:5: "apps:nope" names no ImagePolicy/.test(await readyMessage('ImageUpdateAutomation')),
  )
  const marked = facts.findLast((fact) => fact.kind === 'markers')
  assert.match(marked?.problems ?? '', /^deploy\/cm\.yaml:5: "apps:nope" names no ImagePolicy/)
  assert.deepEqual(
    marked?.choices.map(({ policy, isMarked }) => [policy, isMarked]),
    [['web', true]],
  )
})

test('a policy that selects nothing says what there was', async () => {
  const ref = { apiVersion: 'image.toolkit.fluxcd.io/v1', kind: 'ImagePolicy', namespace: 'apps', name: 'web' }
  await client.patch(ref, 'merge', { spec: { policy: { semver: { range: '>=9.0.0' } } } }, { fieldManager: 'test' })
  await eventually('the status', async () =>
    /none of 3 tags qualifies: .*1\.2\.0 \(is outside >=9\.0\.0\)/.test(await readyMessage('ImagePolicy')),
  )
})
