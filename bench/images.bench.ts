import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { systemClock } from '../src/adapters/clock.ts'
import { startEngine } from '../src/adapters/engine/start.ts'
import { clientFromKubeconfig } from '../src/adapters/kube/client.ts'
import type { KubeClient } from '../src/adapters/kube/types.ts'
import { createRegistryClient } from '../src/adapters/registry/client.ts'
import { serveGitd } from '../src/embedded/gitd/serve.ts'
import { serveKubed } from '../src/embedded/kubed/serve.ts'
import { serveRegistryd } from '../src/embedded/registryd/serve.ts'
import type { KubeObject } from '../src/lib/kube/object.ts'
import { readText } from '../src/lib/kube/read.ts'

/**
 * 90 images updated by one automation: from the moment it may run until its commit is at the remote, and how many commits that were.
 * Everything embedded, in this process. Argo Image Updater's published figure is about 15 minutes.
 */
const COUNT = 90
const TOKEN = 'token'
const run = promisify(execFile)
const folder = mkdtempSync(join(tmpdir(), 'bench-images-'))
const closers: (() => unknown)[] = []

try {
  await measure()
} finally {
  for (const close of closers.reverse()) await close()
  rmSync(folder, { recursive: true, force: true })
}

async function measure(): Promise<void> {
  const kubed = await serveKubed({ stateDir: join(folder, 'kubed'), port: 0 })
  const gitd = await serveGitd({ root: join(folder, 'git'), port: 0, token: TOKEN })
  const registry = await serveRegistryd({ root: join(folder, 'registry'), port: 0 })
  const client = clientFromKubeconfig(kubed.kubeconfig)
  closers.push(
    () => kubed.close(),
    () => gitd.close(),
    () => registry.close(),
    () => client.close(),
  )
  const git = await publish(gitd)
  await pushImages(registry.host)
  const engine = await startEngine({
    client,
    clock: systemClock,
    stateDir: join(folder, 'engine'),
    artifactListen: '127.0.0.1:0',
    receiverListen: '',
    traps: 'safe',
    installCrds: true,
    registryAliases: { 'r.local': registry.host },
  })
  closers.push(() => engine.close())
  const objects = objectsOf(gitd.urlOf('config'))
  for (const object of objects) await client.create(object, { fieldManager: 'bench' })
  await until(async () => (await resolved(client)) === COUNT)
  const before = await git('rev-list', '--count', 'main')
  const startMs = performance.now()
  await client.create(automation(), { fieldManager: 'bench' })
  await until(async () => (await git('rev-list', '--count', 'main')) !== before)
  const tookMs = performance.now() - startMs
  await new Promise((resolve) => setTimeout(resolve, 500))
  const commits = Number(await git('rev-list', '--count', 'main')) - Number(before)
  const text = await git('show', 'main:deploy.yaml')
  const changed = [...text.matchAll(/:1\.1\.0 #/g)].length
  console.log(
    JSON.stringify({
      name: `${COUNT} images updated, automation made to commit at the remote`,
      value: tookMs,
      unit: 'ms',
    }),
  )
  console.log(JSON.stringify({ name: 'images changed', value: changed, unit: 'images' }))
  console.log(JSON.stringify({ name: 'commits for them', value: commits, unit: 'commits' }))
}

async function publish(gitd: Awaited<ReturnType<typeof serveGitd>>): Promise<(...argv: string[]) => Promise<string>> {
  const work = join(folder, 'work')
  mkdirSync(work)
  const lines = names().map((name) => `${name}: r.local/${name}:1.0.0 # {"$imagepolicy": "default:${name}"}`)
  writeFileSync(join(work, 'deploy.yaml'), `${lines.join('\n')}\n`)
  const inWork = (...argv: string[]) => run('git', ['-C', work, '-c', 'user.name=T', '-c', 'user.email=t@e', ...argv])
  await inWork('init', '-q', '-b', 'main')
  await inWork('add', '-A')
  await inWork('commit', '-q', '-m', 'first')
  await gitd.createRepository('config')
  await inWork('push', '-q', gitd.urlOf('config').replace('://', `://x:${TOKEN}@`), 'main')
  return async (...argv) => (await run('git', ['-C', join(folder, 'git', 'config.git'), ...argv])).stdout.trim()
}

async function pushImages(host: string): Promise<void> {
  const registry = createRegistryClient()
  const mediaType = 'application/vnd.oci.image.index.v1+json'
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, manifests: [] }))
  for (const repository of names())
    for (const tag of ['1.0.0', '1.1.0']) await registry.putManifest({ host, repository }, tag, { bytes, mediaType })
  registry.close()
}

function names(): readonly string[] {
  return Array.from({ length: COUNT }, (_one, at) => `app-${at}`)
}

function image(kind: string, name: string, spec: object): KubeObject {
  return { apiVersion: 'image.toolkit.fluxcd.io/v1', kind, metadata: { name, namespace: 'default' }, spec }
}

function objectsOf(url: string): readonly KubeObject[] {
  const metadata = { name: 'config', namespace: 'default' }
  const source = { url, interval: '1h', ref: { branch: 'main' }, secretRef: { name: 'config' } }
  return [
    { apiVersion: 'v1', kind: 'Secret', metadata, stringData: { username: 'x', password: TOKEN } },
    { apiVersion: 'source.toolkit.fluxcd.io/v1', kind: 'GitRepository', metadata, spec: source },
    ...names().flatMap((name) => [
      image('ImageRepository', name, { image: `r.local/${name}`, interval: '1h' }),
      image('ImagePolicy', name, { imageRepositoryRef: { name }, policy: { semver: { range: '*' } } }),
    ]),
  ]
}

function automation(): KubeObject {
  return image('ImageUpdateAutomation', 'all', {
    interval: '1h',
    sourceRef: { kind: 'GitRepository', name: 'config' },
    git: { commit: { author: { name: 'B', email: 'b@e' } } },
    update: { strategy: 'Setters' },
  })
}

async function resolved(client: KubeClient): Promise<number> {
  const { items } = await client.list({ apiVersion: 'image.toolkit.fluxcd.io/v1', kind: 'ImagePolicy' })
  return items.filter((one) => readText(one, 'status', 'latestRef', 'tag') === '1.1.0').length
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (const deadlineMs = performance.now() + 60_000; !(await holds());) {
    if (performance.now() > deadlineMs) throw new Error('not in 60 s')
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
