import { lookup as dnsLookup } from 'node:dns'
import { type IncomingMessage, request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { BlockList, isIP, type LookupFunction } from 'node:net'
import { SluiceError } from '../../lib/error/sluice-error.ts'
import type { HookRequest } from '../../pipeline/notify/payload.ts'

/** How to send. */
export type SendOptions = {
  readonly timeoutMs: number
  readonly caPem?: string
  /** `any`: everything but link-local addresses (a cloud's metadata service). `public`: no private and loopback addresses either. */
  readonly reach: 'any' | 'public'
  readonly userAgent: string
}

const LINK_LOCAL = new BlockList()
LINK_LOCAL.addSubnet('169.254.0.0', 16)
LINK_LOCAL.addSubnet('fe80::', 10, 'ipv6')
const PRIVATE = new BlockList()
for (const [net, bits] of [
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['127.0.0.0', 8],
  ['100.64.0.0', 10],
  ['0.0.0.0', 8],
] as const)
  PRIVATE.addSubnet(net, bits)
PRIVATE.addAddress('::1', 'ipv6')
PRIVATE.addAddress('::', 'ipv6')
PRIVATE.addSubnet('fc00::', 7, 'ipv6')

/**
 * Makes one request of a notification; redirects are not followed, the answer's body is thrown away.
 *
 * @throws SluiceError NOTIFY_FAILED (retry: backoff) when it is not taken, NOTIFY_ADDRESS when the address is not allowed
 */
export async function sendRequest(hook: HookRequest, options: SendOptions): Promise<void> {
  const url = new URL(hook.url)
  const host = url.hostname.replace(/^\[|\]$/g, '')
  if (isIP(host) !== 0 && isBlocked(host, options.reach)) throw forbidden(host)
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const make = url.protocol === 'https:' ? httpsRequest : httpRequest
    const sent = make(url, {
      method: hook.method,
      headers: { 'user-agent': options.userAgent, ...hook.headers, 'content-length': Buffer.byteLength(hook.body) },
      lookup: guardedLookup(options.reach),
      signal: AbortSignal.timeout(options.timeoutMs),
      agent: false,
      ...(options.caPem === undefined ? {} : { ca: options.caPem }),
    })
    sent.on('response', resolve)
    sent.on('error', reject)
    sent.end(hook.body)
  }).catch((error: unknown) => {
    throw error instanceof SluiceError ? error : failed(reasonOf(error, options.timeoutMs))
  })
  answer.resume()
  const status = answer.statusCode ?? 0
  if (status < 200 || status > 299) throw failed(`request failed with status code ${status}`)
}

function guardedLookup(reach: SendOptions['reach']): LookupFunction {
  return (hostname, options, callback) => {
    dnsLookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, '', 0)
      const bad = addresses.find(({ address }) => isBlocked(address, reach))
      if (bad) return callback(forbidden(`${hostname} (${bad.address})`), '', 0)
      if (options.all) return callback(null, addresses)
      const [first] = addresses
      callback(null, first?.address ?? '', first?.family ?? 4)
    })
  }
}

function isBlocked(address: string, reach: SendOptions['reach']): boolean {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '')
  const family = isIP(plain) === 6 ? 'ipv6' : 'ipv4'
  return LINK_LOCAL.check(plain, family) || (reach === 'public' && PRIVATE.check(plain, family))
}

function forbidden(host: string): SluiceError {
  return new SluiceError('NOTIFY_ADDRESS', `the address ${host} is not allowed for notifications`)
}

function failed(reason: string): SluiceError {
  return new SluiceError('NOTIFY_FAILED', `failed to execute request: ${reason}`, { retry: 'backoff' })
}

/** Why a request failed, without the address: it may hold a token. */
function reasonOf(error: unknown, timeoutMs: number): string {
  if (!(error instanceof Error)) return 'unknown'
  if (/Timeout|Abort/.test(error.name)) return `no answer within ${timeoutMs / 1000}s`
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name
}
