import http from 'node:http'
import https from 'node:https'
import { faultText } from '../../lib/error/fault-text.ts'
import { SluiceError } from '../../lib/error/sluice-error.ts'
import { parseListing, parseS3Error, type S3Object } from '../../lib/s3/list.ts'
import { escapeS3, signS3, type S3Keys } from '../../lib/s3/sign.ts'
import { type HttpProxy, proxyOptions } from '../net/http-proxy.ts'
import { dialFault } from '../net/connect-fault.ts'
import { tlsOptions, type TlsTrust } from '../net/tls-trust.ts'

/** Where a bucket is, and how it is reached. */
export type S3Options = {
  /** `host:port`, or a URL. */
  readonly endpoint: string
  readonly isInsecure: boolean
  readonly region: string | undefined
  /** Anonymous without. */
  readonly keys?: S3Keys | undefined
  readonly trust?: TlsTrust
  readonly proxy?: HttpProxy | undefined
  readonly signal: AbortSignal
}

/** Reads one bucket of an S3-compatible store. Every call throws SluiceError S3_FAILED. */
export type S3Bucket = {
  readonly exists: () => Promise<boolean>
  readonly list: (prefix: string) => AsyncGenerator<S3Object>
  /** undefined when it is not there (any more). */
  readonly get: (key: string, limitBytes: number) => Promise<{ bytes: Buffer; etag: string } | undefined>
}

type Answer = { readonly status: number; readonly headers: http.IncomingHttpHeaders; readonly body: Buffer }

const LARGEST_PAGE_BYTES = 16 * 1024 * 1024
const DEFAULT_REGION = 'us-east-1'

/** Opens a bucket; nothing is sent before the first call. The region is learnt from the store when none is given. */
export function openBucket(options: S3Options, bucket: string): S3Bucket {
  let region = options.region ?? DEFAULT_REGION
  const ask = async (method: string, address: Address, limitBytes: number): Promise<Answer> => {
    const answer = await send(options, method, address, region, limitBytes)
    const told = answer.headers['x-amz-bucket-region']
    const isElsewhere = answer.status === 400 || answer.status === 301
    if (options.region !== undefined || typeof told !== 'string' || told === region || !isElsewhere) return answer
    region = told
    return send(options, method, address, region, limitBytes)
  }
  return {
    async exists() {
      const { status } = await ask('HEAD', addressOf(options, bucket), 0)
      if (status === 200) return true
      if (status === 404) return false
      throw refused(status, '')
    },
    async *list(prefix) {
      for (let next: string | undefined = '', first = true; first || next !== undefined; first = false) {
        const query = {
          'list-type': '2',
          'encoding-type': 'url',
          'max-keys': '1000',
          prefix,
          ...(next ? { 'continuation-token': next } : {}),
        }
        const { status, body } = await ask('GET', addressOf(options, bucket, { query }), LARGEST_PAGE_BYTES)
        if (status !== 200) throw refused(status, body.toString('utf8'))
        const page = parseListing(body.toString('utf8'))
        yield* page.objects
        if (page.next !== undefined && page.next === next)
          throw new SluiceError('S3_FAILED', 'the list of objects leads to itself, not to its next page', {
            retry: 'backoff',
          })
        next = page.next
      }
    },
    async get(key, limitBytes) {
      const { status, headers, body } = await ask('GET', addressOf(options, bucket, { key }), limitBytes)
      if (status === 404) return undefined
      if (status !== 200) throw refused(status, body.toString('utf8'))
      return { bytes: body, etag: (headers.etag ?? '').replace(/^W\//, '').replace(/^"|"$/g, '') }
    },
  }
}

/** An address in its parts: `URL` would take the `..` of a key for a step. */
type Address = { readonly origin: URL; readonly path: string; readonly query: URLSearchParams }

/** Path style, which every store understands; AWS wants the bucket in the host. */
function addressOf(
  { endpoint, isInsecure }: S3Options,
  bucket: string,
  { key = '', query = {} }: { readonly key?: string; readonly query?: Record<string, string> } = {},
): Address {
  const origin = new URL(/^https?:\/\//.test(endpoint) ? endpoint : `${isInsecure ? 'http' : 'https'}://${endpoint}`)
  const isAws = /(^|\.)amazonaws\.com$/.test(origin.hostname) && !bucket.includes('.')
  if (isAws) origin.hostname = `${bucket}.${origin.hostname}`
  const path = `${isAws ? '/' : `/${escapeS3(bucket)}/`}${escapeS3(key, true)}`
  return { origin, path, query: new URLSearchParams(query) }
}

function send(
  options: S3Options,
  method: string,
  { origin, path, query }: Address,
  region: string,
  limitBytes: number,
): Promise<Answer> {
  const { keys, trust = {}, proxy, signal } = options
  const { host } = origin
  const search = query.toString().replaceAll('+', '%20')
  const target = search === '' ? path : `${path}?${search}`
  const route = proxy ? proxyOptions(proxy, origin, trust) : { agent: false as const, ...tlsOptions(trust) }
  const signed = keys ? signS3({ method, host, path, query, region, atMs: Date.now() }, keys) : {}
  const asked = askedAs(options, method, `${origin.protocol}//${host}${path}`, search)
  const isPlainProxy = proxy !== undefined && origin.protocol === 'http:'
  return new Promise((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException): void =>
      reject(
        new SluiceError('S3_FAILED', faultWords(error, origin, asked, proxy?.url), { retry: 'backoff', cause: error }),
      )
    const make = origin.protocol === 'https:' ? https.request : http.request
    const request = {
      ...route,
      method,
      path: isPlainProxy ? `${origin.origin}${target}` : target,
      headers: { ...signed, ...route.headers },
      signal,
    }
    const sent = make(origin, request, (answer) => {
      const chunks: Buffer[] = []
      let size = 0
      answer.on('error', fail)
      answer.on('data', (chunk: Buffer) => {
        size += chunk.length
        const isTooLarge = answer.statusCode === 200 && size > limitBytes
        if (isTooLarge) sent.destroy(new Error(`the answer is larger than ${limitBytes} bytes`))
        else if (size <= LARGEST_PAGE_BYTES || answer.statusCode === 200) chunks.push(chunk)
      })
      answer.on('end', () =>
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(chunks) }),
      )
    })
    sent.on('error', fail)
    sent.end()
  })
}

/** A request as Flux's S3 library names it, which asks first where a bucket without a region is. */
function askedAs({ region }: S3Options, method: string, address: string, search: string): string {
  if (method === 'HEAD') return region === undefined ? `Get "${address}?location="` : `Head "${address}"`
  return `Get "${address}${search === '' ? '' : `?${search}`}"`
}

/** Why no answer came; where nobody is, in the words of Flux's S3 library. */
function faultWords(error: NodeJS.ErrnoException, origin: URL, request: string, proxy: URL | undefined): string {
  const asked = `${request}:${proxy ? ' proxyconnect tcp:' : ''}`
  if (error.code === 'EPROTO' && error.message.includes('wrong version number'))
    return `${asked} http: server gave HTTP response to HTTPS client`
  if (error.code === 'ABORT_ERR') return `${asked} context deadline exceeded`
  const dialled = dialFault(error, proxy ?? origin)
  return dialled === undefined ? `${origin.host}: ${faultText(error)}` : `${asked} ${dialled}`
}

function refused(status: number, body: string): SluiceError {
  const words: Readonly<Record<number, string>> = { 403: 'Access Denied.', 301: 'the bucket is in another region' }
  const said = parseS3Error(body) || words[status] || `status ${status}`
  return new SluiceError('S3_FAILED', said, { retry: 'backoff' })
}
