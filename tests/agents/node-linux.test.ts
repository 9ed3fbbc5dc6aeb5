import assert from 'node:assert/strict'
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { createSocket } from 'node:dgram'
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { systemClock } from '../../src/adapters/clock.ts'
import { clientFromKubeconfig } from '../../src/adapters/kube/client.ts'
import { startWorkloads } from '../../src/agents/workloads/start.ts'
import { serveKubed } from '../../src/embedded/kubed/serve.ts'
import { serveRegistryd } from '../../src/embedded/registryd/serve.ts'
import type { KubeObject } from '../../src/lib/kube/object.ts'
import { packTar } from '../../src/lib/tar/write.ts'
import { nodeLayer, pushImage } from '../support/node-image.ts'
import { ownPorts } from '../support/own-ports.ts'
import { processesIn, tryKill } from '../support/processes.ts'
import { askSteadily } from '../support/steady-load.ts'
import { until } from '../support/wait.ts'

/** The node runs as its own process and, when the tests run as root, as an ordinary user: uid 65534. */
const ORDINARY = 65_534
const isRoot = process.getuid?.() === 0
const asUser = isRoot ? ['setpriv', '--reuid', `${ORDINARY}`, '--regid', `${ORDINARY}`, '--clear-groups', '--'] : []
const closed = whyClosed()
const skip = closed === undefined ? {} : { skip: `pods cannot run by namespaces here: ${closed}` }

const APP = (version: string): Buffer =>
  Buffer.from(`import http from 'node:http'
let broken = false
const server = http.createServer(async (request, response) => {
  const url = new URL(request.url, 'http://x')
  if (url.pathname === '/break') broken = true
  if (url.pathname === '/health') response.statusCode = broken ? 500 : 200
  if (url.pathname === '/call') return response.end(await fetch(url.searchParams.get('url')).then((r) => r.text(), (e) => 'failed ' + e.cause))
  setTimeout(() => response.end('${version} ' + process.env.HOSTNAME + ' ' + process.env.GREETING + '\\n'), 5)
})
server.listen(8080, () => console.log('listening ${version}'))
process.on('SIGTERM', () => { console.log('going'); server.close(() => process.exit(0)) })
`)

type Status = {
  phase?: string
  reason?: string
  podIP?: string
  conditions?: { type: string; status: string }[]
  containerStatuses?: {
    imageID: string
    restartCount: number
    state: { waiting?: { reason: string; message: string } }
  }[]
}

const folder = mkdtempSync(join(tmpdir(), 'sluice-node-'))
const state = join(folder, 'state')
let client: ReturnType<typeof clientFromKubeconfig>
let kubeconfig: string
let registry: { host: string }
let digest: string
let node: ChildProcess
const closers: (() => Promise<void> | void)[] = []

before(async () => {
  if (closed !== undefined) return
  chmodSync(folder, 0o755)
  const kubed = await serveKubed({ stateDir: join(folder, 'kube'), port: 0 })
  client = clientFromKubeconfig(kubed.kubeconfig)
  kubeconfig = join(folder, 'node.kubeconfig')
  cpSync(kubed.kubeconfig, kubeconfig)
  if (isRoot) chownSync(kubeconfig, ORDINARY, ORDINARY)
  const workloads = await startWorkloads({ client, clock: systemClock })
  const registryd = await serveRegistryd({ root: join(folder, 'registry'), port: 0 })
  registry = registryd
  closers.push(
    () => workloads.close(),
    () => client.close(),
    () => kubed.close(),
    () => registryd.close(),
  )
  execFileSync('mkdir', [state])
  if (isRoot) chownSync(state, ORDINARY, ORDINARY)
  const base = nodeLayer()
  for (const version of ['1.0.0', '1.1.0']) {
    const app = packTar([
      { path: 'app', type: 'directory' },
      { path: 'app/server.mjs', type: 'file', content: APP(version) },
    ])
    const pushed = await pushImage(registryd.host, 'demo/web', version, [base, app], {
      Cmd: ['node', '/app/server.mjs'],
      User: 'node',
      WorkingDir: '/app',
    })
    if (version === '1.0.0') digest = pushed
  }
  node = await startNodeProcess()
})

after(async () => {
  node?.kill('SIGKILL')
  for (const close of closers) await close()
  for (const pid of processesIn(folder)) tryKill(pid)
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
})

test('a pod of a real image runs by the Linux driver, without root, from its Deployment', skip, async (t) => {
  await client.create(configMap(), { fieldManager: 'test' })
  await client.create(service(), { fieldManager: 'test' })
  await client.create(deployment('1.0.0'), { fieldManager: 'test' })
  await eventually('two ready pods', async () => (await readyPods()).length === 2)
  const [pod] = await readyPods()
  const status = statusOf(pod)
  assert.match(status.podIP ?? '', /^10\.42\.0\.\d+$/)
  assert.equal(status.containerStatuses?.[0]?.imageID, `registry.sluice.local/demo/web@${digest}`)
  const text = await (await fetch(await serviceUrl())).text()
  assert.match(text, /^1\.0\.0 web-\S+ hello\n$/)
  const keeper = keeperPid()
  assert.equal(isRoot ? ownerOf(keeper) : ORDINARY, ORDINARY)
  t.diagnostic(
    `memory of the keeper: ${Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${keeper}/status`, 'utf8'))?.[1]) / 1024)} MiB`,
  )
})

test('a second pod of a known image is Ready soon after it is bound', skip, async (t) => {
  const startedMs = Date.now()
  await client.create(loosePod('quick', 'demo/web:1.0.0'), { fieldManager: 'test' })
  await eventually('Ready', async () => isReady(await pod('quick')))
  t.diagnostic(`created to Ready: ${Date.now() - startedMs} ms`)
  await client.delete({ apiVersion: 'v1', kind: 'Pod', namespace: 'default', name: 'quick' })
})

test('pods reach Services by name and by short name, and each other by address', skip, async () => {
  const other = statusOf((await readyPods())[1]).podIP
  for (const target of ['http://web/', 'http://web.default.svc.cluster.local/', `http://${other}:8080/`]) {
    const answer = await (await fetch(`${await serviceUrl()}/call?url=${encodeURIComponent(target)}`)).text()
    assert.match(answer, /^1\.0\.0 web-/, target)
  }
})

test(
  'a port of the node leads to the pod that asks for it, inside and outside; a second one is rejected',
  skip,
  async () => {
    const port = await ownPorts()
    const wanted = (name: string): KubeObject => {
      const { spec, ...object } = loosePod(name, 'demo/web:1.0.0') as KubeObject & { spec: { containers: object[] } }
      const ports = [{ containerPort: 8080, hostPort: port }]
      return { ...object, spec: { ...spec, containers: spec.containers.map((each) => ({ ...each, ports })) } }
    }
    await client.create(wanted('first'), { fieldManager: 'test' })
    await eventually('Ready', async () => isReady(await pod('first')))
    const ask = async () => (await fetch(`http://127.0.0.1:${port}`)).text().catch(() => '')
    await eventually('the port', async () => (await ask().catch(() => '')).startsWith('1.0.0 first'))
    const inside = encodeURIComponent(`http://10.42.0.1:${port}`)
    assert.match(await (await fetch(`${await serviceUrl()}/call?url=${inside}`)).text(), /^1\.0\.0 first/)
    const second = wanted('second')
    await client.create(
      { ...second, spec: { ...(second['spec'] as object), nodeName: 'node-1' } },
      { fieldManager: 'test' },
    )
    await eventually('the rejection', async () => statusOf(await pod('second')).phase === 'Failed')
    assert.equal(statusOf(await pod('second')).reason, 'NodePorts')
    for (const name of ['first', 'second'])
      await client.delete({ apiVersion: 'v1', kind: 'Pod', namespace: 'default', name })
    await eventually('a closed port', async () => (await ask().catch(() => 'closed')) === 'closed')
  },
)

test(
  'datagrams to a port of this machine come to the pod of a Service or by the port that it asks for',
  skip,
  async () => {
    const hostPort = await ownPorts()
    const echo = `const socket = require('node:dgram').createSocket('udp4')
    socket.on('message', (message, { port, address }) => socket.send('echo ' + message, port, address))
    socket.bind(53)`
    const ports = [{ containerPort: 53, protocol: 'UDP', hostPort }]
    const containers = [
      { name: 'dns', image: 'registry.sluice.local/demo/web:1.0.0', command: ['node', '-e', echo], ports },
    ]
    const metadata = { name: 'dns', namespace: 'default', labels: { app: 'dns' } }
    const spec = { terminationGracePeriodSeconds: 1, containers }
    const service = { type: 'NodePort', selector: { app: 'dns' }, ports: [{ port: 53, protocol: 'UDP' }] }
    await client.create({ apiVersion: 'v1', kind: 'Pod', metadata, spec }, { fieldManager: 'test' })
    const made = await client.create(
      { apiVersion: 'v1', kind: 'Service', metadata, spec: service },
      { fieldManager: 'test' },
    )
    const [{ nodePort }] = (made['spec'] as { ports: [{ nodePort: number }] }).ports
    const socket = createSocket('udp4').unref()
    let heard = ''
    socket.on('message', (message) => (heard = String(message)))
    for (const port of [hostPort, nodePort])
      await eventually(`an answer of port ${port}`, async () => {
        socket.send(String(port), port, '127.0.0.1')
        return heard === `echo ${port}`
      })
    socket.close()
    for (const kind of ['Pod', 'Service'])
      await client.delete({ apiVersion: 'v1', kind, namespace: 'default', name: 'dns' })
  },
)

test('a rolling update at 200 requests a second drops nothing', skip, async (t) => {
  const load = askSteadily(await serviceUrl())
  const ref = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'default', name: 'web' }
  const template = { spec: { containers: [{ name: 'web', image: 'registry.sluice.local/demo/web:1.1.0' }] } }
  await client.patch(ref, 'strategic', { spec: { template } }, { fieldManager: 'test' })
  await eventually('the rollout', async () => {
    const found = await readyPods()
    const all = await pods()
    return (
      found.length === 2 && all.length === 2 && found.every((one) => JSON.stringify(one['spec']).includes(':1.1.0'))
    )
  })
  const { sent, answers, failures } = await load.stop()
  t.diagnostic(`${sent} requests`)
  assert.deepEqual(failures, [])
  for (const version of ['1.0.0', '1.1.0'])
    assert.ok(
      answers.some((text) => text.startsWith(`${version} `)),
      version,
    )
})

test('a failing liveness probe restarts the container; both logs can be read', skip, async () => {
  await client.create(loosePod('ill', 'demo/web:1.0.0'), { fieldManager: 'test' })
  await eventually('Ready', async () => isReady(await pod('ill')))
  const ip = statusOf(await pod('ill')).podIP
  await (await fetch(`${await serviceUrl()}/call?url=${encodeURIComponent(`http://${ip}:8080/break`)}`)).text()
  await eventually('a restart', async () => statusOf(await pod('ill')).containerStatuses?.[0]?.restartCount === 1)
  const log = async (query: string) =>
    (await client.raw('GET', `/api/v1/namespaces/default/pods/ill/log?${query}`)).text
  await eventually('the new log', async () => (await log('')) === 'listening 1.0.0\n')
  assert.equal(await log('previous=true'), 'listening 1.0.0\ngoing\n')
  assert.match(await log('timestamps=true&tailLines=1'), /^\d{4}-\d\d-\d\dT[\d:.]+Z listening 1\.0\.0\n$/)
  const events = await client.list({ apiVersion: 'v1', kind: 'Event', namespace: 'default' })
  const reasons = events.items
    .filter((event) => JSON.stringify(event['involvedObject']).includes('"ill"'))
    .map((event) => event['reason'])
  for (const reason of ['Unhealthy', 'Killing', 'Pulled', 'Created', 'Started'])
    assert.ok(reasons.includes(reason), reason)
})

test('kill -9 of the node: pods go on, and the next node takes them over', skip, async () => {
  const url = await serviceUrl()
  const keeper = keeperPid()
  const before = (await pods()).map((one) => one.metadata.uid).sort()
  node.kill('SIGKILL')
  await new Promise((resolve) => node.once('exit', resolve))
  assert.ok(existsSync(`/proc/${keeper}`))
  node = await startNodeProcess()
  await eventually('the Service', async () => (await fetch(url).catch(() => undefined))?.status === 200)
  assert.equal(await serviceUrl(), url)
  assert.equal(keeperPid(), keeper)
  assert.deepEqual((await pods()).map((one) => one.metadata.uid).sort(), before)
  for (const one of await readyPods()) assert.ok((statusOf(one).containerStatuses?.[0]?.restartCount ?? 9) <= 1)
})

test(
  'a node that was killed while it made the network of a pod makes it anew; a folder of a pod that is gone goes',
  skip,
  async () => {
    const [victim] = await readyPods()
    const uid = victim?.metadata.uid ?? ''
    node.kill('SIGKILL')
    await new Promise((resolve) => node.once('exit', resolve))
    const sandbox = processesOf(keeperPid()).find((pid) => nameOf(pid) === victim?.metadata.name)
    assert.ok(sandbox)
    const inPod = ['nsenter', '-t', `${sandbox}`, '-U', '-n', '--preserve-credentials', '--']
    const words = [...asUser, ...inPod, 'ip', 'link', 'del', 'eth0']
    execFileSync(words[0] ?? '', words.slice(1))
    const left = join(state, 'node', 'node-1', 'pods', 'of-nobody')
    const make = [...asUser, 'mkdir', '-p', join(left, 'logs')]
    execFileSync(make[0] ?? '', make.slice(1))
    node = await startNodeProcess()
    const containersOf = async () => statusOf((await pods()).find((one) => one.metadata.uid === uid)).containerStatuses
    await eventually(
      'a new container in a new network',
      async () => ((await containersOf())?.[0]?.restartCount ?? 0) > 0,
    )
    await eventually('both ready again', async () => (await readyPods()).length === 2)
    await eventually('no folder of nobody', async () => !existsSync(left))
  },
)

test('hostile images are refused and say why; nothing lands outside', skip, async () => {
  const evil = Buffer.from('evil')
  const cases: [string, Parameters<typeof packTar>[0], RegExp][] = [
    ['dots', [{ path: '../../../../tmp/sluice-evil', type: 'file', content: evil }], /leaves the image/],
    ['device', [{ path: 'dev/sda', type: 'block' }], /device node/],
    ['hardlink', [{ path: 'x', type: 'link', linkPath: '../../../../etc/passwd' }], /leaves the image/],
    ['whiteout', [{ path: 'a/.wh...', type: 'file' }], /has no name/],
  ]
  for (const [name, entries, wanted] of cases) {
    await pushImage(registry.host, `evil/${name}`, '1', [packTar(entries)], { Cmd: ['/x'] })
    await client.create(loosePod(`evil-${name}`, `evil/${name}:1`), { fieldManager: 'test' })
    await eventually(`refusal of ${name}`, async () =>
      wanted.test(statusOf(await pod(`evil-${name}`)).containerStatuses?.[0]?.state.waiting?.message ?? ''),
    )
  }
  const link = packTar([
    { path: 'up', type: 'symlink', linkPath: '../../../../../../../tmp' },
    { path: 'up/sluice-evil', type: 'file', content: evil },
  ])
  await pushImage(registry.host, 'evil/link', '1', [link], { Cmd: ['/x'] })
  await client.create(loosePod('evil-link', 'evil/link:1'), { fieldManager: 'test' })
  await eventually(
    'the image with a link',
    async () => statusOf(await pod('evil-link')).containerStatuses?.[0]?.imageID !== '',
  )
  assert.ok(!existsSync('/tmp/sluice-evil'))
})

test('a claim is given a folder of this machine, which outlives its pods and goes with it', skip, async () => {
  const metadata = { name: 'local', namespace: 'default' }
  const local = { kind: 'StorageClass', provisioner: 'sluice.dev/local', volumeBindingMode: 'WaitForFirstConsumer' }
  await client.create(
    { apiVersion: 'storage.k8s.io/v1', ...local, metadata: { name: 'local' } },
    { fieldManager: 'test' },
  )
  const spec = {
    storageClassName: 'local',
    accessModes: ['ReadWriteOnce'],
    resources: { requests: { storage: '1Gi' } },
  }
  const claim = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata, spec }
  await client.create(claim, { fieldManager: 'test' })
  for (const [name, code] of [
    ['writes', "fs.writeFileSync('/data/kept', 'x')"],
    ['reads', "process.exit(fs.readFileSync('/data/kept', 'utf8') === 'x' ? 0 : 1)"],
  ] as const) {
    const container = { name, image: 'registry.sluice.local/demo/web:1.0.0', command: ['node', '-e', code] }
    const volumes = [{ name: 'data', persistentVolumeClaim: { claimName: 'local' } }]
    const containers = [{ ...container, volumeMounts: [{ name: 'data', mountPath: '/data' }] }]
    const runs = { restartPolicy: 'Never', containers, volumes }
    await client.create({ ...loosePod(name, ''), spec: runs }, { fieldManager: 'test' })
    await eventually(`end of ${name}`, async () => /Succeeded|Failed/.test(statusOf(await pod(name)).phase ?? ''))
    assert.equal(statusOf(await pod(name)).phase, 'Succeeded')
    await client.delete({ apiVersion: 'v1', kind: 'Pod', namespace: 'default', name })
  }
  const folders = (): string[] => readdirSync(join(state, 'node', 'node-1', 'volumes'))
  assert.equal(folders().length, 1)
  await client.delete({ apiVersion: 'v1', kind: claim.kind, ...metadata })
  await eventually('end of the folder', async () => folders().length === 0)
})

test('the end of the node leaves no process and no mount', skip, async () => {
  const keeper = keeperPid()
  const kept = processesOf(keeper)
  assert.ok(kept.length > 2)
  node.kill('SIGTERM')
  await new Promise((resolve) => node.once('exit', resolve))
  await eventually('the end', async () => kept.every((pid) => !isAlive(pid)))
  assert.ok(!readFileSync('/proc/mounts', 'utf8').includes(folder))
})

async function startNodeProcess(): Promise<ChildProcess> {
  const words = [
    'node',
    '--kubeconfig',
    kubeconfig,
    '--name',
    'node-1',
    '--driver',
    'linux',
    '--state',
    state,
    '--registry',
    registry.host,
  ]
  const argv = [...asUser, process.execPath, join(process.cwd(), 'dist', 'sluice.mjs'), ...words]
  const child = spawn(argv[0] ?? '', argv.slice(1), { stdio: ['ignore', 'pipe', 'inherit'] })
  await new Promise<void>((resolve, reject) => {
    child.stdout?.once('data', () => resolve())
    child.once('exit', (code) => reject(new Error(`the node ended with ${code}`)))
  })
  return child
}

function whyClosed(): string | undefined {
  if (process.platform !== 'linux') return 'no Linux'
  try {
    const words = [...asUser, 'unshare', '-Urmn', 'true']
    execFileSync(words[0] ?? '', words.slice(1), { stdio: 'pipe' })
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message.split('\n').slice(0, 2).join(' ') : String(error)
  }
}

async function eventually(what: string, check: () => Promise<boolean>): Promise<void> {
  await until(what, check, async () => JSON.stringify((await pods()).map((one) => one['status'])))
}

async function pods(): Promise<readonly KubeObject[]> {
  return (await client.list({ apiVersion: 'v1', kind: 'Pod', namespace: 'default', labelSelector: 'app=web' })).items
}

async function readyPods(): Promise<readonly KubeObject[]> {
  return (await pods()).filter(isReady)
}

async function pod(name: string): Promise<KubeObject | undefined> {
  return client.get({ apiVersion: 'v1', kind: 'Pod', namespace: 'default', name })
}

function statusOf(object: KubeObject | undefined): Status {
  return (object?.['status'] ?? {}) as Status
}

function isReady(object: KubeObject | undefined): boolean {
  return statusOf(object).conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true
}

async function serviceUrl(): Promise<string> {
  const file = join(state, 'node', 'node-1', 'service-ports.json')
  const port = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8'))['default/web:80'] : undefined
  assert.ok(Number.isInteger(port), 'the Service has a port of the host')
  return `http://127.0.0.1:${port}`
}

function keeperPid(): number {
  return JSON.parse(readFileSync(join(state, 'node', 'node-1', 'keeper.json'), 'utf8')).pid
}

function ownerOf(pid: number): number {
  return Number(/^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
}

/** Everything that shares the keeper's user namespace. */
function processesOf(keeper: number): number[] {
  const namespace = readlinkSync(`/proc/${keeper}/ns/user`)
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return readlinkSync(`/proc/${pid}/ns/user`) === namespace
      } catch {
        return false
      }
    })
}

/** The host name that a process sees, when it waits in a pod's sandbox. */
function nameOf(pid: number): string | undefined {
  const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  if (!command.startsWith('sleep\0infinity')) return undefined
  return execFileSync('nsenter', ['-t', `${pid}`, '-u', '--', 'hostname'], { encoding: 'utf8' }).trim()
}

function isAlive(pid: number): boolean {
  return existsSync(`/proc/${pid}`) && !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
}

function configMap(): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'greeting', namespace: 'default' },
    data: { text: 'hello' },
  }
}

function service(): KubeObject {
  const spec = { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 8080 }] }
  return { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web', namespace: 'default' }, spec }
}

function podSpec(image: string): object {
  const httpGet = { path: '/health', port: 8080 }
  return {
    terminationGracePeriodSeconds: 10,
    containers: [
      {
        name: 'web',
        image: `registry.sluice.local/${image}`,
        env: [{ name: 'GREETING', valueFrom: { configMapKeyRef: { name: 'greeting', key: 'text' } } }],
        startupProbe: { httpGet, periodSeconds: 1, failureThreshold: 120 },
        readinessProbe: { httpGet, periodSeconds: 1, timeoutSeconds: 5 },
        livenessProbe: { httpGet, periodSeconds: 1, failureThreshold: 2, timeoutSeconds: 5 },
        resources: { limits: { memory: '256Mi', cpu: '1' }, requests: { memory: '32Mi', cpu: '20m' } },
      },
    ],
  }
}

function deployment(version: string): KubeObject {
  const labels = { app: 'web' }
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'default' },
    spec: {
      replicas: 2,
      strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: podSpec(`demo/web:${version}`) },
    },
  }
}

function loosePod(name: string, image: string): KubeObject {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'default' }, spec: podSpec(image) }
}
