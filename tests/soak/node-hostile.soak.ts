import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { MOST_PROCESSES } from '../../src/agents/node/linux/cgroup.ts'
import { nodeLayer, pushImage } from '../support/node-image.ts'
import { type NodeUser, type NodeWorld, startNodeWorld, whyNoNamespaces } from '../support/node-world.ts'
import { toolLayer } from '../support/tool-layer.ts'
import { until } from '../support/wait.ts'

const LOG_BYTES = 10 * 2 ** 20
const QUIET = `require('node:http').createServer((_, response) => response.end('here')).listen(8080)`

/** Programs that do harm. */
const HOSTILE = {
  bomb: 'bomb() { bomb | bomb & }; bomb; while :; do sleep 1; done',
  hog: 'dd if=/dev/zero of=/dev/null bs=768M count=1000000',
  flood: 'while :; do seq 1 1000000; done',
  // fails again and again, and says something each time
  crash: 'seq 1 20000; exit 1',
} as const

/** Looks at the roots of processes that come into its container, for the state folder of the machine; says so if it ever finds it. */
const WATCH = `const fs = require('node:fs')
for (const endMs = Date.now() + 20_000; Date.now() < endMs;)
  for (let pid = process.pid + 1; pid < process.pid + 300; pid++)
    try { fs.readdirSync('/proc/' + pid + '/root' + process.argv[1]); console.log('found'); process.exit() } catch {}
console.log('nothing')`

/** Root has control groups, others have not. */
const users: readonly NodeUser[] = process.getuid?.() === 0 ? ['ordinary', 'root'] : ['ordinary']
for (const user of users) {
  const why = whyNoNamespaces(user)
  const skip = why === undefined ? {} : { skip: `pods cannot run by namespaces here: ${why}` }
  test(`a fork bomb, a memory hog and floods of logs leave the rest answering (${user})`, skip, async (t) => {
    const world = await startNodeWorld({ user, driver: 'linux' })
    t.after(() => world.close())
    await startQuiet(world)
    const slowestMs = await whileHostile(t, world)
    t.diagnostic(`slowest answer of the API server or a quiet pod: ${slowestMs} ms`)
    assert.ok(slowestMs < 10_000, `${slowestMs} ms`)
  })
}

async function startQuiet(world: NodeWorld): Promise<void> {
  await pushImage(world.registry, 'demo/quiet', '1', [nodeLayer()], {})
  await pushImage(world.registry, 'evil/tools', '1', [toolLayer()], {})
  await create(world, 'quiet')
  const spec = { selector: { app: 'quiet' }, ports: [{ port: 80, targetPort: 8080 }] }
  const metadata = { name: 'quiet', namespace: 'default' }
  await world.client.create({ apiVersion: 'v1', kind: 'Service', metadata, spec }, { fieldManager: 'test' })
  await until('quiet pod', () => answers(world))
}

async function create({ client }: NodeWorld, name: keyof typeof HOSTILE | 'quiet'): Promise<void> {
  const [image, command] =
    name === 'quiet' ? ['demo/quiet:1', ['node', '-e', QUIET]] : ['evil/tools:1', ['sh', '-c', HOSTILE[name]]]
  const limits = { memory: name === 'hog' ? '64Mi' : '512Mi' }
  const container = { name: 'main', image: `registry.sluice.local/${image}`, command, resources: { limits } }
  const metadata = { name, namespace: 'default', labels: { app: name } }
  const spec = { nodeName: 'node-1', terminationGracePeriodSeconds: 1, containers: [container] }
  await client.create({ apiVersion: 'v1', kind: 'Pod', metadata, spec }, { fieldManager: 'test' })
}

/** Does one harm after the other and asks all the time; answers how long the slowest answer took. */
async function whileHostile(t: TestContext, world: NodeWorld): Promise<number> {
  let slowestMs = 0
  let isOver = false
  const asking = (async () => {
    while (!isOver) {
      const startedMs = Date.now()
      assert.ok(await world.pod('quiet'))
      assert.ok(await answers(world), 'the quiet pod answers')
      slowestMs = Math.max(slowestMs, Date.now() - startedMs)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  })()
  await create(world, 'crash')
  await watch(world)
  await hog(world)
  await flood(world)
  await crash(world)
  await bomb(t, world)
  isOver = true
  await asking
  return slowestMs
}

/** Every probe is a process that comes from outside into the container. */
async function watch(world: NodeWorld): Promise<void> {
  const command = ['node', '-e', WATCH, world.state]
  const livenessProbe = { exec: { command: ['node', '-e', '0'] }, periodSeconds: 1, failureThreshold: 100 }
  const container = { name: 'main', image: 'registry.sluice.local/demo/quiet:1', command, livenessProbe }
  const spec = { nodeName: 'node-1', restartPolicy: 'Never', containers: [container] }
  const metadata = { name: 'watch', namespace: 'default' }
  await world.client.create({ apiVersion: 'v1', kind: 'Pod', metadata, spec }, { fieldManager: 'test' })
  await until('end of the watch', async () => (await lastOf(world, 'watch')).terminated !== undefined)
  const log = readFileSync(join(await logFolder(world, 'watch'), 'main.0.log'), 'utf8')
  assert.match(log, /stdout F nothing$/m)
  await remove(world, 'watch')
}

async function hog(world: NodeWorld): Promise<void> {
  await create(world, 'hog')
  await until('end of the memory hog', async () => {
    const { terminated } = await lastOf(world, 'hog')
    return terminated?.reason === 'OOMKilled' && terminated.exitCode === 137
  })
  await remove(world, 'hog')
}

async function flood(world: NodeWorld): Promise<void> {
  await create(world, 'flood')
  await until('a log begun anew', async () => existsSync(join(await logFolder(world, 'flood'), 'main.0.log.1')))
  for (const file of ['main.0.log', 'main.0.log.1'])
    assert.ok((sizeOf(join(await logFolder(world, 'flood'), file)) ?? 0) <= LOG_BYTES, file)
  await remove(world, 'flood')
}

/** Of a container that fails for ever, the logs of the last two runs are kept and no more. */
async function crash(world: NodeWorld): Promise<void> {
  await until('third start of the one that fails', async () => (await lastOf(world, 'crash')).restarts >= 2)
  assert.ok(!readdirSync(await logFolder(world, 'crash')).includes('main.0.log'))
  await remove(world, 'crash')
}

async function bomb(t: TestContext, world: NodeWorld): Promise<void> {
  await create(world, 'bomb')
  await until('bomb', async () => processesBelow(keeperPid(world)) > 200)
  await new Promise((resolve) => setTimeout(resolve, 2_000))
  const count = processesBelow(keeperPid(world))
  t.diagnostic(`processes of the node: ${count}`)
  assert.ok(count < MOST_PROCESSES + 100, `${count} processes`)
  await remove(world, 'bomb')
  await until('end of its processes', async () => processesBelow(keeperPid(world)) < 20)
}

async function remove({ client, pod }: NodeWorld, name: string): Promise<void> {
  await client.delete({ apiVersion: 'v1', kind: 'Pod', namespace: 'default', name })
  await until(`end of ${name}`, async () => (await pod(name)) === undefined)
}

type Last = { restarts: number; terminated: { reason: string; exitCode: number } | undefined }

async function lastOf(world: NodeWorld, name: string): Promise<Last> {
  type Status = {
    containerStatuses?: { restartCount: number; state: Pick<Last, 'terminated'>; lastState: Pick<Last, 'terminated'> }[]
  }
  const status = ((await world.pod(name))?.['status'] ?? {}) as Status
  const [container] = status.containerStatuses ?? []
  const terminated = container?.state.terminated ?? container?.lastState.terminated
  return { restarts: container?.restartCount ?? 0, terminated }
}

async function answers(world: NodeWorld): Promise<boolean> {
  const answer = await fetch(world.serviceUrl('quiet', 80)).catch(() => undefined)
  return answer?.status === 200 && (await answer.text()) === 'here'
}

async function logFolder(world: NodeWorld, name: string): Promise<string> {
  const uid = (await world.pod(name))?.metadata.uid ?? ''
  return join(world.state, 'node', 'node-1', 'pods', uid, 'logs')
}

function sizeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.size
}

function keeperPid(world: NodeWorld): number {
  return JSON.parse(readFileSync(join(world.state, 'node', 'node-1', 'keeper.json'), 'utf8')).pid
}

function processesBelow(pid: number): number {
  const parents = new Map<number, number[]>()
  for (const name of readdirSync('/proc').filter((each) => /^\d+$/.test(each))) {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8')
      const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
      parents.set(parent, [...(parents.get(parent) ?? []), Number(name)])
    } catch {
      // ended by itself
    }
  }
  const count = (of: number): number => (parents.get(of) ?? []).reduce((sum, child) => sum + 1 + count(child), 0)
  return count(pid)
}
