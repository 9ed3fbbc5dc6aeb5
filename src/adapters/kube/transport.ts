import { readFileSync } from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import { codeOf } from '../../lib/error/code-of.ts'
import { faultText } from '../../lib/error/fault-text.ts'
import { SluiceError } from '../../lib/error/sluice-error.ts'
import type { Clock } from '../clock.ts'
import type { Connection } from './kubeconfig.ts'

/** One request; `path` begins with a slash and is already escaped. */
export type HttpRequest = {
  readonly method: string
  readonly path: string
  readonly body?: string
  readonly contentType?: string
  readonly accept?: string
  /** Whose rights count instead of the connection's own. */
  readonly asUser?: string
  /** The answer must be complete by then. */
  readonly timeoutMs: number
  /** Sending it twice does no harm: it is sent again when the connection breaks. */
  readonly isRepeatable: boolean
  readonly signal?: AbortSignal
}

/** A whole answer. */
export type HttpAnswer = { readonly status: number; readonly headers: http.IncomingHttpHeaders; readonly body: Buffer }

/** Sends requests to one API server over kept connections. */
export type Transport = {
  readonly send: (request: HttpRequest) => Promise<HttpAnswer>
  /** Hands on the body piece by piece; `onHead` runs first. Resolves at the end of the body or on abort. */
  readonly stream: (
    request: HttpRequest,
    onHead: (status: number) => void,
    onChunk: (chunk: Buffer) => void,
  ) => Promise<void>
  readonly close: () => void
}

const MAX_ANSWER_BYTES = 256 * 1024 * 1024
const MAX_CONNECTIONS = 32
const RETRIES = 3
const FIRST_RETRY_MS = 100
const LONGEST_RETRY_AFTER_MS = 10_000
const TOKEN_FILE_AGE_MS = 60_000

/**
 * Opens a transport: `node:https` agents with keep-alive; watches have connections of their own.
 *
 * @param mayWrite asked before every attempt of a request that changes something; when it says no, nothing is sent: SluiceError NOT_LEADING
 */
export function openTransport(connection: Connection, clock: Clock, mayWrite: () => boolean = () => true): Transport {
  const url = new URL(connection.server)
  const isTls = url.protocol === 'https:'
  const common = { keepAlive: true, keepAliveMsecs: 15_000, timeout: 0 }
  const tls = isTls ? tlsOptions(connection) : {}
  const openAgent = (maxSockets: number): http.Agent =>
    isTls ? new https.Agent({ ...common, ...tls, maxSockets }) : new http.Agent({ ...common, maxSockets })
  const requests = openAgent(MAX_CONNECTIONS)
  const streams = openAgent(Infinity)
  const authorization = authorizer(connection, clock)
  const base = url.pathname === '/' ? '' : url.pathname.replace(/\/+$/, '')

  const start = (request: HttpRequest, agent: http.Agent): http.ClientRequest =>
    (isTls ? https : http).request({
      agent,
      host: url.hostname.replace(/^\[|\]$/g, ''),
      port: url.port || (isTls ? 443 : 80),
      method: request.method,
      path: base + request.path,
      headers: headersOf(request, connection, authorization()),
    })
  return {
    send: (request) => {
      const begin = (): http.ClientRequest => {
        if (request.method !== 'GET' && !mayWrite()) throw notLeading()
        return start(request, requests)
      }
      return sendWithRetries(begin, request, connection.server, clock)
    },
    stream: (request, onHead, onChunk) =>
      exchange(start(request, streams), request, clock, onHead, onChunk).catch((error: unknown) => {
        if (request.signal?.aborted) return
        throw unreachableError(connection.server, error)
      }),
    close() {
      requests.destroy()
      streams.destroy()
    },
  }
}

async function sendWithRetries(
  start: () => http.ClientRequest,
  request: HttpRequest,
  server: string,
  clock: Clock,
): Promise<HttpAnswer> {
  for (let attempt = 0; ; attempt++) {
    try {
      const answer = await sendOnce(start(), request, clock)
      const afterMs = retryAfterMs(answer)
      if (afterMs === undefined || attempt >= RETRIES) return answer
      await pause(afterMs)
    } catch (error) {
      const isSafe = request.isRepeatable || codeOf(error) === 'ECONNREFUSED'
      const isFenced = error instanceof SluiceError && error.code === 'NOT_LEADING'
      if (attempt >= RETRIES || isFenced || !isSafe || request.signal?.aborted || error instanceof TimeoutError)
        throw error instanceof SluiceError ? error : unreachableError(server, error)
      await pause(FIRST_RETRY_MS * 2 ** attempt * (0.5 + Math.random()))
    }
  }
}

async function sendOnce(started: http.ClientRequest, request: HttpRequest, clock: Clock): Promise<HttpAnswer> {
  const chunks: Buffer[] = []
  let sizeBytes = 0
  let head: { status: number; headers: http.IncomingHttpHeaders } = { status: 0, headers: {} }
  await exchange(
    started,
    request,
    clock,
    (status, headers) => (head = { status, headers }),
    (chunk) => {
      sizeBytes += chunk.length
      if (sizeBytes > MAX_ANSWER_BYTES) started.destroy(new Error(`answer of ${request.path} is too large`))
      chunks.push(chunk)
    },
  )
  return { ...head, body: chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks) }
}

function notLeading(): SluiceError {
  const message = 'another engine leads this cluster: nothing is changed from here'
  return new SluiceError('NOT_LEADING', message, { retry: 'backoff' })
}

class TimeoutError extends Error {}

/** One request and its answer; settles always, at the latest when `timeoutMs` is over. */
function exchange(
  started: http.ClientRequest,
  request: HttpRequest,
  clock: Clock,
  onHead: (status: number, headers: http.IncomingHttpHeaders) => void,
  onChunk: (chunk: Buffer) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = (): void => void started.destroy(new Error('aborted'))
    const cancelTimer = clock.after(request.timeoutMs, () =>
      started.destroy(new TimeoutError(`no complete answer after ${request.timeoutMs} ms`)),
    )
    const settle = (error?: unknown): void => {
      cancelTimer()
      request.signal?.removeEventListener('abort', abort)
      if (error === undefined) resolve()
      else reject(error)
    }
    let isAnswered = false
    started.on('response', (response) => {
      isAnswered = true
      onHead(response.statusCode ?? 0, response.headers)
      response.on('data', (chunk: Buffer) => {
        try {
          onChunk(chunk)
        } catch (error) {
          settle(error)
          started.destroy()
        }
      })
      response.on('end', () => settle())
      response.on('error', settle)
      response.on('close', () => settle(response.complete ? undefined : new Error('connection closed early')))
    })
    started.on('error', settle)
    started.on('close', () => !isAnswered && settle(new Error('connection closed')))
    request.signal?.addEventListener('abort', abort)
    if (request.signal?.aborted) abort()
    else started.end(request.body)
  })
}

function headersOf(request: HttpRequest, connection: Connection, authorization: string | undefined) {
  const headers: Record<string, string | string[]> = {
    accept: request.accept ?? 'application/json',
    'user-agent': 'sluice',
  }
  if (authorization !== undefined) headers['authorization'] = authorization
  if (request.body !== undefined) {
    headers['content-type'] = request.contentType ?? 'application/json'
    headers['content-length'] = String(Buffer.byteLength(request.body))
  }
  const { impersonate } = connection
  if (impersonate) {
    headers['impersonate-user'] = impersonate.user
    if (impersonate.uid !== undefined) headers['impersonate-uid'] = impersonate.uid
    if (impersonate.groups.length > 0) headers['impersonate-group'] = [...impersonate.groups]
  }
  if (request.asUser !== undefined) headers['impersonate-user'] = request.asUser
  return headers
}

function tlsOptions(connection: Connection): https.AgentOptions {
  return {
    rejectUnauthorized: !connection.insecure,
    ...(connection.caPem !== undefined && { ca: connection.caPem }),
    ...(connection.certPem !== undefined && { cert: connection.certPem }),
    ...(connection.keyPem !== undefined && { key: connection.keyPem }),
    ...(connection.serverName !== undefined && { servername: connection.serverName }),
  }
}

function authorizer(connection: Connection, clock: Clock): () => string | undefined {
  const { token, tokenFile, basic } = connection
  if (tokenFile !== undefined) return tokenFileReader(tokenFile, clock)
  if (token !== undefined) return () => `Bearer ${token}`
  if (!basic) return () => undefined
  const pair = Buffer.from(`${basic.username}:${basic.password}`).toString('base64')
  return () => `Basic ${pair}`
}

function tokenFileReader(path: string, clock: Clock): () => string {
  let readAtMs = -Infinity
  let header = ''
  return () => {
    if (clock.monotonicMs() - readAtMs < TOKEN_FILE_AGE_MS) return header
    try {
      header = `Bearer ${readFileSync(path, 'utf8').trim()}`
    } catch (cause) {
      throw new SluiceError('KUBE_CONFIG', `cannot read the token file "${path}"`, { cause, retry: 'backoff' })
    }
    readAtMs = clock.monotonicMs()
    return header
  }
}

/** The server asks to come again: 429, or any 5xx that says when. */
function retryAfterMs({ status, headers }: HttpAnswer): number | undefined {
  if (status !== 429 && status < 500) return undefined
  const seconds = Number(headers['retry-after'])
  if (!Number.isFinite(seconds) || seconds < 0) return undefined
  return Math.min(seconds * 1000, LONGEST_RETRY_AFTER_MS)
}

/** A fault of the connection as the error that the engine retries. */
function unreachableError(server: string, error: unknown): unknown {
  if (error instanceof SluiceError || (error instanceof Error && error.name === 'ApiError')) return error
  return new SluiceError('KUBE_UNREACHABLE', `cannot reach the Kubernetes API ${server}: ${faultText(error)}`, {
    retry: 'backoff',
    cause: error,
    hint: hintFor(codeOf(error)),
  })
}

function hintFor(code: string): string {
  if (/CERT|SELF_SIGNED|ERR_TLS|VERIFY/.test(code)) return 'check certificate-authority and server in the kubeconfig'
  return 'check that the server runs and that the kubeconfig names it'
}

/** Keeps the process alive, unlike the clock's timers: a command that waits for its answer must not end in silence. */
function pause(afterMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, afterMs))
}
