import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { clientFromKubeconfig } from '../../src/adapters/kube/client.ts'
import type { KubeObject } from '../../src/lib/kube/object.ts'
import { readText } from '../../src/lib/kube/read.ts'
import { nodeLayer, pushImage } from '../support/node-image.ts'
import { processesIn, tryKill } from '../support/processes.ts'
import { seededRandom } from '../support/seeded-random.ts'
import { keptPorts, type Product, scratch, startProduct } from './product.ts'
import { LONG_MS, until } from '../support/wait.ts'

// Workloads of every kind run while the whole product is ended and started again: no pod is made twice, no program is started twice.
const canRun = spawnSync('unshare', ['-Urmn', 'true']).status === 0
const skip = canRun ? {} : { skip: 'pods cannot run by namespaces here' }
const seed = Number(process.env.SLUICE_SEED ?? 7)
const random = seededRandom(seed)
const space = scratch()
const state = join(space.dir, 'state')
const runs = join(space.dir, 'runs')
const repository = join(space.dir, 'repository')
const ports = await keptPorts()
let product: Product

/** Pods that each workload has when all is calm. */
const PODS: Readonly<Record<string, number>> = {
  set: 3,
  controller: 2,
  deployment: 2,
  stateful: 2,
  daemon: 1,
  done: 2,
  going: 2,
}

before(async () => {
  if (!canRun) return
  console.log(`seed ${seed} (repeat with SLUICE_SEED=${seed})`)
  for (const folder of [runs, repository]) mkdirSync(folder)
  chmodSync(space.dir, 0o755)
  writeFileSync(join(runs, 'starts'), '')
  chmodSync(join(runs, 'starts'), 0o666)
  writeFileSync(join(repository, 'README.md'), 'nothing to deliver\n')
  await start()
  const { host } = new URL(product.access.registry.url)
  await pushImage(host, 'demo/runs', '1', [nodeLayer()], {})
  const client = clientFromKubeconfig(product.access.kube.kubeconfig)
  for (const object of workloads()) await client.create(object, { fieldManager: 'test' })
  await untilCalm()
})

after(async () => {
  await product?.kill('SIGTERM')
  for (const pid of processesIn(state)) tryKill(pid)
  space.release()
})

test('kill -9 while all is calm: every pod and every program goes on', { ...skip, timeout: LONG_MS }, async () => {
  const was = await seen()
  await product.kill('SIGKILL')
  await start()
  await untilCalm()
  assert.deepEqual(await seen(), was)
})

test('kill -9 again and again while it starts: the same', { ...skip, timeout: LONG_MS }, async () => {
  const was = await seen()
  for (let time = 0; time < 4; time++) {
    await product.kill('SIGKILL')
    await start()
    await sleep(random() * 1_500)
  }
  await untilCalm()
  assert.deepEqual(await seen(), was)
})

test(
  'kill -9 while workloads are being made: each gets its pods, and no more',
  { ...skip, timeout: LONG_MS },
  async () => {
    const client = clientFromKubeconfig(product.access.kube.kubeconfig)
    const more = Array.from({ length: 6 }, (_, at) => replicaSet(`late-${at}`, 2))
    for (const object of more) {
      await client.create(object, { fieldManager: 'test' })
      if (random() < 0.4) {
        await sleep(random() * 300)
        await product.kill('SIGKILL')
        await start()
      }
    }
    await untilCalm(Object.fromEntries(more.map(({ metadata: { name } }) => [name, 2])))
  },
)

test('ended and started again: the same pods, what was done stays done', { ...skip, timeout: LONG_MS }, async () => {
  const was = await seen()
  await product.kill('SIGTERM')
  await start()
  await untilCalm()
  const now = await seen()
  assert.deepEqual(now.pods, was.pods)
  const ofDone = (all: readonly string[]): readonly string[] => all.filter((line) => line.startsWith('done-'))
  assert.deepEqual(ofDone(now.starts), ofDone(was.starts))
})

async function start(): Promise<void> {
  product = await startProduct(state, repository, ['--node', 'linux', ...ports])
}

/** All pods run that are wanted, and that stays so. */
async function untilCalm(more: Readonly<Record<string, number>> = {}): Promise<void> {
  const wanted = Object.entries({ ...PODS, ...more }).sort()
  let counts: string | undefined
  const isCalm = async (): Promise<boolean> => {
    const running = (await pods()).filter((pod) => isWell(pod) && pod.metadata.deletionTimestamp === undefined)
    const names = running.map(({ metadata }) => metadata.labels?.['app'] ?? '')
    const now = wanted.map(([app]) => [app, names.filter((name) => name === app).length])
    counts = JSON.stringify(now)
    return counts === JSON.stringify(wanted)
  }
  const detail = (): string => `${counts}\n${product.output().slice(-3_000)}`
  await until('every pod runs', isCalm, detail)
  // longer than controllers that saw too little take to make pods again
  await sleep(3_000)
  await until('every pod still runs', isCalm, detail)
  const all = (await pods()).filter(({ metadata }) => wanted.some(([app]) => app === metadata.labels?.['app']))
  const sum = wanted.reduce((before, [, count]) => before + count, 0)
  assert.equal(all.length, sum, all.map(({ metadata }) => metadata.name).join(' '))
  const made = (await events()).filter((event) => readText(event, 'reason') === 'SuccessfulCreate')
  // what was made is told, unless the teller was ended before
  const names = made.map((event) => /[Cc]reated? pod: (\S+)/.exec(readText(event, 'message'))?.[1] ?? '')
  const ofWanted = new Set(names.filter((name) => wanted.some(([app]) => name.startsWith(`${app}-`))))
  assert.ok(ofWanted.size <= sum, names.join(' '))
}

function isWell(pod: KubeObject): boolean {
  const phase = readText(pod, 'status', 'phase')
  return phase === 'Succeeded' || (phase === 'Running' && starts().includes(pod.metadata.name))
}

/** Each pod, and each start of its program: a line in a file of the machine. */
async function seen(): Promise<{ readonly pods: readonly string[]; readonly starts: readonly string[] }> {
  const names = (await pods()).map(({ metadata: { name, uid } }) => `${name} ${uid}`)
  return { pods: names.sort(), starts: starts().sort() }
}

function starts(): string[] {
  return readFileSync(join(runs, 'starts'), 'utf8').trim().split('\n')
}

async function pods(): Promise<readonly KubeObject[]> {
  const client = clientFromKubeconfig(product.access.kube.kubeconfig)
  return (await client.list({ apiVersion: 'v1', kind: 'Pod', namespace: 'default' })).items
}

async function events(): Promise<readonly KubeObject[]> {
  const client = clientFromKubeconfig(product.access.kube.kubeconfig)
  return (await client.list({ apiVersion: 'v1', kind: 'Event', namespace: 'default' })).items
}

function workloads(): KubeObject[] {
  const count = (name: string): number => PODS[name] ?? 1
  const selected = (name: string): object => ({
    replicas: count(name),
    selector: { matchLabels: { app: name } },
    template: template(name),
  })
  const { replicas: _one, ...daemon } = { replicas: 1, ...selected('daemon') }
  const job = (name: string, isDone: boolean): object => ({
    ...{ parallelism: count(name), completions: count(name), ...(isDone && { backoffLimit: 0 }) },
    template: template(name, isDone ? 'Never' : 'OnFailure', isDone ? '' : ';setInterval(() => {}, 1e6)'),
  })
  return [
    replicaSet('set', count('set')),
    workload('v1', 'ReplicationController', 'controller', {
      replicas: count('controller'),
      selector: { app: 'controller' },
      template: template('controller'),
    }),
    workload('apps/v1', 'Deployment', 'deployment', selected('deployment')),
    workload('apps/v1', 'StatefulSet', 'stateful', {
      serviceName: 'stateful',
      podManagementPolicy: 'Parallel',
      ...selected('stateful'),
    }),
    workload('apps/v1', 'DaemonSet', 'daemon', daemon),
    workload('batch/v1', 'Job', 'done', job('done', true)),
    workload('batch/v1', 'Job', 'going', job('going', false)),
  ]
}

function replicaSet(name: string, replicas: number): KubeObject {
  return workload('apps/v1', 'ReplicaSet', name, {
    replicas,
    selector: { matchLabels: { app: name } },
    template: template(name),
  })
}

function workload(apiVersion: string, kind: string, name: string, spec: object): KubeObject {
  return { apiVersion, kind, metadata: { name, namespace: 'default' }, spec }
}

/** A program that writes down that it was started, and goes on or not. */
function template(app: string, restartPolicy = 'Always', then = ';setInterval(() => {}, 1e6)'): object {
  const source = `require('fs').appendFileSync('/runs/starts', process.env.HOSTNAME + '\\n');process.on('SIGTERM', () => process.exit(143))${then}`
  const container = {
    ...{ name: 'app', image: 'registry.sluice.local/demo/runs:1', command: ['node', '-e', source] },
    volumeMounts: [{ name: 'runs', mountPath: '/runs' }],
  }
  return {
    metadata: { labels: { app } },
    spec: {
      ...{
        restartPolicy,
        terminationGracePeriodSeconds: 5,
        automountServiceAccountToken: false,
        containers: [container],
      },
      volumes: [{ name: 'runs', hostPath: { path: runs } }],
    },
  }
}
