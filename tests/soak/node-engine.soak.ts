import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { KubeObject } from '../../src/lib/kube/object.ts'
import { packTar } from '../../src/lib/tar/write.ts'
import { nodeLayer, pushImage } from '../support/node-image.ts'
import { type NodeWorld, startNodeWorld } from '../support/node-world.ts'
import { until } from '../support/wait.ts'
import { type PodmanService, startPodmanService, whyNoPodman } from '../support/podman-service.ts'
import { toolLayer } from '../support/tool-layer.ts'

const why = whyNoPodman()
const skip = why === undefined ? {} : { skip: `the driver of container engines is not tried: ${why}` }

const PROGRAM = Buffer.from(`import http from 'node:http'
import dns from 'node:dns'
const resolver = new dns.promises.Resolver()
resolver.setServers(['10.96.0.10'])
http.createServer(async (request, response) => {
  const url = new URL(request.url, 'http://x')
  const call = url.searchParams.get('call')
  const name = url.searchParams.get('name')
  if (call) return response.end(await fetch(call).then((r) => r.text(), (error) => 'failed ' + error.cause))
  if (name) return response.end(await resolver.resolve4(name).then(String, String))
  response.end('here ' + process.env.HOSTNAME + ' ' + process.env.GREETING)
}).listen(8080, () => console.log('listening'))
process.on('SIGTERM', () => process.exit(0))
`)

let engine: PodmanService
let world: NodeWorld

before(async () => {
  if (why !== undefined) return
  engine = await startPodmanService()
  world = await startNodeWorld({ user: 'root', driver: 'engine', env: { DOCKER_HOST: `unix://${engine.socket}` } })
  const app = packTar([{ path: 'server.mjs', type: 'file', content: PROGRAM }])
  await pushImage(world.registry, 'demo/web', '1', [nodeLayer(), app], { Cmd: ['node', '/server.mjs'], User: 'node' })
  await pushImage(world.registry, 'demo/tools', '1', [toolLayer()], {})
})

after(async () => {
  await world?.close()
  engine?.close()
})

test('pods run by podman: their Service answers, they reach each other by address and by name', skip, async () => {
  const ports = [{ port: 80, targetPort: 8080 }]
  const spec = { selector: { app: 'web' }, ports }
  await world.client.create(object('v1', 'Service', 'web', spec), { fieldManager: 'test' })
  await world.client.create(deployment(), { fieldManager: 'test' })
  await until('two ready pods', async () => (await readyPods()).length === 2)
  const text = await get('/')
  assert.match(text, /^here web-\S+ hello$/)
  const [, other] = (await readyPods()).map((each) => statusOf(each).podIP)
  assert.match(await get(`/?call=http://${other}:8080/`), /^here web-/)
  const clusterIp = (
    await world.client.get({ apiVersion: 'v1', kind: 'Service', namespace: 'default', name: 'web' })
  )?.['spec']
  const { clusterIP } = clusterIp as { clusterIP: string }
  assert.match(await get(`/?call=http://${clusterIP}/`), /^here web-/)
  assert.equal(await get('/?name=web.default.svc.cluster.local'), clusterIP)
})

test('logs, exec, exit codes and limits are those of the engine', skip, async () => {
  await world.client.create(pod('tools', 'echo out; echo err >&2; sleep 1000'), { fieldManager: 'test' })
  await until('the pod', async () => isReady(await world.pod('tools')))
  const log = async (name: string) =>
    (await world.client.raw('GET', `/api/v1/namespaces/default/pods/${name}/log`)).text
  await until('its log', async () => /^out\nerr\n$|^err\nout\n$/.test(await log('tools')))
  await world.client.create(pod('ends', 'echo bye; exit 3', 'Never'), { fieldManager: 'test' })
  await until('its end', async () => statusOf(await world.pod('ends')).phase === 'Failed')
  assert.equal(terminatedOf(await world.pod('ends'))?.exitCode, 3)
  await until('its last words', async () => (await log('ends')) === 'bye\n')
  await world.client.create(pod('hog', 'dd if=/dev/zero of=/dev/null bs=512M count=100', 'Never'), {
    fieldManager: 'test',
  })
  await until('end of the hog', async () => statusOf(await world.pod('hog')).phase === 'Failed')
  // podman on control groups of version 1 does not say OOMKilled; the program's end is the same
  assert.equal(terminatedOf(await world.pod('hog'))?.exitCode, 137)
})

test('a probe that runs in the container restarts it when it fails', skip, async () => {
  const probe = { exec: { command: ['sh', '-c', 'test ! -e /tmp/ill'] }, periodSeconds: 1, failureThreshold: 1 }
  const sick = pod('sick', 'sleep 2; touch /tmp/ill; sleep 1000', 'Always', { livenessProbe: probe })
  await world.client.create(sick, { fieldManager: 'test' })
  await until(
    'a restart',
    async () => (statusOf(await world.pod('sick')).containerStatuses?.[0]?.restartCount ?? 0) > 0,
  )
})

test('kill -9 of the node: pods go on, and the next node takes them over with their logs', skip, async () => {
  const before = (await readyPods()).map((each) => each.metadata.uid).sort()
  const running = engine.podman('ps', '--quiet', '--no-trunc').split('\n').sort()
  await world.kill()
  assert.deepEqual(engine.podman('ps', '--quiet', '--no-trunc').split('\n').sort(), running)
  await world.start()
  await until('the Service', async () => (await get('/').catch(() => '')).startsWith('here'))
  assert.deepEqual((await readyPods()).map((each) => each.metadata.uid).sort(), before)
  for (const each of await readyPods()) assert.equal(statusOf(each).containerStatuses?.[0]?.restartCount, 0)
  const log = async () => (await world.client.raw('GET', '/api/v1/namespaces/default/pods/tools/log')).text
  await until('the old log', async () => /^(out\nerr\n|err\nout\n)$/.test(await log()))
})

test('pods that are deleted leave nothing in the engine, and the end of the node neither', skip, async () => {
  for (const name of ['tools', 'ends', 'hog', 'sick'])
    await world.client.delete({ apiVersion: 'v1', kind: 'Pod', namespace: 'default', name })
  await until(
    'their end',
    async () => (await world.pod('tools')) === undefined && (await world.pod('sick')) === undefined,
  )
  assert.doesNotMatch(engine.podman('ps', '--all', '--format', '{{.Labels}}'), /tools|sick/)
  await world.close()
  assert.equal(engine.podman('ps', '--all', '--quiet').trim(), '')
  assert.doesNotMatch(engine.podman('network', 'ls', '--format', '{{.Name}}'), /sluice/)
})

type Terminated = { exitCode: number; reason: string }
type Status = {
  phase?: string
  podIP?: string
  conditions?: { type: string; status: string }[]
  containerStatuses?: { restartCount: number; state: { terminated?: Terminated } }[]
}

function object(apiVersion: string, kind: string, name: string, spec: object): KubeObject {
  return { apiVersion, kind, metadata: { name, namespace: 'default', labels: { app: name } }, spec }
}

function deployment(): KubeObject {
  const container = {
    name: 'web',
    image: 'registry.sluice.local/demo/web:1',
    env: [{ name: 'GREETING', value: 'hello' }],
    readinessProbe: { httpGet: { path: '/', port: 8080 }, periodSeconds: 1 },
  }
  const template = { metadata: { labels: { app: 'web' } }, spec: { containers: [container] } }
  return object('apps/v1', 'Deployment', 'web', { replicas: 2, selector: { matchLabels: { app: 'web' } }, template })
}

function pod(name: string, script: string, restartPolicy = 'Always', more: object = {}): KubeObject {
  const resources = { limits: { memory: '64Mi', cpu: '500m' } }
  const container = {
    name: 'main',
    image: 'registry.sluice.local/demo/tools:1',
    command: ['sh', '-c', script],
    resources,
    ...more,
  }
  return object('v1', 'Pod', name, {
    nodeName: 'node-1',
    restartPolicy,
    terminationGracePeriodSeconds: 1,
    containers: [container],
  })
}

async function get(path: string): Promise<string> {
  return (await fetch(`${world.serviceUrl('web', 80)}${path}`)).text()
}

async function readyPods(): Promise<readonly KubeObject[]> {
  const found = await world.client.list({
    apiVersion: 'v1',
    kind: 'Pod',
    namespace: 'default',
    labelSelector: 'app=web',
  })
  return found.items.filter(isReady)
}

function statusOf(of: KubeObject | undefined): Status {
  return (of?.['status'] ?? {}) as Status
}

function terminatedOf(of: KubeObject | undefined): Terminated | undefined {
  return statusOf(of).containerStatuses?.[0]?.state.terminated
}

function isReady(of: KubeObject | undefined): boolean {
  return statusOf(of).conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true
}
