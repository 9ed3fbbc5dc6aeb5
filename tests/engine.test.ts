import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { systemClock } from '../src/adapters/clock.ts'
import { startEngine, type Engine } from '../src/adapters/engine/start.ts'
import { clientFromKubeconfig } from '../src/adapters/kube/client.ts'
import type { KubeClient } from '../src/adapters/kube/types.ts'
import { serveGitd } from '../src/embedded/gitd/serve.ts'
import { serveKubed } from '../src/embedded/kubed/serve.ts'
import type { KubeObject } from '../src/lib/kube/object.ts'
import { conditionOf, read, readText } from '../src/lib/kube/read.ts'
import { controlPlaneBinary, startControlPlane } from './lib/control-plane.ts'

/** The engine's own journeys, the same on both API servers. */
const servers = [
  { name: 'kubed', skip: false as string | false, start: startKubed },
  {
    name: 'a real API server',
    skip: controlPlaneBinary() === undefined ? 'no kube-control-plane at hand (SLUICE_PEERS)' : false,
    start: () => startControlPlane({ controllers: true }),
  },
]

for (const { name, skip, start } of servers)
  test(`the engine on ${name}`, { skip, timeout: 120_000 }, async (t) => {
    const server = await start()
    const world = await makeWorld(server.kubeconfig)
    try {
      await t.test('a push is applied, in every old version of the kinds', () => appliesPush(world))
      await t.test('what left Git is pruned', () => prunes(world))
      await t.test('drift is corrected when asked, and a second run writes nothing', () => correctsDrift(world))
      await t.test('a refused object stops its stage and is named', () => refuses(world))
      await t.test('a misspelt field prunes nothing', () => keepsOnTypo(world))
      await t.test('an object of a second owner is refused, both named', () => refusesSecondOwner(world))
      await t.test('a dependency cycle is named, others go on', () => namesCycle(world))
      await t.test('from any interruption a new engine converges', () => converges(world))
      await t.test('deletion takes what was applied along', () => deletes(world))
    } finally {
      await world.close()
      await server.stop()
    }
  })

type World = {
  readonly client: KubeClient
  readonly push: (files: Readonly<Record<string, string | null>>, message: string) => Promise<string>
  readonly restart: () => Promise<void>
  readonly ready: (name: string, commit: string) => Promise<KubeObject>
  readonly url: string
  close(): Promise<void>
}

const NS = 'apps'
const KS = 'kustomize.toolkit.fluxcd.io'
const refTo = (apiVersion: string, kind: string, name: string) => ({ apiVersion, kind, namespace: NS, name })
const configMap = (name: string, value: string): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\ndata: {v: "${value}"}\n`
const kustomization = (name: string, path: string, more: object = {}, version = 'v1'): KubeObject => ({
  apiVersion: `${KS}/${version}`,
  kind: 'Kustomization',
  metadata: { name, namespace: NS },
  spec: {
    interval: '1h',
    prune: true,
    path,
    targetNamespace: NS,
    sourceRef: { kind: 'GitRepository', name: 'app' },
    ...more,
  },
})

async function appliesPush({ client, push, ready, url }: World): Promise<void> {
  const commit = await push({ 'one/a.yaml': configMap('a', '1'), 'one/b.yaml': configMap('b', '1') }, 'first')
  await apply(client, {
    apiVersion: 'source.toolkit.fluxcd.io/v1beta2',
    kind: 'GitRepository',
    metadata: { name: 'app', namespace: NS },
    spec: { interval: '1h', url, ref: { branch: 'main' } },
  })
  await apply(client, kustomization('one', './one', { validation: 'client' }, 'v1beta2'))
  const shown = await ready('one', commit)
  assert.deepEqual(
    read(shown, 'status', 'inventory', 'entries'),
    ['a', 'b'].map((name) => ({ id: `${NS}_${name}__ConfigMap`, v: 'v1' })),
  )
  const a = await client.get(refTo('v1', 'ConfigMap', 'a'))
  assert.equal(a?.metadata.labels?.[`${KS}/name`], 'one')
}

async function prunes({ client, push, ready }: World): Promise<void> {
  await ready('one', await push({ 'one/b.yaml': null }, 'remove b'))
  assert.equal(await client.get(refTo('v1', 'ConfigMap', 'b')), undefined)
}

async function correctsDrift({ client, ready, push }: World): Promise<void> {
  const commit = await push({ 'README.md': 'x' }, 'nothing for the path')
  await ready('one', commit)
  const patch = { data: { v: 'by hand', more: 'x' } }
  await client.patch(refTo('v1', 'ConfigMap', 'a'), 'merge', patch, { fieldManager: 'kubectl-edit' })
  await ask(client, 'one', 'r1')
  const fixed = await client.get(refTo('v1', 'ConfigMap', 'a'))
  assert.deepEqual(fixed?.['data'], { v: '1' })
  await ask(client, 'one', 'r2')
  const again = await client.get(refTo('v1', 'ConfigMap', 'a'))
  assert.equal(again?.metadata.resourceVersion, fixed?.metadata.resourceVersion)
}

async function refuses({ client, push, ready }: World): Promise<void> {
  await push({ 'one/a.yaml': configMap('a', '2'), 'one/bad.yaml': configMap('Not_A_Name', '1') }, 'bad name')
  const failed = await until(client, 'one', (object) => conditionOf(object, 'Ready')?.status === 'False')
  assert.match(conditionOf(failed, 'Ready')?.message ?? '', /^ConfigMap\/apps\/Not_A_Name dry-run failed \(Invalid\)/)
  assert.deepEqual((await client.get(refTo('v1', 'ConfigMap', 'a')))?.['data'], { v: '1' })
  await ready('one', await push({ 'one/bad.yaml': null }, 'good again'))
  assert.deepEqual((await client.get(refTo('v1', 'ConfigMap', 'a')))?.['data'], { v: '2' })
}

async function keepsOnTypo({ client, push, ready }: World): Promise<void> {
  await push({ 'one/kustomization.yaml': 'resorces: [a.yaml]\n' }, 'typo')
  const failed = await until(client, 'one', (object) => conditionOf(object, 'Ready')?.reason === 'BuildFailed')
  assert.match(conditionOf(failed, 'Ready')?.message ?? '', /resorces/)
  assert.ok(await client.get(refTo('v1', 'ConfigMap', 'a')))
  await ready('one', await push({ 'one/kustomization.yaml': null }, 'no typo'))
}

async function refusesSecondOwner({ client, push }: World): Promise<void> {
  await push({ 'two/a.yaml': configMap('a', 'other') }, 'the same object again')
  await apply(client, kustomization('two', './two'))
  const failed = await until(client, 'two', (object) =>
    / belongs to /.test(conditionOf(object, 'Ready')?.message ?? ''),
  )
  assert.match(
    conditionOf(failed, 'Ready')?.message ?? '',
    /ConfigMap\/apps\/a belongs to Kustomization\/apps\/one.*apps\/two/,
  )
  await client.delete(refTo(`${KS}/v1`, 'Kustomization', 'two'))
}

async function namesCycle({ client, push, ready }: World): Promise<void> {
  await apply(client, kustomization('x', './one', { dependsOn: [{ name: 'y' }] }))
  await apply(client, kustomization('y', './one', { dependsOn: [{ name: 'x' }] }))
  const blocked = await until(client, 'x', (object) => /cycle/.test(conditionOf(object, 'Ready')?.message ?? ''))
  assert.match(conditionOf(blocked, 'Ready')?.message ?? '', /apps\/x -> apps\/y -> apps\/x/)
  await ready('one', await push({ 'one/a.yaml': configMap('a', '3') }, 'outside the cycle'))
  for (const name of ['x', 'y']) await client.delete(refTo(`${KS}/v1`, 'Kustomization', name))
}

async function converges({ client, push, ready, restart }: World): Promise<void> {
  const steps = [
    () => push({ 'one/c.yaml': configMap('c', '1') }, 'c'),
    () => push({ 'one/a.yaml': configMap('a', '4'), 'one/c.yaml': null }, 'a, no c'),
    () => push({ 'one/d.yaml': configMap('d', '1') }, 'd'),
  ]
  let commit = ''
  for (const step of steps) {
    commit = await step()
    await restart()
  }
  await client.delete(refTo('v1', 'ConfigMap', 'd'))
  await ready('one', commit)
  await ask(client, 'one', 'r3')
  assert.deepEqual((await client.get(refTo('v1', 'ConfigMap', 'a')))?.['data'], { v: '4' })
  assert.ok(await client.get(refTo('v1', 'ConfigMap', 'd')))
  assert.equal(await client.get(refTo('v1', 'ConfigMap', 'c')), undefined)
}

async function deletes({ client }: World): Promise<void> {
  await client.delete(refTo(`${KS}/v1`, 'Kustomization', 'one'))
  await eventually(async () => (await client.get(refTo(`${KS}/v1`, 'Kustomization', 'one'))) === undefined)
  assert.equal(await client.get(refTo('v1', 'ConfigMap', 'a')), undefined)
}

async function makeWorld(kubeconfig: string): Promise<World> {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-engine-'))
  const client = clientFromKubeconfig(kubeconfig)
  let engine: Engine | undefined
  const gitd = await serveGitd({
    root: join(dir, 'git'),
    port: 0,
    token: 't',
    onPush: () => engine?.gitChanged(gitd.urlOf('app')),
  })
  const start = (): Promise<Engine> =>
    startEngine({
      client,
      clock: systemClock,
      stateDir: join(dir, 'engine'),
      artifactListen: '127.0.0.1:0',
      receiverListen: '',
      traps: 'safe',
      installCrds: true,
      registryAliases: {},
    })
  engine = await start()
  await apply(client, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NS } })
  const work = join(dir, 'work')
  mkdirSync(work)
  const run = promisify(execFile)
  const git = async (...argv: string[]): Promise<string> =>
    (await run('git', ['-C', work, ...argv], { env: { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null' } })).stdout.trim()
  await run('git', ['init', '-q', '--bare', '-b', 'main', join(dir, 'git', 'app.git')])
  await git('init', '-q', '-b', 'main')
  await git('config', 'user.name', 'T')
  await git('config', 'user.email', 't@example.com')
  const url = gitd.urlOf('app')
  const withToken = url.replace('://', '://x:t@')
  return {
    client,
    url,
    async push(files, message) {
      for (const [path, content] of Object.entries(files)) {
        const full = join(work, path)
        mkdirSync(dirname(full), { recursive: true })
        if (content === null) rmSync(full)
        else writeFileSync(full, content)
      }
      await git('add', '-A')
      await git('commit', '-q', '--allow-empty', '-m', message)
      await git('push', '-q', withToken, 'HEAD:refs/heads/main')
      return await git('rev-parse', 'HEAD')
    },
    async restart() {
      await engine?.close()
      engine = await start()
    },
    ready: (name, commit) =>
      until(
        client,
        name,
        (object) =>
          conditionOf(object, 'Ready')?.status === 'True' &&
          readText(object, 'status', 'lastAppliedRevision').endsWith(commit),
      ),
    async close() {
      await engine?.close()
      await gitd.close()
      client.close()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

async function apply(client: KubeClient, object: KubeObject): Promise<void> {
  const { apiVersion, kind, metadata } = object
  const ref = { apiVersion, kind, namespace: metadata.namespace ?? '', name: metadata.name }
  await client.patch(ref, 'apply', object, { fieldManager: 'test', force: true })
}

async function ask(client: KubeClient, name: string, token: string): Promise<void> {
  const patch = { metadata: { annotations: { 'reconcile.fluxcd.io/requestedAt': token } } }
  await client.patch(refTo(`${KS}/v1`, 'Kustomization', name), 'merge', patch, { fieldManager: 'test' })
  await until(
    client,
    name,
    (object) =>
      readText(object, 'status', 'lastHandledReconcileAt') === token && conditionOf(object, 'Ready')?.status === 'True',
  )
}

async function until(client: KubeClient, name: string, holds: (object: KubeObject) => boolean): Promise<KubeObject> {
  let last: KubeObject | undefined
  await eventually(
    async () => {
      last = await client.get(refTo(`${KS}/v1`, 'Kustomization', name))
      return last !== undefined && holds(last)
    },
    () => JSON.stringify(last?.['status']),
  )
  assert.ok(last)
  return last
}

async function eventually(holds: () => Promise<boolean>, shown: () => string = () => ''): Promise<void> {
  const deadline = Date.now() + 30_000
  while (!(await holds())) {
    if (Date.now() > deadline) assert.fail(`not within 30 s: ${shown()}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

async function startKubed(): Promise<{ readonly kubeconfig: string; stop(): Promise<void> }> {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-engine-kubed-'))
  const kubed = await serveKubed({ stateDir: dir, port: 0 })
  return {
    kubeconfig: kubed.kubeconfig,
    async stop() {
      await kubed.close()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}
