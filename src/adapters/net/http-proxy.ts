import http from 'node:http'
import https from 'node:https'
import { isIP } from 'node:net'
import type { Duplex } from 'node:stream'
import tls from 'node:tls'
import { tlsOptions, type TlsTrust } from './tls-trust.ts'

/** An HTTP proxy; user and password stand in the URL. */
export type HttpProxy = { readonly url: URL }

const CONNECT_MS = 30_000

/** What a request to `target` is given so that it goes through the proxy: plain HTTP by its absolute form, HTTPS by a tunnel. */
export function proxyOptions(proxy: HttpProxy, target: URL, trust: TlsTrust): https.RequestOptions {
  if (target.protocol === 'https:') return { agent: tunnelAgent(proxy, trust) }
  const authorization = proxyAuthorization(proxy)
  return {
    agent: false,
    protocol: 'http:',
    host: proxy.url.hostname,
    hostname: proxy.url.hostname,
    port: proxy.url.port || 80,
    path: target.href,
    headers: { host: target.host, ...(authorization === undefined ? {} : { 'proxy-authorization': authorization }) },
  }
}

/** The proxy's address with user and password, as git's `http.proxy` wants it. */
export function proxyAddress({ url }: HttpProxy): string {
  return url.href.replace(/\/$/, '')
}

function proxyAuthorization({ url }: HttpProxy): string | undefined {
  if (url.username === '' && url.password === '') return undefined
  const login = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`
  return `Basic ${Buffer.from(login).toString('base64')}`
}

/** An agent whose connections begin with CONNECT. */
function tunnelAgent(proxy: HttpProxy, trust: TlsTrust): https.Agent {
  const agent = new https.Agent({ keepAlive: false })
  agent.createConnection = (options, done) => {
    const host = String(options.host)
    const finish = done as (error: Error | null, socket: Duplex) => void
    openTunnel(proxy, `${host}:${options.port ?? 443}`)
      .then((socket) =>
        finish(null, tls.connect({ socket, host, servername: isIP(host) ? '' : host, ...tlsOptions(trust) })),
      )
      .catch((error: unknown) => done?.(error instanceof Error ? error : new Error(String(error)), undefined as never))
    return undefined
  }
  return agent
}

function openTunnel(proxy: HttpProxy, target: string): Promise<import('node:net').Socket> {
  const authorization = proxyAuthorization(proxy)
  return new Promise((resolve, reject) => {
    const request = http.request({
      host: proxy.url.hostname,
      port: proxy.url.port || 80,
      method: 'CONNECT',
      path: target,
      agent: false,
      timeout: CONNECT_MS,
      headers: { host: target, ...(authorization === undefined ? {} : { 'proxy-authorization': authorization }) },
    })
    request.on('connect', (answer, socket) => {
      if (answer.statusCode === 200) return resolve(socket)
      socket.destroy()
      reject(new Error(`the proxy ${proxy.url.host} answered ${answer.statusCode ?? 0} to CONNECT ${target}`))
    })
    request.on('timeout', () => request.destroy(new Error(`the proxy ${proxy.url.host} does not answer`)))
    request.on('error', reject)
    request.end()
  })
}
