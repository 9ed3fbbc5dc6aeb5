import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { clientFromKubeconfig } from '../src/adapters/kube/client.ts'
import type { KubeClient } from '../src/adapters/kube/types.ts'
import { createRegistryClient } from '../src/adapters/registry/client.ts'
import type { KubeObject } from '../src/lib/kube/object.ts'
import { read, readText } from '../src/lib/kube/read.ts'
import { lineOf, openProcesses } from './processes.ts'

/**
 * Image pushed -> Deployment changed on a real API server with nobody asking: the registry's own webhook reaches a Receiver, all else is events.
 * Needs `npm run build`, git, docker-registry, the built control plane and the Git server of the tools folder. Prints seconds.
 */
const peers = process.env['SLUICE_PEERS'] ?? join(homedir(), '.cache/sluice/peers')
const tools = resolve(process.env['SLUICE_TOOLS'] ?? '../shared/tools', 'bench-gitops')
const plane = join(peers, 'kube-control-plane')
const BASE = 27560
const SAMPLES = 10
const TOKEN = 'hook-token'
const PEER_S = 0.34
const at = (n: number): string => `127.0.0.1:${BASE + n}`
const { start, stop } = openProcesses()

if (existsSync(plane) && existsSync(tools)) await main()
else
  console.log(
    JSON.stringify({ name: 'image pushed to applied, nobody asking', skipped: `needs ${plane} and ${tools}` }),
  )

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-unasked-'))
  try {
    await measure(folder)
  } finally {
    await stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function measure(folder: string): Promise<void> {
  const up = start(plane, ['up', '--dir', join(folder, 'plane'), '--port', String(BASE)], { KCP_STDIN: 'ignore' })
  const { kubeconfig } = JSON.parse(await lineOf(up, /"kubeconfig"/)) as { kubeconfig: string }
  publish(folder)
  start('node', [join(tools, 'gitserver.mjs'), String(BASE + 1), join(folder, 'repos')])
  const hook = createHash('sha256').update(`${TOKEN}registrydefault`).digest('hex')
  const config = join(folder, 'registry.yml')
  writeFileSync(
    config,
    `version: 0.1\nlog: {level: error}\nstorage: {inmemory: {}}\nhttp: {addr: ${at(2)}}\nnotifications:\n  endpoints:\n    - {name: sluice, url: "http://${at(5)}/hook/${hook}", timeout: 2s, threshold: 3, backoff: 1s}\n`,
  )
  start('docker-registry', ['serve', config])
  const addresses = ['--artifact-listen', at(4), '--receiver-listen', at(5)]
  const engine = start('node', [
    'dist/sluice.mjs',
    'engine',
    '--kubeconfig',
    kubeconfig,
    '--state',
    join(folder, 'engine'),
    ...addresses,
  ])
  await lineOf(engine, /"artifacts"/)
  const client = clientFromKubeconfig(kubeconfig)
  await push('1.0.0')
  for (const object of objects()) await client.create(object, { fieldManager: 'bench' })
  await untilApplied(client, '1.0.0')
  const seconds: number[] = []
  for (let sample = 1; sample <= SAMPLES; sample++) {
    await new Promise((resolve) => setTimeout(resolve, 1000))
    const tag = `1.0.${sample}`
    await push(tag)
    const startMs = performance.now()
    await untilApplied(client, tag)
    seconds.push((performance.now() - startMs) / 1000)
  }
  client.close()
  seconds.sort((a, b) => a - b)
  const median = seconds[Math.floor(seconds.length / 2)] ?? 0
  const name = 'image pushed to Deployment changed, real API server, nobody asking'
  const peer = `flux 2.9: ${PEER_S} s with a script asking at every stage, 80.7 s with nobody asking`
  console.log(
    JSON.stringify({
      name,
      value: median,
      min: seconds[0],
      max: seconds.at(-1),
      unit: 's',
      peer,
      ratio: PEER_S / median,
    }),
  )
}

function publish(folder: string): void {
  const [bare, work] = [join(folder, 'repos', 'config.git'), join(folder, 'work')]
  const git = (...argv: string[]) =>
    execFileSync('git', ['-c', 'user.name=T', '-c', 'user.email=t@e', ...argv], { stdio: 'pipe' })
  git('init', '-q', '--bare', '-b', 'main', bare)
  git('-C', bare, 'config', 'http.receivepack', 'true')
  mkdirSync(join(work, 'deploy'), { recursive: true })
  const image = `${at(2)}/web:1.0.0 # {"$imagepolicy": "default:web"}`
  const spec = `replicas: 0\n  selector: {matchLabels: {app: web}}\n  template:\n    metadata: {labels: {app: web}}\n    spec:\n      containers:\n        - name: web\n          image: ${image}\n`
  writeFileSync(
    join(work, 'deploy', 'web.yaml'),
    `apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: default}\nspec:\n  ${spec}`,
  )
  git('init', '-q', '-b', 'main', work)
  git('-C', work, 'add', '-A')
  git('-C', work, 'commit', '-q', '-m', 'first')
  git('-C', work, 'push', '-q', bare, 'main')
}

function objects(): readonly KubeObject[] {
  const metadata = { name: 'web', namespace: 'default' }
  const flux = (group: string, kind: string, spec: object): KubeObject => ({
    apiVersion: `${group}.toolkit.fluxcd.io/v1`,
    kind,
    metadata,
    spec: kind === 'ImagePolicy' ? spec : { interval: '1h', ...spec },
  })
  const sourceRef = { kind: 'GitRepository', name: 'web' }
  return [
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'hook', namespace: 'default' },
      stringData: { token: TOKEN },
    },
    {
      apiVersion: 'notification.toolkit.fluxcd.io/v1',
      kind: 'Receiver',
      metadata: { name: 'registry', namespace: 'default' },
      spec: { type: 'generic', secretRef: { name: 'hook' }, resources: [{ kind: 'ImageRepository', name: 'web' }] },
    },
    flux('source', 'GitRepository', { url: `http://${at(1)}/config.git`, ref: { branch: 'main' } }),
    flux('kustomize', 'Kustomization', { prune: true, path: './deploy', sourceRef }),
    flux('image', 'ImageRepository', { image: `${at(2)}/web`, insecure: true }),
    flux('image', 'ImagePolicy', { imageRepositoryRef: { name: 'web' }, policy: { semver: { range: '*' } } }),
    flux('image', 'ImageUpdateAutomation', {
      sourceRef,
      git: { commit: { author: { name: 'B', email: 'b@e' } } },
      update: { path: './deploy', strategy: 'Setters' },
    }),
  ]
}

async function push(tag: string): Promise<void> {
  const registry = createRegistryClient()
  const mediaType = 'application/vnd.oci.image.index.v1+json'
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, manifests: [], annotations: { tag } }))
  for (let tries = 0; ; tries++) {
    try {
      await registry.putManifest({ host: at(2), repository: 'web' }, tag, { bytes, mediaType })
      return registry.close()
    } catch (error) {
      if (tries === 20) throw error
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
  }
}

async function untilApplied(client: KubeClient, tag: string): Promise<void> {
  for (const deadlineMs = performance.now() + 30_000; performance.now() < deadlineMs;) {
    const object = await client.get({ apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'default', name: 'web' })
    if (readText(read(object, 'spec', 'template', 'spec', 'containers'), '0', 'image') === `${at(2)}/web:${tag}`) return
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  throw new Error(`${tag} was not applied in 30 s`)
}
