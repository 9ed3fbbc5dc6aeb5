import assert from 'node:assert/strict'
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { systemClock } from '../../src/adapters/clock.ts'
import { clientFromKubeconfig } from '../../src/adapters/kube/client.ts'
import type { KubeClient } from '../../src/adapters/kube/types.ts'
import { watchCache } from '../../src/adapters/kube/watch-cache.ts'
import { serveGitd } from '../../src/embedded/gitd/serve.ts'
import { readText } from '../../src/lib/kube/read.ts'
import { controlPlaneBinary, startControlPlane } from '../lib/control-plane.ts'
import { type FaultProxy, openFaultProxy } from '../lib/fault-proxy.ts'
import { eventually } from '../support/engine-world.ts'
import { LONG_MS } from '../support/wait.ts'

// What goes wrong between an engine and the API server: nothing is lost, nothing applied twice, and it says what is going on. Two engine
// processes, each with a way of its own to the server; the lease is short, so that a death is soon noticed.
const skip = controlPlaneBinary() === undefined ? 'no kube-control-plane at hand (SLUICE_PEERS)' : false
const LEASE = ['--leader-election-lease-duration', '4s', '--leader-election-renew-deadline', '3s']
const NS = 'faults'
/** How long the API server is gone: a moment in every run, a minute in the soak. */
const OUTAGE_MS = Number(process.env['SLUICE_OUTAGE_MS'] ?? 3_500)

test('an engine and its double, through faults of the API server', { skip, timeout: LONG_MS }, async (t) => {
  const world = await makeWorld()
  try {
    await t.test('one of two leads, the other waits and says for whom', () => oneLeads(world))
    await t.test('the API server is gone for a while', () => survivesOutage(world))
    await t.test('a burst of 5xx', () => survivesErrors(world))
    await t.test('a storm of conflicts', () => survivesConflicts(world))
    await t.test('watches are cut', () => survivesCuts(world))
    await t.test('the leader is cut off: the other takes over, and the first changes nothing when it comes back', () =>
      handsOver(world),
    )
    await t.test('the leader is killed: the other takes over', () => takesOver(world))
  } finally {
    await world.close()
  }
})

type Engine = {
  readonly dir: string
  readonly process: ChildProcess
  readonly proxy: FaultProxy
  readonly said: () => string
}
type World = {
  readonly engines: Engine[]
  /** Commits one value, and waits until the cluster has it; fails when the object was written more than once for it. */
  readonly deliver: (meanwhile?: () => Promise<void>) => Promise<void>
  readonly leader: () => Engine
  readonly other: () => Engine
  close(): Promise<void>
}

async function oneLeads({ deliver, leader, other }: World): Promise<void> {
  await deliver()
  await eventually(
    () => /waiting: .* leads/.test(other().said()),
    () => other().said(),
  )
  const worked = (engine: Engine): string[] => engine.proxy.writes.filter((write) => !/leases/.test(write))
  assert.deepEqual(worked(other()), [])
  assert.ok(worked(leader()).length > 0)
}

async function survivesOutage({ deliver, leader, engines }: World): Promise<void> {
  await deliver(async () => {
    for (const { proxy } of engines) proxy.setDown(true)
    await new Promise((resolve) => setTimeout(resolve, OUTAGE_MS))
    for (const { proxy } of engines) proxy.setDown(false)
  })
  assert.match(leader().said(), /the lease is lost|cannot reach the lease/)
}

async function survivesErrors({ deliver, leader }: World): Promise<void> {
  const { proxy } = leader()
  let at = 0
  proxy.fail(500, ({ url = '' }) => !/leases|watch=/.test(url) && at++ % 3 !== 0, 12)
  await deliver()
}

async function survivesConflicts({ deliver, leader }: World): Promise<void> {
  const { proxy } = leader()
  // A write that is refused again and again is tried later and later: four are over in some ten seconds, with one lost connection in a minute.
  proxy.fail(409, ({ method, url = '' }) => method !== 'GET' && !/leases/.test(url), 4)
  await deliver()
}

async function survivesCuts({ deliver, leader }: World): Promise<void> {
  leader().proxy.cut()
  await deliver(async () => leader().proxy.cut())
}

async function handsOver(world: World): Promise<void> {
  const before = world.leader()
  before.proxy.setDown(true)
  await eventually(
    () => world.leader() !== before,
    () => before.said(),
  )
  await world.deliver()
  const count = before.proxy.writes.length
  before.proxy.setDown(false)
  await world.deliver()
  const later = before.proxy.writes.slice(count).filter((write) => !/leases/.test(write))
  assert.deepEqual(later, [])
}

async function takesOver(world: World): Promise<void> {
  const before = world.leader()
  before.process.kill('SIGKILL')
  await eventually(() => world.leader() !== before)
  await world.deliver()
}

async function makeWorld(): Promise<World> {
  const server = await startControlPlane({ controllers: false })
  const client = clientFromKubeconfig(server.kubeconfig)
  const dir = mkdtempSync(join(tmpdir(), 'sluice-faults-'))
  const gitd = await serveGitd({ root: join(dir, 'git'), port: 0, token: 't', onPush: () => undefined })
  const push = await openRepository(dir, gitd.urlOf('app').replace('://', '://x:t@'))
  await client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NS } }, { fieldManager: 'test' })
  const engines: Engine[] = []
  for (const name of ['a', 'b']) engines.push(await startEngineProcess(join(dir, name), server))
  await eventually(async () => (await client.resource('kustomize.toolkit.fluxcd.io/v1', 'Kustomization')) !== undefined)
  await push('0')
  await makeObjects(client, gitd.urlOf('app'))
  const options = { clock: systemClock }
  const lease = watchCache(
    client,
    { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', namespace: 'kube-system' },
    options,
  )
  const maps = watchCache(client, { apiVersion: 'v1', kind: 'ConfigMap', namespace: NS }, options)
  await Promise.all([lease.ready, maps.ready])
  const seen: string[] = []
  maps.onChange((object) => {
    if (object.metadata.name === 'a') seen.push(readText(object, 'data', 'v'))
  })
  const leader = (): Engine => {
    const holder = readText(lease.get('kube-system', 'sluice-leader-election'), 'spec', 'holderIdentity')
    const found = engines.find(({ dir: own }) => holder !== '' && identityOf(own) === holder)
    return found ?? engines[0]!
  }
  let value = 0
  return {
    leader,
    engines,
    other: () => engines.find((engine) => engine !== leader())!,
    async deliver(meanwhile) {
      const wanted = String(++value)
      const commit = await push(wanted)
      const asking = ask(client, wanted)
      await meanwhile?.()
      await asking
      const shown = () => JSON.stringify([seen, engines.map(({ said }) => said().slice(-1500))])
      await eventually(() => seen.at(-1) === wanted, shown)
      await eventually(async () => (await revisionOf(client)).endsWith(commit), shown)
      assert.equal(seen.filter((one) => one === wanted).length, 1, `${wanted} was written more than once`)
    },
    async close() {
      for (const engine of engines) {
        engine.process.kill('SIGKILL')
        await engine.proxy.close()
      }
      lease.close()
      maps.close()
      client.close()
      await gitd.close()
      await server.stop()
      rmSync(dir, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

async function startEngineProcess(
  dir: string,
  server: { readonly server: string; readonly token: string },
): Promise<Engine> {
  const proxy = await openFaultProxy(server.server, server.token)
  const kubeconfig = `${dir}.kubeconfig`
  const cluster = { name: 'c', cluster: { server: proxy.url } }
  const context = { name: 'x', context: { cluster: 'c', user: 'u' } }
  const users = [{ name: 'u', user: { token: 'added on the way' } }]
  writeFileSync(
    kubeconfig,
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [cluster],
      contexts: [context],
      users,
      'current-context': 'x',
    }),
  )
  const listen = ['--artifact-listen', '127.0.0.1:0', '--receiver-listen', '127.0.0.1:0', '--state', dir]
  const argv = [
    'dist/sluice.mjs',
    'engine',
    '--kubeconfig',
    kubeconfig,
    ...listen,
    ...LEASE,
    '--leader-election-retry-period',
    '1s',
  ]
  const process = spawn('node', argv, { stdio: ['ignore', 'pipe', 'pipe'] })
  let text = ''
  for (const stream of [process.stdout, process.stderr])
    stream.on('data', (chunk: Buffer) => (text += chunk.toString('utf8')))
  const engine = { dir, process, proxy, said: () => text }
  await eventually(
    () => /"artifacts"|waiting: /.test(text),
    () => text,
  )
  return engine
}

/** The name that an engine keeps in its state folder. */
function identityOf(dir: string): string {
  return readText(JSON.parse(readFileSync(join(dir, 'engine/identity.json'), 'utf8')), 'identity')
}

async function openRepository(dir: string, url: string): Promise<(value: string) => Promise<string>> {
  const work = join(dir, 'work')
  mkdirSync(join(work, 'deploy'), { recursive: true })
  const run = promisify(execFile)
  const git = async (...argv: string[]): Promise<string> =>
    (await run('git', ['-C', work, '-c', 'user.name=T', '-c', 'user.email=t@example.com', ...argv])).stdout.trim()
  await run('git', ['init', '-q', '--bare', '-b', 'main', join(dir, 'git', 'app.git')])
  await git('init', '-q', '-b', 'main')
  return async (value) => {
    writeFileSync(
      join(work, 'deploy/a.yaml'),
      `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {v: "${value}"}\n`,
    )
    await git('add', '-A')
    await git('commit', '-q', '-m', value)
    await git('push', '-q', url, 'main')
    return git('rev-parse', 'HEAD')
  }
}

async function makeObjects(client: KubeClient, url: string): Promise<void> {
  const by = { fieldManager: 'test' }
  const metadata = { name: 'app', namespace: NS }
  const ref = { branch: 'main' }
  await client.create(
    { apiVersion: 'source.toolkit.fluxcd.io/v1', kind: 'GitRepository', metadata, spec: { interval: '1h', url, ref } },
    by,
  )
  const sourceRef = { kind: 'GitRepository', name: 'app' }
  const spec = { interval: '1h', prune: true, path: './deploy', targetNamespace: NS, sourceRef }
  await client.create({ apiVersion: 'kustomize.toolkit.fluxcd.io/v1', kind: 'Kustomization', metadata, spec }, by)
}

async function ask(client: KubeClient, token: string): Promise<void> {
  const ref = { apiVersion: 'source.toolkit.fluxcd.io/v1', kind: 'GitRepository', namespace: NS, name: 'app' }
  const annotations = { 'reconcile.fluxcd.io/requestedAt': token }
  await client.patch(ref, 'merge', { metadata: { annotations } }, { fieldManager: 'test' })
}

async function revisionOf(client: KubeClient): Promise<string> {
  const ref = { apiVersion: 'kustomize.toolkit.fluxcd.io/v1', kind: 'Kustomization', namespace: NS, name: 'app' }
  return readText(await client.get(ref), 'status', 'lastAppliedRevision')
}
