import { type IncomingMessage, request as httpRequest, type RequestOptions } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { isIP, type Socket } from 'node:net'
import { connect as tlsConnect } from 'node:tls'
import { SluiceError } from '../../lib/error/sluice-error.ts'
import type { Deadline } from '../../machine/deadlines.ts'
import { connectFault, connectHint } from './connect-fault.ts'
import { checkReach, guardedLookup, type Reach } from './reach.ts'

/** A request whose address comes from an object of the cluster. */
export type GuardedRequest = {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | Buffer
}

/** How to make it. */
export type GuardOptions = {
  readonly reach: Reach
  /** For all of it, redirects and answer included. */
  readonly timeoutMs: number
  /** The deadline of whoever asks. */
  readonly within: Deadline
  readonly caPem?: string
  readonly certPem?: string
  readonly keyPem?: string
  readonly proxy?: Proxy
}

/** An HTTP proxy; it looks names up itself. */
export type Proxy = { readonly url: string; readonly username?: string; readonly password?: string }

/** An answer, its body cut at 1 MiB. */
export type GuardedAnswer = {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly text: string
}

const MOST_REDIRECTS = 5
const LONGEST_ANSWER = 1 << 20

/**
 * Makes one request. Redirects are followed only within the same host (307 and 308, or any for a GET), each checked like the first.
 *
 * @throws SluiceError NOTIFY_ADDRESS when the address may not be reached, NOTIFY_FAILED (retry: backoff) when nothing answers; neither quotes the URL, which may hold a token
 */
export async function guardedRequest(request: GuardedRequest, options: GuardOptions): Promise<GuardedAnswer> {
  const deadline = options.within(options.timeoutMs)
  let { url } = request
  for (let hops = 0; ; hops++) {
    const answer = await once({ ...request, url }, options, deadline)
    const location = answer.headers.location
    const isKept = answer.status === 307 || answer.status === 308 || (request.method === 'GET' && answer.status >= 301)
    if (location === undefined || answer.status < 301 || answer.status > 308 || !isKept) return answer
    if (!URL.canParse(location, url)) throw failed('redirected to what is no address')
    const next = new URL(location, url)
    if (next.hostname !== new URL(url).hostname || (next.protocol === 'http:' && url.startsWith('https:')))
      throw failed(`redirect to another host (${next.host}) is not followed`)
    if (hops >= MOST_REDIRECTS) throw failed('too many redirects')
    url = next.href
  }
}

async function once(request: GuardedRequest, options: GuardOptions, signal: AbortSignal): Promise<GuardedAnswer> {
  try {
    const url = new URL(request.url)
    checkReach(url, options.reach)
    const answer = await send(url, request, options, signal)
    return { status: answer.statusCode ?? 0, headers: answer.headers, text: await readText(answer) }
  } catch (error) {
    if (error instanceof SluiceError) throw error
    throw failed(reasonOf(error, request, options), error instanceof Error ? connectHint(error) : undefined)
  }
}

async function send(
  url: URL,
  request: GuardedRequest,
  options: GuardOptions,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const { method, headers, body = '' } = request
  const isSecure = url.protocol === 'https:'
  const hasBody = method !== 'GET' && method !== 'HEAD'
  const common: RequestOptions = {
    method,
    headers: { ...headers, ...(hasBody ? { 'content-length': Buffer.byteLength(body) } : {}) },
    signal,
    agent: false,
  }
  const tls = tlsOf(options)
  if (!options.proxy) {
    const direct = { ...common, ...tls, lookup: guardedLookup(url, options.reach) }
    return exchange((isSecure ? httpsRequest : httpRequest)(url, direct), body)
  }
  const proxy = new URL(options.proxy.url)
  checkReach(proxy, options.reach)
  const authorization = proxyAuthorization(options.proxy)
  const reach = { host: proxy.hostname, port: proxy.port || 80, lookup: guardedLookup(proxy, options.reach) }
  if (!isSecure) {
    const whole = {
      ...common,
      ...reach,
      path: url.href,
      headers: { host: url.host, ...common.headers, ...authorization },
    }
    return exchange(httpRequest(whole), body)
  }
  const socket = await tunnel({ ...reach, headers: authorization, signal }, `${url.hostname}:${url.port || 443}`)
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const createConnection = () => tlsConnect({ ...tls, socket, host, servername: isIP(host) ? '' : host })
  // An agent would connect by itself, past the proxy.
  return exchange(httpsRequest(url, { ...common, agent: undefined, createConnection }), body)
}

function exchange(sent: ReturnType<typeof httpRequest>, body: string | Buffer): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    sent.on('response', resolve)
    sent.on('error', reject)
    sent.end(body)
  })
}

/** Asks a proxy for a connection to a host. */
function tunnel(options: RequestOptions, target: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest({ ...options, method: 'CONNECT', path: target, agent: false })
    sent.on('connect', (answer, socket) => {
      if (answer.statusCode === 200) return resolve(socket)
      socket.destroy()
      reject(failed(`the proxy answered ${answer.statusCode}`))
    })
    sent.on('response', (answer) => reject(failed(`the proxy answered ${answer.statusCode}`)))
    sent.on('error', reject)
    sent.end()
  })
}

/** The options of a TLS connection; a given authority is trusted alone. */
export function tlsOf({ caPem, certPem, keyPem }: Pick<GuardOptions, 'caPem' | 'certPem' | 'keyPem'>) {
  return {
    ...(caPem === undefined ? {} : { ca: caPem }),
    ...(certPem === undefined ? {} : { cert: certPem }),
    ...(keyPem === undefined ? {} : { key: keyPem }),
  }
}

function proxyAuthorization({ username, password }: Proxy): Record<string, string> {
  if (username === undefined) return {}
  return { 'proxy-authorization': `Basic ${Buffer.from(`${username}:${password ?? ''}`).toString('base64')}` }
}

async function readText(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of answer) {
    if (!Buffer.isBuffer(chunk)) continue
    size += chunk.length
    if (size > LONGEST_ANSWER) {
      answer.destroy()
      break
    }
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function failed(reason: string, hint?: string): SluiceError {
  const message = `failed to execute request: ${reason}`
  return new SluiceError('NOTIFY_FAILED', message, { retry: 'backoff', ...(hint && { hint }) })
}

/** Why a request failed: with the host, without the path, which may hold a token. */
function reasonOf(error: unknown, { url }: GuardedRequest, { timeoutMs, proxy }: GuardOptions): string {
  if (!(error instanceof Error)) return 'unknown'
  if (/Timeout|Abort/.test(error.name)) return `no answer within ${timeoutMs / 1000}s`
  const { code }: NodeJS.ErrnoException = error
  if (code === undefined || code.startsWith('ERR_')) return code ?? error.name
  return connectFault(error, { url: new URL(proxy?.url ?? url), isProxy: proxy !== undefined })
}
