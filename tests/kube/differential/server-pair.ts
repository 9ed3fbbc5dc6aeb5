import { Agent, request } from 'node:https'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { serveKubed } from '../../../src/embedded/kubed/serve.ts'
import { startControlPlane } from '../../lib/control-plane.ts'

/** One request, the same for every server. */
export type Ask = {
  readonly method: string
  readonly path: string
  readonly body?: unknown
  readonly contentType?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** What a server said. */
export type Answer = {
  readonly code: number
  readonly contentType: string
  readonly warnings: readonly string[]
  readonly body: unknown
}

/** A server that answers for Kubernetes. */
export type KubeServer = {
  readonly send: (ask: Ask) => Promise<Answer>
  readonly stop: () => Promise<void>
}

/** kubed and the real kube-apiserver, alike in what they are asked to do: no controllers, no plugin ServiceAccount. */
export async function startPair(): Promise<{ kubed: KubeServer; real: KubeServer; stop: () => Promise<void> }> {
  const [kubed, real] = await Promise.all([startKubed(), startReal()])
  const stop = async (): Promise<void> => {
    await Promise.all([kubed.stop(), real.stop()])
  }
  return { kubed, real, stop }
}

async function startKubed(): Promise<KubeServer> {
  const stateDir = mkdtempSync(join(tmpdir(), 'kubed-pair-'))
  const { server, token, close } = await serveKubed({
    stateDir,
    port: 0,
    disableAdmissionPlugins: ['ServiceAccount'],
    log: (line) => console.error(line),
  })
  return clientOf(server, token, async () => {
    await close()
    rmSync(stateDir, { recursive: true, force: true })
  })
}

async function startReal(): Promise<KubeServer> {
  const { server, token, stop } = await startControlPlane({ controllers: false })
  return clientOf(server, token, stop)
}

function clientOf(server: string, token: string, stop: () => Promise<void>): KubeServer {
  const agent = new Agent({ keepAlive: true, maxSockets: 16, rejectUnauthorized: false })
  return {
    send: (ask) => send(agent, server, token, ask),
    stop: async () => {
      agent.destroy()
      await stop()
    },
  }
}

function send(agent: Agent, server: string, token: string, ask: Ask): Promise<Answer> {
  const { method, path, body, contentType = 'application/json', headers } = ask
  const sent = body === undefined || typeof body === 'string' ? body : JSON.stringify(body)
  return new Promise((resolve, reject) => {
    const outgoing = request(
      `${server}${path}`,
      {
        method,
        agent,
        headers: {
          authorization: `Bearer ${token}`,
          'user-agent': 'pair/1.0',
          accept: 'application/json',
          ...(sent === undefined
            ? {}
            : { 'content-type': contentType, 'content-length': String(Buffer.byteLength(sent)) }),
          ...headers,
        },
      },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8')
          resolve({
            code: response.statusCode ?? 0,
            contentType: response.headers['content-type'] ?? '',
            warnings: response.rawHeaders.filter(
              (_, at, all) => at % 2 === 1 && all[at - 1]?.toLowerCase() === 'warning',
            ),
            body: parsed(text),
          })
        })
      },
    )
    outgoing.on('error', reject)
    outgoing.end(sent)
  })
}

/** JSON, the events of a watch, or the text itself. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    try {
      return text
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as unknown)
    } catch {
      return text
    }
  }
}
