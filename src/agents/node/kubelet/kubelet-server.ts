import { generateKeyPairSync, randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { Duplex } from 'node:stream'
import { closeServer } from '../../../machine/close-server.ts'
import type { Clock } from '../../../adapters/clock.ts'
import { writeCertificate } from '../../../lib/x509/certificate.ts'
import type { Gate } from './kubelet-access.ts'
import { readLog, readOn, showLine, type LogQuery } from './read-log.ts'
import type { Upgraded } from '../streams/command-streams.ts'
import { parseTarget, serveStream, type StreamTargets } from '../streams/serve.ts'
import type { Sampler } from '../usage/sampler.ts'
import { type NamedPod, renderResourceMetrics, renderSummary } from '../usage/summary.ts'
import { refuse as refuseUpgrade } from '../streams/upgrade.ts'

/** Where a container's log is. */
export type LogSource = { readonly path: string; readonly isAlive: () => boolean }

/** The kubelet's own API: what `kubectl logs`, `exec`, `attach` and `port-forward` reach through the API server. */
export type KubeletServer = { readonly port: number; readonly close: () => Promise<void> }

/** How often a log that is followed is looked at. */
const FOLLOW_MS = 150
const STREAMS = new Set(['exec', 'attach', 'portForward'])

type Kubelet = {
  readonly name: string
  readonly clock: Clock
  /** Answers a message when there is no such log. */
  readonly find: (namespace: string, pod: string, container: string, previous: boolean) => LogSource | string
  readonly targets: StreamTargets
  /** The pods of the node. */
  readonly pods: () => readonly NamedPod[]
  readonly sampler: Sampler
  readonly gate: Gate
  /** Who shows a certificate of this authority is who it says. */
  readonly caPem: string | undefined
}

/** Serves the kubelet API on loopback, HTTPS with a certificate of its own, to those whom `gate` lets in. */
export async function serveKubelet(o: Kubelet): Promise<KubeletServer> {
  const known = o.caPem === undefined ? {} : { ca: o.caPem, requestCert: true, rejectUnauthorized: false }
  const server = createServer({ ...makeIdentity(o.name, o.clock.nowMs()), ...known })
  const upgraded = new Set<Duplex>()
  server.on('request', (request, response) => {
    answer(o, request, response).catch(() => response.destroy())
  })
  server.on('upgrade', (request, socket, head) => {
    upgraded.add(socket)
    socket.once('close', () => upgraded.delete(socket))
    socket.on('error', () => socket.destroy())
    upgrade(o, request, { socket, head }).catch(() => socket.destroy())
  })
  server.on('tlsClientError', () => undefined)
  server.on('clientError', (_error, socket) => socket.destroy())
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  server.unref()
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    close() {
      for (const socket of upgraded) socket.destroy()
      return closeServer(server)
    },
  }
}

async function answer(o: Kubelet, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const asked = parseTarget(request.url)
  if (asked === undefined) return refuse(response, 400, 'the path cannot be read')
  const [verb = '', namespace = '', pod = '', container = ''] = asked.segments
  if (verb === 'healthz') return void response.end('ok')
  const verdict = await o.gate(request)
  if (!verdict.isLetIn) return refuse(response, verdict.status, verdict.why)
  if (STREAMS.has(verb)) return refuse(response, 400, 'Upgrade request required')
  if (request.method === 'GET' && asked.segments.join('/') === 'stats/summary')
    return sendUsage(
      response,
      'application/json',
      JSON.stringify(renderSummary(o.name, await o.sampler.measure(), o.pods())),
    )
  if (request.method === 'GET' && asked.segments.join('/') === 'metrics/resource')
    return sendUsage(response, 'text/plain; version=0.0.4', renderResourceMetrics(await o.sampler.measure(), o.pods()))
  if (verb !== 'containerLogs' || request.method !== 'GET') return refuse(response, 404, '404 page not found')
  const source = o.find(namespace, pod, container, asked.query.get('previous') === 'true')
  if (typeof source === 'string') return refuse(response, 400, source)
  sendLog(request, response, source, asked.query, o.clock)
}

async function upgrade(o: Kubelet, request: IncomingMessage, upgraded: Upgraded): Promise<void> {
  const verdict = await o.gate(request)
  if (!verdict.isLetIn)
    return refuseUpgrade(upgraded.socket, verdict.status === 401 ? '401 Unauthorized' : '403 Forbidden', verdict.why)
  const asked = parseTarget(request.url)
  if (asked === undefined) return refuseUpgrade(upgraded.socket, '400 Bad Request', 'the path cannot be read')
  return serveStream(o.targets, asked, request, upgraded)
}

function makeIdentity(name: string, nowMs: number): { key: string; cert: string } {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const subject = { commonName: `system:node:${name}`, organizations: ['system:nodes'] }
  const cert = writeCertificate({
    subject,
    key: privateKey,
    issuer: { subject, key: privateKey },
    serial: randomBytes(16),
    notBeforeMs: nowMs - 3_600_000,
    notAfterMs: nowMs + 365 * 86_400_000,
    use: 'server',
    names: [name, 'localhost', '127.0.0.1'],
  })
  return { key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), cert }
}

function sendLog(
  request: IncomingMessage,
  response: ServerResponse,
  { path, isAlive }: LogSource,
  asked: URLSearchParams,
  clock: Clock,
): void {
  const number = (name: string): number | undefined =>
    /^\d+$/.test(asked.get(name) ?? '') ? Number(asked.get(name)) : undefined
  const sinceSeconds = number('sinceSeconds')
  const sinceTime = Date.parse(asked.get('sinceTime') ?? '')
  const sinceMs = sinceSeconds !== undefined ? clock.nowMs() - sinceSeconds * 1000 : sinceTime
  const tailLines = number('tailLines')
  const limitBytes = number('limitBytes')
  const query: LogQuery = {
    timestamps: asked.get('timestamps') === 'true',
    ...(tailLines === undefined ? {} : { tailLines }),
    ...(limitBytes === undefined ? {} : { limitBytes }),
    ...(Number.isNaN(sinceMs) ? {} : { sinceMs }),
  }
  response.writeHead(200, { 'content-type': 'text/plain' })
  const first = readLog(path, query)
  if (asked.get('follow') !== 'true') return void response.end(first.text)
  response.write(first.text)
  let { position } = first
  let cancel: () => void = () => undefined
  const more = (): void => {
    // what nobody reads stays in the file
    if (response.writableNeedDrain) return void (cancel = clock.after(FOLLOW_MS, more))
    const wasAlive = isAlive()
    let text = ''
    try {
      position = readOn(path, position, (line) => (text += showLine(line, { timestamps: query.timestamps }) ?? ''))
    } catch {
      // whatever a file does, it ends nobody but who reads it
      return void response.destroy()
    }
    if (text !== '') response.write(text)
    if (!wasAlive) return void response.end()
    cancel = clock.after(FOLLOW_MS, more)
  }
  request.socket.on('close', () => cancel())
  more()
}

function sendUsage(response: ServerResponse, contentType: string, text: string): void {
  response.writeHead(200, { 'content-type': contentType }).end(text)
}

function refuse(response: ServerResponse, status: number, why: string): void {
  response.writeHead(status, { 'content-type': 'text/plain' }).end(`${why}\n`)
}
