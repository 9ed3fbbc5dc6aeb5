import { lookup as dnsLookup } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import { SluiceError } from '../../lib/error/sluice-error.ts'
import { isLoopback } from '../../lib/net/loopback.ts'
import { DOCKER_HUB } from '../../lib/oci/reference.ts'

/** Where a registry's API is. */
export type Endpoint = {
  readonly base: URL
  readonly isLoopback: boolean
  /** Where it is when it does not answer there by HTTPS: nobody has said which of both it speaks. */
  readonly plain?: URL
  /** Nobody has said that it may be plain, only its address makes it likely: no login goes there in the open. */
  readonly isGuess?: boolean
}

/**
 * Finds the API of the registry that an image name's host means: HTTPS, and plain HTTP after it where it does not leave this machine, or who
 * asks takes that, too. An alias without a scheme is a registry of ours, which speaks HTTP on loopback.
 *
 * @param aliases hosts that stand for others, as `registry.sluice.local` -> `127.0.0.1:5000` (or a URL)
 * @param plainHttp hosts that speak HTTP although they are not on loopback
 * @param guessesPlain private networks may be plain, too, as Flux's library has it
 */
export function endpointOf(
  host: string,
  aliases: Readonly<Record<string, string>>,
  plainHttp: readonly string[] = [],
  guessesPlain = false,
): Endpoint {
  const target = aliases[host] ?? (host === DOCKER_HUB ? 'registry-1.docker.io' : host)
  if (/^https?:\/\//.test(target)) {
    const base = new URL(target)
    return { base, isLoopback: isLoopbackName(base.hostname) }
  }
  const plain = new URL(`http://${target}`)
  const isLoopback = isLoopbackName(plain.hostname)
  if (isLoopback && target !== host) return { base: plain, isLoopback }
  const secure = { base: new URL(`https://${target}`), isLoopback }
  if (isLoopback || plainHttp.includes(host) || plainHttp.includes(target)) return { ...secure, plain }
  return guessesPlain && isPrivate(plain.hostname) ? { ...secure, plain, isGuess: true } : secure
}

/** Whom Flux's library asks by plain HTTP when HTTPS is not answered: this machine and private networks. */
export function isNearby(host: string): boolean {
  const name = host.replace(/:\d+$/, '')
  return isPrivate(name) || isLoopbackName(name)
}

function isPrivate(name: string): boolean {
  return isIP(name) === 4 && /^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.)/.test(name)
}

/** Reads an address that a registry sent us to. @throws SluiceError REGISTRY_REFUSED when it is none */
export function addressIn(text: string, base: URL, { base: { host } }: Endpoint): URL {
  if (URL.canParse(text, base.href)) return new URL(text, base)
  throw new SluiceError(
    'REGISTRY_REFUSED',
    `registry ${host} sent us to "${text.slice(0, 200)}", which is no address`,
    {
      retry: 'backoff',
    },
  )
}

/**
 * Checks an address that a registry sent us to (redirect, token realm, upload location).
 *
 * @throws SluiceError REGISTRY_FORBIDDEN_ADDRESS for other schemes, for HTTPS that falls back to HTTP, and for loopback or
 * link-local addresses unless the registry itself is on loopback
 */
export function checkTarget(from: Endpoint, to: URL): void {
  if (to.protocol !== 'https:' && to.protocol !== 'http:') throw forbidden(from, to, 'is neither http nor https')
  if (from.base.protocol === 'https:' && to.protocol === 'http:') throw forbidden(from, to, 'leaves https')
  if (from.isLoopback || to.host === from.base.host) return
  if (isLoopbackName(to.hostname) || isLocalAddress(to.hostname.replace(/^\[|\]$/g, '')))
    throw forbidden(from, to, 'is a loopback or link-local address')
}

/** A name lookup that refuses loopback and link-local answers, for addresses that somebody else chose. */
export const publicLookup: LookupFunction = (hostname, options, callback) => {
  dnsLookup(hostname, { ...options, all: true }, (error, addresses) => {
    if (error) return callback(error, '', 0)
    const bad = addresses.find(({ address }) => isLocalAddress(address))
    if (bad) return callback(new Error(`${hostname} is ${bad.address}, a loopback or link-local address`), '', 0)
    if (options.all) return callback(null, addresses)
    const [first] = addresses
    callback(null, first?.address ?? '', first?.family ?? 4)
  })
}

function isLoopbackName(hostname: string): boolean {
  const name = hostname.replace(/^\[|\]$/g, '')
  return name.endsWith('.localhost') || isLoopback(name)
}

function isLocalAddress(address: string): boolean {
  const plain = unmap(address.toLowerCase())
  if (isIP(plain) === 4) return /^(127\.|169\.254\.|0\.)/.test(plain)
  return isIP(plain) === 6 && (plain === '::1' || plain === '::' || /^fe[89ab]/.test(plain))
}

/** `::ffff:7f00:1` and `::ffff:127.0.0.1` are 127.0.0.1. */
function unmap(address: string): string {
  const hex = /^::(?:ffff:)?([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(address)
  if (!hex) return address.replace(/^::(ffff:)?(?=\d+\.)/, '')
  const [high, low] = [parseInt(hex[1] ?? '0', 16), parseInt(hex[2] ?? '0', 16)]
  return [high >> 8, high & 255, low >> 8, low & 255].join('.')
}

function forbidden(from: Endpoint, to: URL, why: string): SluiceError {
  return new SluiceError(
    'REGISTRY_FORBIDDEN_ADDRESS',
    `registry ${from.base.host} sent us to ${to.origin}, which ${why}`,
    { retry: 'backoff' },
  )
}
