import { lookup as dnsLookup } from 'node:dns'
import { BlockList, isIP, type LookupFunction } from 'node:net'
import { SluiceError } from '../../lib/error/sluice-error.ts'

/**
 * Where a request whose address comes from an object may go.
 *
 * Never: link-local addresses, so no metadata service of a cloud, and the other well-known addresses of such services.
 * `any`: all else. `private`: not this machine itself. `public`: no private networks either.
 */
export type Reach = {
  readonly scope: 'any' | 'private' | 'public'
  /** Loopback ports that are never reached: our own listeners. */
  readonly ownPorts: () => readonly number[]
}

const NEVER = new BlockList()
NEVER.addSubnet('169.254.0.0', 16)
NEVER.addSubnet('fe80::', 10, 'ipv6')
NEVER.addAddress('100.100.100.200')
NEVER.addAddress('192.0.0.192')
NEVER.addAddress('168.63.129.16')
NEVER.addAddress('fd00:ec2::254', 'ipv6')
NEVER.addAddress('fd20:ce::254', 'ipv6')
NEVER.addAddress('255.255.255.255')
NEVER.addSubnet('224.0.0.0', 4)
NEVER.addSubnet('ff00::', 8, 'ipv6')

const MACHINE = new BlockList()
MACHINE.addSubnet('127.0.0.0', 8)
MACHINE.addSubnet('0.0.0.0', 8)
MACHINE.addAddress('::1', 'ipv6')
MACHINE.addAddress('::', 'ipv6')

const PRIVATE = new BlockList()
PRIVATE.addSubnet('10.0.0.0', 8)
PRIVATE.addSubnet('172.16.0.0', 12)
PRIVATE.addSubnet('192.168.0.0', 16)
PRIVATE.addSubnet('100.64.0.0', 10)
PRIVATE.addSubnet('fc00::', 7, 'ipv6')
PRIVATE.addSubnet('fec0::', 10, 'ipv6')

/**
 * Throws when a URL's host is an address that may not be reached; names are checked when they are looked up.
 *
 * @throws SluiceError NOTIFY_ADDRESS
 */
export function checkReach(url: URL, reach: Reach): void {
  const host = hostOf(url)
  if (isIP(host) !== 0 && !isReachable(host, portOf(url), reach)) throw forbidden(host)
}

/** Looks names up and refuses those that lead where no request may go; the connection uses the very address that was checked. */
export function guardedLookup(url: URL, reach: Reach): LookupFunction {
  return (hostname, options, callback) => {
    dnsLookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, '', 0)
      const bad = addresses.find(({ address }) => !isReachable(address, portOf(url), reach))
      if (bad) return callback(forbidden(`${hostname} (${bad.address})`), '', 0)
      if (options.all) return callback(null, addresses)
      const [first] = addresses
      callback(null, first?.address ?? '', first?.family ?? 4)
    })
  }
}

function isReachable(address: string, port: number, { scope, ownPorts }: Reach): boolean {
  const plain = embedded(address)
  const family = isIP(plain) === 6 ? 'ipv6' : 'ipv4'
  if (NEVER.check(plain, family)) return false
  if (MACHINE.check(plain, family)) return scope === 'any' && !ownPorts().includes(port)
  return scope !== 'public' || !PRIVATE.check(plain, family)
}

/** The IPv4 address inside of an IPv6 one (mapped, compatible, NAT64, 6to4): it is where the packets go. */
function embedded(address: string): string {
  if (isIP(address) !== 6) return address
  const canonical = new URL(`http://[${address.replace(/%.*$/, '')}]/`).hostname.slice(1, -1)
  const [first, ...parts] = canonical.split(':')
  const tail = /^(?:::|::ffff:|64:ff9b::|64:ff9b:1::|::ffff:0:)([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(canonical)
  if (!tail && first !== '2002') return canonical
  const [, ...ends] = tail ?? [first, ...parts]
  const [high = 0, low = 0] = ends.slice(0, 2).map((part) => Number.parseInt(part || '0', 16))
  return [high >> 8, high & 255, low >> 8, low & 255].join('.')
}

function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '')
}

function portOf(url: URL): number {
  return Number(url.port) || (url.protocol === 'https:' ? 443 : 80)
}

function forbidden(host: string): SluiceError {
  return new SluiceError('NOTIFY_ADDRESS', `the address ${host} is not allowed for requests that objects ask for`, {
    hint: 'see --hook-reach',
  })
}
