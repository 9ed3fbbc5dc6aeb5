import { mkdtempSync, rmSync } from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { readKubeconfig } from '../../src/adapters/kube/kubeconfig.ts'
import { serveKubed } from '../../src/embedded/kubed/serve.ts'
import { controlPlaneBinary, startControlPlane } from '../lib/control-plane.ts'

/** An object as it stands in an answer. */
export type Body = Record<string, unknown> & {
  readonly kind?: string
  readonly message?: string
  readonly metadata: Record<string, unknown> & { readonly name: string; readonly resourceVersion: string }
  readonly items?: readonly Body[]
}
export type Answer = { readonly code: number; readonly body: Body; readonly text: string }
export type WatchEvent = { readonly type: string; readonly object: Body }

/** A Kubernetes API, asked without any client of ours in between. */
export type Api = {
  readonly call: (method: string, path: string, body?: unknown, type?: string) => Promise<Answer>
  /** Watches until `until` answers true, or for `timeoutSeconds` of the path. Answers all events. */
  readonly watch: (path: string, until: (events: readonly WatchEvent[]) => boolean) => Promise<readonly WatchEvent[]>
  readonly close: () => Promise<void>
}

/** Where the suite runs. SLUICE_TEST_KUBECONFIG adds any other cluster. */
export type Target = { readonly name: string; readonly skip: string | false; readonly start: () => Promise<Api> }

/** The servers that must behave alike. */
export const targets: readonly Target[] = [
  { name: 'kubed', skip: false, start: startKubed },
  {
    name: 'the real API server',
    skip: controlPlaneBinary() === undefined ? 'no kube-control-plane at hand (SLUICE_PEERS)' : false,
    start: async () => {
      const plane = await startControlPlane({ controllers: false })
      return apiOf(plane.kubeconfig, () => plane.stop())
    },
  },
  ...(process.env.SLUICE_TEST_KUBECONFIG === undefined
    ? []
    : [
        {
          name: process.env.SLUICE_TEST_KUBECONFIG,
          skip: false as const,
          start: async () => apiOf(process.env.SLUICE_TEST_KUBECONFIG ?? '', async () => undefined),
        },
      ]),
]

async function startKubed(): Promise<Api> {
  const stateDir = mkdtempSync(join(tmpdir(), 'kube-suite-'))
  const kubed = await serveKubed({ stateDir, port: 0, disableAdmissionPlugins: ['ServiceAccount'] })
  return apiOf(kubed.kubeconfig, async () => {
    await kubed.close()
    rmSync(stateDir, { recursive: true, force: true })
  })
}

/** The API that a kubeconfig names. */
export function apiOf(kubeconfig: string, stop: () => Promise<void>): Api {
  const { server, token, caPem, certPem, keyPem, insecure } = readKubeconfig(kubeconfig)
  const url = new URL(server)
  const tls = { ca: caPem, cert: certPem, key: keyPem, rejectUnauthorized: !insecure }
  const agent =
    url.protocol === 'http:' ? new http.Agent({ keepAlive: true }) : new https.Agent({ keepAlive: true, ...tls })
  const request = (method: string, path: string, type: string, sizeBytes?: number): http.ClientRequest =>
    (url.protocol === 'http:' ? http : https).request({
      agent,
      host: url.hostname,
      port: url.port,
      method,
      path,
      headers: {
        'content-type': type,
        'user-agent': 'suite/1',
        ...(sizeBytes === undefined ? {} : { 'content-length': sizeBytes }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
    })
  return {
    call: (method, path, body, type = 'application/json') =>
      new Promise((done, failed) => {
        const sent =
          body === undefined ? undefined : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
        const outgoing = request(method, path, type, sent?.length)
        outgoing.on('error', failed)
        outgoing.on('response', (response) => {
          let text = ''
          response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
          response.on('end', () => done({ code: response.statusCode ?? 0, body: parse(text), text }))
          response.on('error', failed)
        })
        outgoing.end(sent)
      }),
    watch: (path, until) =>
      new Promise((done, failed) => {
        const events: WatchEvent[] = []
        const outgoing = request('GET', path, 'application/json')
        outgoing.on('error', failed)
        outgoing.on('response', (response) => {
          const lines = createInterface({ input: response })
          lines.on('line', (line) => {
            events.push(JSON.parse(line) as WatchEvent)
            if (!until(events)) return
            lines.close()
            outgoing.destroy()
            done(events)
          })
          lines.on('error', failed)
          lines.on('close', () => done(events))
        })
        outgoing.end()
      }),
    async close() {
      agent.destroy()
      await stop()
    },
  }
}

const parse = (text: string): Body => {
  try {
    return JSON.parse(text) as Body
  } catch {
    return { message: text, metadata: { name: '', resourceVersion: '' } }
  }
}
