import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { systemClock } from '../../src/adapters/clock.ts'
import { clientFromKubeconfig } from '../../src/adapters/kube/client.ts'
import { startNode, type RunningNode } from '../../src/agents/node/start.ts'
import { startWorkloads } from '../../src/agents/workloads/start.ts'
import { serveKubed } from '../../src/embedded/kubed/serve.ts'
import { serveRegistryd } from '../../src/embedded/registryd/serve.ts'
import type { KubeObject } from '../../src/lib/kube/object.ts'
import { packTar } from '../../src/lib/tar/write.ts'
import { pushImage } from '../support/node-image.ts'
import { until } from '../support/wait.ts'

const skip = process.platform === 'linux' ? {} : { skip: 'the driver "process" needs Linux' }
const as = { fieldManager: 'test' }

/** What it was told by a file of the image, a file of a volume, an argument; and what another pod says. */
const APP = Buffer.from(`import http from 'node:http'
import { readFileSync } from 'node:fs'
const server = http.createServer(async (request, response) => {
  const url = new URL(request.url, 'http://x')
  if (url.pathname === '/variable') url.searchParams.set('url', 'http://' + process.env.WEB_SERVICE_HOST + ':' + process.env.WEB_SERVICE_PORT)
  if (url.pathname !== '/') return response.end(await fetch(url.searchParams.get('url')).then((r) => r.text(), (e) => 'failed ' + e.cause))
  const text = [process.cwd().endsWith('/app'), process.env.HOSTNAME, process.env.GREETING, readFileSync(process.argv[2], 'utf8')]
  response.end(text.join(' ') + '\\n')
})
server.listen(8080, '0.0.0.0', () => console.log('listening'))
process.on('SIGTERM', () => { console.log('going'); server.close(() => process.exit(0)) })
`)

const folder = mkdtempSync(join(tmpdir(), 'sluice-node-process-'))
let client: ReturnType<typeof clientFromKubeconfig>
let node: RunningNode
let start: () => Promise<RunningNode>
const closers: (() => Promise<void> | void)[] = []

before(async () => {
  if ('skip' in skip) return
  const kubed = await serveKubed({ stateDir: join(folder, 'kube'), port: 0 })
  client = clientFromKubeconfig(kubed.kubeconfig)
  const workloads = await startWorkloads({ client, clock: systemClock })
  const registryd = await serveRegistryd({ root: join(folder, 'registry'), port: 0 })
  closers.push(
    () => workloads.close(),
    () => client.close(),
    () => kubed.close(),
    () => registryd.close(),
  )
  const app = packTar([
    { path: 'app', type: 'directory' },
    { path: 'app/server.mjs', type: 'file', content: APP },
    // of another machine: this one's own takes its place
    { path: 'usr/bin/node', type: 'file', mode: 0o755, content: Buffer.from('\x7fELF not for here') },
  ])
  const config = { Cmd: ['node', '/app/server.mjs', '/config/text'], User: 'node', WorkingDir: '/app' }
  await pushImage(registryd.host, 'demo/web', '1.0.0', [app], config)
  await pushImage(registryd.host, 'demo/none', '1.0.0', [app], { Cmd: ['/bin/missing'] })
  const registry = { alias: 'registry.sluice.local', url: registryd.url }
  start = () =>
    startNode({
      client,
      clock: systemClock,
      name: 'node-1',
      driver: 'process',
      stateDir: join(folder, 'node'),
      registry,
    })
  node = await start()
})

after(async () => {
  await node?.close({ stopPods: true })
  for (const close of closers) await close()
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
})

test('the node says that it does not isolate', skip, async () => {
  const object = await client.get({ apiVersion: 'v1', kind: 'Node', namespace: '', name: 'node-1' })
  assert.equal(object?.metadata.labels?.['sluice.dev/isolated'], 'false')
  await eventually('the event', async () => {
    const { items } = await client.list({ apiVersion: 'v1', kind: 'Event' })
    return items.some((event) => event['reason'] === 'Limited' && /not isolated/.test(String(event['message'])))
  })
})

test('two replicas on one port, from files of the image and of a volume, behind a Service', skip, async () => {
  await client.create(configMap(), as)
  await client.create(service(), as)
  await client.create(deployment(), as)
  await eventually('two ready pods', async () => (await ready()).length === 2)
  const ips = (await ready()).map((pod) => statusOf(pod).podIP ?? '')
  assert.equal(new Set(ips).size, 2)
  for (const ip of ips) assert.match(ip, /^127\.\d+\.\d+\.\d+$/)
  const seen = new Set<string>()
  // a Service follows the readiness of its pods
  await eventually('both pods behind the Service', async () => seen.add(await ask('/')).size === 2)
  for (const text of seen) assert.match(text, /^true web-\S+ hello from a volume\n$/)
})

test('pods reach Services by name, by variable and each other by address', skip, async () => {
  const [, other] = await ready()
  for (const url of ['http://web/', 'http://web.default.svc.cluster.local/', `http://${statusOf(other).podIP}:8080/`])
    assert.match(await ask(`/call?url=${encodeURIComponent(url)}`), /^true web-/, url)
  assert.match(await ask('/variable'), /^true web-/)
  assert.match(await ask(`/call?url=${encodeURIComponent('http://elsewhere.invalid/')}`), /^failed/)
})

test('another start takes the pods over; none is started again', skip, async () => {
  const before = keeper()
  await node.close({ stopPods: false })
  node = await start()
  await eventually('the Service', async () => node.serviceUrl('default', 'web') !== undefined)
  assert.match(await ask('/'), /^true web-/)
  assert.equal(keeper(), before)
  assert.deepEqual(
    (await ready()).map((pod) => statusOf(pod).containerStatuses?.[0]?.restartCount),
    [0, 0],
  )
})

test('a pod ends by SIGTERM and leaves no folder; a program that is not there is named', skip, async () => {
  const [pod] = await ready()
  const uid = pod?.metadata.uid ?? ''
  const at = join(folder, 'node', 'process', 'pods', uid)
  assert.match(readFileSync(join(at, 'logs', 'web.0.log'), 'utf8'), /listening/)
  await client.delete({ apiVersion: 'v1', kind: 'Pod', namespace: 'default', name: pod?.metadata.name ?? '' })
  await eventually('the end of its folder', async () => !existsSync(at))
  await eventually('its successor', async () => (await ready()).length === 2)
  const spec = { containers: [{ name: 'web', image: 'registry.sluice.local/demo/none:1.0.0' }], nodeName: 'node-1' }
  const metadata = { name: 'none', namespace: 'default' }
  await client.create({ apiVersion: 'v1', kind: 'Pod', metadata, spec }, as)
  await eventually('its cause', async () => {
    const none = await client.get({ apiVersion: 'v1', kind: 'Pod', namespace: 'default', name: 'none' })
    return /has no program .+missing/.test(JSON.stringify(statusOf(none)))
  })
})

test('a container whose postStart hook fails is ended, and told as a kubelet tells it', skip, async () => {
  const command = ['node', '-e', 'process.on("SIGTERM", () => process.exit(0)); setInterval(() => 0, 1000)']
  const lifecycle = { postStart: { exec: { command: ['node', '-e', 'process.exit(3)'] } } }
  const container = { name: 'hooked', image: 'registry.sluice.local/demo/web:1.0.0', command, lifecycle }
  const metadata = { name: 'hooked', namespace: 'default' }
  const spec = { containers: [container], nodeName: 'node-1', restartPolicy: 'Never' }
  await client.create({ apiVersion: 'v1', kind: 'Pod', metadata, spec }, as)
  const told = async (): Promise<string[]> => {
    const { items } = await client.list({ apiVersion: 'v1', kind: 'Event', namespace: 'default' })
    return items
      .filter((event) => (event['involvedObject'] as { name?: string }).name === 'hooked')
      .map((event) => `${String(event['reason'])}: ${String(event['message'])}`)
  }
  await eventually('its end', async () => {
    const pod = await client.get({ apiVersion: 'v1', kind: 'Pod', namespace: 'default', name: 'hooked' })
    return ['Succeeded', 'Failed'].includes(statusOf(pod).phase ?? '')
  })
  const wanted = [
    'Started: Container started',
    'FailedPostStartHook: PostStartHook failed',
    'Killing: FailedPostStartHook',
  ]
  await eventually('its Events', async () => {
    const all = await told()
    return wanted.every((each) => all.includes(each))
  })
})

const image = 'registry.sluice.local/demo/web:1.0.0'
const shared = { volumeMounts: [{ name: 'shared', mountPath: '/shared' }] }
const scratchVolume = { volumes: [{ name: 'shared', emptyDir: {} }] }

test('a rule starts all containers anew, and only once; a variable comes from a file of the first', skip, async () => {
  const write = "require('fs').appendFileSync(process.argv[1], `ROUND='${process.pid}'\\n`)"
  const once = `const fs = require('fs'); const isAgain = fs.existsSync(process.argv[1]); fs.appendFileSync(process.argv[1], 'x')
    setTimeout(() => isAgain || process.exit(42), 300); setInterval(() => 0, 1000)`
  const valueFrom = { fileKeyRef: { volumeName: 'shared', path: 'first.env', key: 'ROUND' } }
  const wait = 'setInterval(() => 0, 1000); if (!process.env.ROUND) process.exit(1)'
  const rule = { action: 'RestartAllContainers', exitCodes: { operator: 'In', values: [42] } }
  const spec = {
    ...{ nodeName: 'node-1', restartPolicy: 'Never', terminationGracePeriodSeconds: 1, ...scratchVolume },
    initContainers: [{ name: 'first', image, command: ['node', '-e', write, '/shared/first.env'], ...shared }],
    containers: [
      {
        name: 'web',
        image,
        restartPolicy: 'Never',
        restartPolicyRules: [rule],
        command: ['node', '-e', once, '/shared/mark'],
        ...shared,
      },
      { name: 'other', image, command: ['node', '-e', wait], env: [{ name: 'ROUND', valueFrom }], ...shared },
    ],
  }
  await client.create({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'anew', namespace: 'default' }, spec }, as)
  let status: Status = {}
  await eventually('all to run again', async () => {
    status = statusOf(await client.get({ apiVersion: 'v1', kind: 'Pod', namespace: 'default', name: 'anew' }))
    const { containerStatuses: all = [], initContainerStatuses: inits = [] } = status
    const isSo = [...all, ...inits].every(({ restartCount, lastState }) => {
      return restartCount === 1 && lastState.terminated?.reason === 'RestartingAllContainers'
    })
    return isSo && all.length === 2 && all.every(({ state }) => state.running !== undefined)
  })
  assert.equal(status.phase, 'Running')
  const restarting = status.conditions?.find(({ type }) => type === 'AllContainersRestarting')
  assert.equal(restarting?.status, 'False')
})

test('a pod that asks for more than the machine has is refused, in the words of a kubelet', skip, async () => {
  const metadata = { name: 'greedy', namespace: 'default' }
  const containers = [{ name: 'web', image, resources: { requests: { cpu: '1000' } } }]
  await client.create({ apiVersion: 'v1', kind: 'Pod', metadata, spec: { nodeName: 'node-1', containers } }, as)
  let pod: KubeObject | undefined
  await eventually('its end', async () => {
    pod = await client.get({ apiVersion: 'v1', kind: 'Pod', namespace: 'default', name: 'greedy' })
    return statusOf(pod).phase === 'Failed'
  })
  const { reason, message, containerStatuses } = statusOf(pod)
  assert.equal(reason, 'OutOfcpu')
  assert.match(
    message ?? '',
    /^Pod was rejected: Node didn't have enough resource: cpu, requested: 1000000, used: \d+, capacity: \d+$/,
  )
  assert.equal(containerStatuses, undefined)
})

type ContainerState = { running?: object; terminated?: { reason: string } }
type Status = {
  phase?: string
  reason?: string
  message?: string
  podIP?: string
  conditions?: { type: string; status: string }[]
  containerStatuses?: { restartCount: number; state: ContainerState; lastState: ContainerState }[]
  initContainerStatuses?: { restartCount: number; state: ContainerState; lastState: ContainerState }[]
}

function configMap(): KubeObject {
  const metadata = { name: 'text', namespace: 'default' }
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { text: 'from a volume' } }
}

function service(): KubeObject {
  const spec = { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 'http' }] }
  return { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web', namespace: 'default' }, spec }
}

function deployment(): KubeObject {
  const container = {
    name: 'web',
    image: 'registry.sluice.local/demo/web:1.0.0',
    env: [{ name: 'GREETING', value: 'hello' }],
    ports: [{ name: 'http', containerPort: 8080 }],
    readinessProbe: { httpGet: { path: '/', port: 'http' }, periodSeconds: 1 },
    startupProbe: { exec: { command: ['node', '-e', 'require("fs").readFileSync(process.argv[1])', '/config/text'] } },
    volumeMounts: [{ name: 'text', mountPath: '/config' }],
  }
  const pod = { containers: [container], volumes: [{ name: 'text', configMap: { name: 'text' } }] }
  const labels = { app: 'web' }
  const spec = { replicas: 2, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: pod } }
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web', namespace: 'default' }, spec }
}

async function ask(path: string): Promise<string> {
  return (await fetch(`${node.serviceUrl('default', 'web')}${path}`)).text()
}

async function ready(): Promise<readonly KubeObject[]> {
  const { items } = await client.list({ apiVersion: 'v1', kind: 'Pod', namespace: 'default', labelSelector: 'app=web' })
  const isReady = (pod: KubeObject): boolean =>
    pod.metadata.deletionTimestamp === undefined &&
    statusOf(pod).conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true
  return items.filter(isReady)
}

function statusOf(object: KubeObject | undefined): Status {
  return (object?.['status'] ?? {}) as Status
}

function keeper(): number {
  return JSON.parse(readFileSync(join(folder, 'node', 'process', 'keeper.json'), 'utf8')).pid
}

async function eventually(what: string, check: () => Promise<boolean>): Promise<void> {
  await until(what, check, async () =>
    JSON.stringify((await client.list({ apiVersion: 'v1', kind: 'Pod' })).items.map(statusOf)),
  )
}
