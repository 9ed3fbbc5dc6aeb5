import { Agent as HttpAgent, request as httpRequest, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http'
import type https from 'node:https'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import type { LookupFunction } from 'node:net'
import type { Readable } from 'node:stream'
import { hasCode } from '../../lib/error/code-of.ts'
import { faultText } from '../../lib/error/fault-text.ts'
import { SluiceError } from '../../lib/error/sluice-error.ts'
import { connectFault, connectHint } from '../net/connect-fault.ts'
import { type HttpProxy, proxyOptions } from '../net/http-proxy.ts'
import { tlsOptions, type TlsTrust } from '../net/tls-trust.ts'

/** One HTTP request; a body is bytes, or a stream of a known length. */
export type Call = {
  readonly method: string
  readonly url: URL
  readonly headers?: OutgoingHttpHeaders
  readonly body?: Uint8Array | { readonly stream: Readable; readonly sizeBytes: number }
  readonly signal?: AbortSignal | undefined
  readonly lookup?: LookupFunction | undefined
}

/** The other side had closed a kept connection before it saw the request: asking again is safe. */
export class StaleConnection extends Error {}

/** Sends requests over kept connections. Ends with `close`. */
export type Transport = { readonly send: (call: Call) => Promise<IncomingMessage>; readonly close: () => void }

/** How connections of a transport are made. */
export type TransportOptions = {
  /** How long a connection may stand still before the request fails. */
  readonly timeoutMs: number
  readonly trust?: TlsTrust | undefined
  readonly proxy?: HttpProxy | undefined
}

/** Makes the transport of a registry client. */
export function makeTransport(o: TransportOptions): Transport {
  const plain = new HttpAgent({ keepAlive: true, maxSockets: 16, timeout: o.timeoutMs })
  const secure = new HttpsAgent({
    keepAlive: true,
    maxSockets: 16,
    timeout: o.timeoutMs,
    ...tlsOptions(o.trust ?? {}),
  })
  const direct = (url: URL): https.RequestOptions => ({ agent: url.protocol === 'https:' ? secure : plain })
  return {
    send: (call) => send(call, o.proxy ? proxyOptions(o.proxy, call.url, o.trust ?? {}) : direct(call.url), o),
    close() {
      plain.destroy()
      secure.destroy()
    },
  }
}

function send(
  call: Call,
  route: https.RequestOptions,
  { timeoutMs, proxy }: TransportOptions,
): Promise<IncomingMessage> {
  const { body, url } = call
  const sizeBytes = body === undefined ? undefined : 'stream' in body ? body.sizeBytes : body.length
  const headers = {
    'user-agent': 'sluice',
    ...(sizeBytes === undefined ? {} : { 'content-length': sizeBytes }),
    ...call.headers,
    ...route.headers,
  }
  return new Promise((resolve, reject) => {
    const make = url.protocol === 'https:' ? httpsRequest : httpRequest
    const outgoing = make(url, {
      ...route,
      method: call.method,
      headers,
      timeout: timeoutMs,
      ...(call.signal ? { signal: call.signal } : {}),
      ...(call.lookup ? { lookup: call.lookup } : {}),
    })
    const fail = (cause: unknown): void => {
      if (body !== undefined && 'stream' in body) body.stream.destroy()
      const isStale = outgoing.reusedSocket && isReset(cause)
      const why = isStale ? new StaleConnection('the connection was closed', { cause }) : cause
      reject(call.signal?.aborted ? call.signal.reason : unreachableError(url, why, proxy))
    }
    outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer for ${timeoutMs / 1000} s`)))
    outgoing.on('error', fail)
    outgoing.on('response', (answer) => {
      // Readers see the error themselves; who only drains the answer must not crash by it.
      answer.on('error', () => undefined)
      answer.setTimeout(timeoutMs, () => answer.destroy(new Error(`no bytes for ${timeoutMs / 1000} s`)))
      resolve(answer)
    })
    if (body === undefined) outgoing.end()
    else if (!('stream' in body)) outgoing.end(body)
    else {
      body.stream.on('error', (error) => outgoing.destroy(error))
      body.stream.pipe(outgoing)
    }
  })
}

function isReset(cause: unknown): boolean {
  return hasCode(cause, 'ECONNRESET', 'EPIPE')
}

function unreachableError(url: URL, cause: unknown, proxy: HttpProxy | undefined): SluiceError {
  if (cause instanceof SluiceError) return cause
  const error = cause instanceof Error ? cause : new Error(faultText(cause))
  const tried = { url: proxy?.url ?? url, isProxy: proxy !== undefined }
  const message = `registry ${url.host}: ${connectFault(error, tried)}`
  const hint = connectHint(error)
  return new SluiceError('REGISTRY_UNREACHABLE', message, { retry: 'backoff', cause, ...(hint && { hint }) })
}

/**
 * Reads a whole answer into memory.
 * @throws SluiceError REGISTRY_LIMIT as soon as more than `limitBytes` came
 */
export async function readAnswer(answer: IncomingMessage, limitBytes: number, what: string): Promise<Buffer> {
  const chunks: Buffer[] = []
  let sizeBytes = 0
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      sizeBytes += chunk.length
      if (sizeBytes > limitBytes)
        throw new SluiceError('REGISTRY_LIMIT', `${what} is larger than ${limitBytes} bytes`, { retry: 'backoff' })
      chunks.push(chunk)
    }
  } catch (cause) {
    if (cause instanceof SluiceError) throw cause
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new SluiceError('REGISTRY_UNREACHABLE', `${what}: ${why}`, { retry: 'backoff', cause })
  }
  return Buffer.concat(chunks, sizeBytes)
}

/** Reads on for so long to keep the connection; a new one is cheaper than more. */
const MOST_DISCARDED_BYTES = 64 << 10

/** Lets go of an answer whose body nobody wants: its connection is kept when the rest is short, and cut when it is not. */
export function discard(answer: IncomingMessage): void {
  let left = MOST_DISCARDED_BYTES
  answer.on('data', (chunk: Buffer) => {
    left -= chunk.length
    if (left < 0) answer.destroy()
  })
}
