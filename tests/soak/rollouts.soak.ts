// Rolling updates under load: SLUICE_ROLLOUTS (20) rollouts of a Deployment of two pods while at least SLUICE_REQUESTS (10,000) requests are made in all, by
// clients that keep their connections, by clients that do not, and from inside another pod through the Service's address. Its program ends at once at
// SIGTERM, so what is not drained is dropped. A WebSocket to another Deployment must stay open and answer all the time. Nothing may fail.
import assert from 'node:assert/strict'
import http from 'node:http'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { packTar } from '../../src/lib/tar/write.ts'
import { nodeLayer, pushImage } from '../support/node-image.ts'
import { startNodeWorld } from '../support/node-world.ts'
import { until } from '../support/wait.ts'

const rollouts = Number(process.env.SLUICE_ROLLOUTS ?? 20)
const requests = Number(process.env.SLUICE_REQUESTS ?? 10_000)
const PROGRAM = Buffer.from(`import http from 'node:http'
const counts = { sent: 0, failed: [] }
const server = http.createServer((request, response) => {
  if (request.url === '/counts') return response.end(JSON.stringify(counts))
  let bytes = 0
  request.on('data', (chunk) => (bytes += chunk.length))
  request.on('end', () => setTimeout(() => response.end('turn ' + process.env.TURN + ' ' + bytes), 5))
})
// echoes every byte after an upgrade
server.on('upgrade', (request, socket) => {
  socket.write('HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\n\\r\\n')
  socket.on('error', () => socket.destroy())
  socket.pipe(socket)
})
server.listen(8080)
process.on('SIGTERM', () => process.exit(0))
if (process.env.CALL) for (;;) {
  counts.sent++
  await fetch(process.env.CALL, { signal: AbortSignal.timeout(30_000) }).then(
    async (response) => response.status === 200 && (await response.text()).startsWith('turn ') || counts.failed.push(response.status),
    (error) => counts.failed.push(String(error.cause ?? error)),
  )
  await new Promise((resolve) => setTimeout(resolve, 10))
}
`)

const world = await startNodeWorld({ user: 'ordinary', driver: 'linux' })
const counts = { sent: 0, echoes: 0, turns: new Set<string>() }
const failures: string[] = []
let isOver = false
const startedMs = Date.now()
try {
  await prepare()
  const url = world.serviceUrl('web', 80)
  const kept = new http.Agent({ keepAlive: true, maxSockets: 4 })
  const clients = [kept, kept, kept, kept, new http.Agent(), new http.Agent()].map((agent) => ask(url, agent))
  const socket = followSocket(world.serviceUrl('steady', 80))
  for (let turn = 1; turn <= rollouts; turn++) await roll(turn)
  const insideUrl = `${world.serviceUrl('steady', 80)}/counts`
  const inside = async () => JSON.parse(await (await fetch(insideUrl)).text()) as { sent: number; failed: unknown[] }
  while (counts.sent + (await inside()).sent < requests) await sleep(500)
  isOver = true
  await Promise.all(clients)
  socket.end()
  kept.destroy()
  const fromInside = await inside()
  const seconds = Math.round((Date.now() - startedMs) / 1000)
  const machine = `2 cores, node ${process.versions.node}`
  const dropped = [...failures, ...fromInside.failed]
  const all = counts.sent + fromInside.sent
  console.log(
    JSON.stringify({
      rollouts,
      requests: all,
      inside: fromInside.sent,
      dropped: dropped.length,
      echoes: counts.echoes,
      seconds,
      machine,
    }),
  )
  assert.deepEqual(dropped.slice(0, 10), [])
  assert.equal(counts.turns.size, rollouts + 1, 'every rollout was seen')
  assert.ok(counts.echoes > seconds, 'the WebSocket answered all the time')
} finally {
  isOver = true
  await world.close()
}

async function prepare(): Promise<void> {
  const files = [{ path: 'server.mjs', type: 'file', content: PROGRAM }] as const
  await pushImage(world.registry, 'demo/web', '1', [nodeLayer(), packTar([...files])], { Cmd: ['node', '/server.mjs'] })
  for (const [name, replicas, env] of [
    ['web', 2, { TURN: '0' }],
    ['steady', 1, { TURN: '0', CALL: 'http://web/' }],
  ] as const) {
    const ports = [{ port: 80, targetPort: 8080 }]
    const metadata = { name, namespace: 'default' }
    const spec = { selector: { app: name }, ports }
    await world.client.create({ apiVersion: 'v1', kind: 'Service', metadata, spec }, { fieldManager: 'soak' })
    await until(`Service ${name}`, async () => !world.serviceUrl(name, 80).endsWith(':0'))
    await world.client.create(deployment(name, replicas, env), { fieldManager: 'soak' })
    await until(`Deployment ${name}`, () => isRolledOut(name))
  }
}

function deployment(name: string, replicas: number, env: Readonly<Record<string, string>>) {
  const container = {
    name: 'main',
    image: 'registry.sluice.local/demo/web:1',
    ports: [{ containerPort: 8080 }],
    env: Object.entries(env).map(([key, value]) => ({ name: key, value })),
    readinessProbe: { httpGet: { path: '/', port: 8080 }, periodSeconds: 1 },
  }
  const labels = { app: name }
  const template = { metadata: { labels }, spec: { containers: [container], terminationGracePeriodSeconds: 10 } }
  const spec = { replicas, selector: { matchLabels: labels }, template }
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name, namespace: 'default' }, spec }
}

async function roll(turn: number): Promise<void> {
  const env = [{ name: 'TURN', value: `${turn}` }]
  const spec = { template: { spec: { containers: [{ name: 'main', env }] } } }
  const ref = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'default', name: 'web' }
  await world.client.patch(ref, 'strategic', { spec }, { fieldManager: 'soak' })
  await until(`rollout ${turn}`, () => isRolledOut('web'))
  await until(`an answer of rollout ${turn}`, async () => counts.turns.has(`${turn}`))
}

async function isRolledOut(name: string): Promise<boolean> {
  type Status = { observedGeneration?: number; updatedReplicas?: number; availableReplicas?: number; replicas?: number }
  const object = await world.client.get({ apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'default', name })
  const { observedGeneration, updatedReplicas, availableReplicas, replicas } = (object?.['status'] ?? {}) as Status
  const { replicas: wanted } = object?.['spec'] as { replicas: number }
  return (
    observedGeneration === object?.metadata.generation &&
    [updatedReplicas, availableReplicas, replicas].every((count) => count === wanted)
  )
}

/** One client: asks again and again, with a body every third time. */
async function ask(url: string, agent: http.Agent): Promise<void> {
  for (let turn = 0; !isOver; turn++) {
    counts.sent++
    const body = turn % 3 === 0 ? Buffer.alloc(2_000, 'x') : undefined
    await new Promise<void>((resolve) => {
      const request = http.request(url, { agent, method: body ? 'POST' : 'GET', timeout: 30_000 }, (response) => {
        let text = ''
        response.on('data', (chunk) => (text += String(chunk)))
        response.on('end', () => {
          const [, shown = '', bytes] = /^turn (\d+) (\d+)$/.exec(text) ?? []
          if (response.statusCode === 200 && Number(bytes) === (body?.length ?? 0)) counts.turns.add(shown)
          else failures.push(`${response.statusCode} ${text}`)
          resolve()
        })
        response.on('error', (error) => resolve(void failures.push(`answer: ${error.message}`)))
      })
      request.on('timeout', () => request.destroy(new Error('no answer in 30 s')))
      request.on('error', (error) => resolve(void failures.push(error.message)))
      request.end(body)
    })
    await sleep(15)
  }
}

/** A WebSocket that speaks every 200 ms and wants the same back. */
function followSocket(url: string): { readonly end: () => void } {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  let isEnding = false
  socket.write(
    'GET /ws HTTP/1.1\r\nHost: steady\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: x\r\n\r\n',
  )
  const timer = setInterval(() => socket.write('*'), 200)
  socket.on('data', (chunk) => (counts.echoes += String(chunk).split('*').length - 1))
  socket.on('error', (error) => failures.push(`WebSocket: ${error.message}`))
  socket.on('close', () => isEnding || failures.push('the WebSocket was closed'))
  return {
    end() {
      isEnding = true
      clearInterval(timer)
      socket.destroy()
    },
  }
}
