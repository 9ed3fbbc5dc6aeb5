import type { Environment } from '@marcbachmann/cel-js'

/** An address of either family as a number. */
class Address {
  readonly family: 4 | 6
  readonly value: bigint
  constructor(family: 4 | 6, value: bigint) {
    this.family = family
    this.value = value
  }
}

/** What `ip.isCanonical` is asked of. */
class IPLibrary {}

/** A network: addresses that begin alike. */
class Network {
  readonly address: Address
  readonly length: number
  constructor(address: Address, length: number) {
    this.address = address
    this.length = length
  }
}

/** A URL by its parts, as written. */
class Url {
  readonly scheme: string
  readonly host: string
  readonly path: string
  readonly query: string
  constructor(scheme: string, host: string, path: string, query: string) {
    this.scheme = scheme
    this.host = host
    this.path = path
    this.query = query
  }
}

const [IP, CIDR, URL_TYPE] = ['net.IP', 'net.CIDR', 'kubernetes.URL']

/**
 * The functions of Kubernetes for addresses, networks and URLs.
 *
 * @see https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-ip-address-library
 */
export function withNetwork(environment: Environment): Environment {
  return withUrls(withNetworks(withAddresses(environment)))
}

function withAddresses(environment: Environment): Environment {
  const is = (name: string, test: (address: Address) => boolean): Environment =>
    environment.registerFunction(`${IP}.${name}(): bool`, test)
  environment
    .registerType(IP, Address)
    .registerType('net.IPLibrary', IPLibrary)
    .registerConstant('ip', 'net.IPLibrary', new IPLibrary())
    .registerFunction(
      'net.IPLibrary.isCanonical(string): bool',
      (_: unknown, text: string) => textOf(readAddress(text)) === text,
    )
    .registerFunction('isIP(string): bool', (text: string) => parseAddress(text) !== undefined)
    .registerFunction(`ip(string): ${IP}`, readAddress)
    .registerFunction(`${IP}.family(): int`, ({ family }: Address) => BigInt(family))
    .registerFunction(`string(${IP}): string`, textOf)
    .registerOperator(`${IP} == ${IP}`, isSame)
  is('isUnspecified', ({ value }) => value === 0n)
  is('isLoopback', (a) => (a.family === 4 ? a.value >> 24n === 127n : a.value === 1n))
  is('isLinkLocalMulticast', (a) => (a.family === 4 ? a.value >> 8n === 0xe00000n : a.value >> 112n === 0xff02n))
  is('isLinkLocalUnicast', isLinkLocal)
  return is('isGlobalUnicast', (a) => {
    const isMulticast = a.family === 4 ? a.value >> 28n === 0xen : a.value >> 120n === 0xffn
    const isBroadcast = a.family === 4 && a.value === 0xffffffffn
    const isLoopback = a.family === 4 ? a.value >> 24n === 127n : a.value === 1n
    return a.value !== 0n && !isMulticast && !isBroadcast && !isLoopback && !isLinkLocal(a)
  })
}

const isLinkLocal = ({ family, value }: Address): boolean =>
  family === 4 ? value >> 16n === 0xa9fen : value >> 118n === 0x3fan

const isSame = (a: Address, b: Address): boolean => a.family === b.family && a.value === b.value

function withNetworks(environment: Environment): Environment {
  const contains = ({ address, length }: Network, inner: Network): boolean => {
    const shift = BigInt(sizeOf(address) - length)
    return (
      address.family === inner.address.family &&
      length <= inner.length &&
      address.value >> shift === inner.address.value >> shift
    )
  }
  const whole = (address: Address): Network => new Network(address, sizeOf(address))
  return environment
    .registerType(CIDR, Network)
    .registerFunction('isCIDR(string): bool', (text: string) => parseNetwork(text) !== undefined)
    .registerFunction(`cidr(string): ${CIDR}`, readNetwork)
    .registerFunction(`${CIDR}.containsIP(string): bool`, (a: Network, b: string) =>
      contains(
        a,
        fitting(b, (text) => whole(readAddress(text))),
      ),
    )
    .registerFunction(`${CIDR}.containsIP(${IP}): bool`, (a: Network, b: Address) => contains(a, whole(b)))
    .registerFunction(`${CIDR}.containsCIDR(string): bool`, (a: Network, b: string) =>
      contains(a, fitting(b, readNetwork)),
    )
    .registerFunction(`${CIDR}.containsCIDR(${CIDR}): bool`, contains)
    .registerFunction(`${CIDR}.ip(): ${IP}`, ({ address }: Network) => address)
    .registerFunction(`${CIDR}.prefixLength(): int`, ({ length }: Network) => BigInt(length))
    .registerFunction(`${CIDR}.masked(): ${CIDR}`, masked)
    .registerFunction(`string(${CIDR}): string`, ({ address, length }: Network) => `${textOf(address)}/${length}`)
    .registerOperator(
      `${CIDR} == ${CIDR}`,
      (a: Network, b: Network) => isSame(a.address, b.address) && a.length === b.length,
    )
}

const sizeOf = ({ family }: Address): number => (family === 4 ? 32 : 128)

function masked({ address, length }: Network): Network {
  const shift = BigInt(sizeOf(address) - length)
  return new Network(new Address(address.family, (address.value >> shift) << shift), length)
}

function whyNoUrl(text: string): string {
  if (text === '') return 'empty url'
  return text.startsWith(':') ? 'missing protocol scheme' : 'invalid URI for request'
}

/** A text that is none of what is looked for fits no function at all. */
function fitting<T>(text: string, read: (text: string) => T): T {
  try {
    return read(text)
  } catch {
    throw new Error('no such overload')
  }
}

function withUrls(environment: Environment): Environment {
  const get = (name: string, type: string, read: (url: Url) => unknown): Environment =>
    environment.registerFunction(`${URL_TYPE}.${name}(): ${type}`, read)
  environment
    .registerType(URL_TYPE, Url)
    .registerFunction('isURL(string): bool', (text: string) => parseUrl(text) !== undefined)
    .registerFunction(`url(string): ${URL_TYPE}`, (text: string) => {
      const url = parseUrl(text)
      if (url === undefined)
        throw new Error(
          `URL parse error during conversion from string: parse ${JSON.stringify(text)}: ${whyNoUrl(text)}`,
        )
      return url
    })
  environment.registerOperator(
    `${URL_TYPE} == ${URL_TYPE}`,
    (a: Url, b: Url) => a.scheme === b.scheme && a.host === b.host && a.path === b.path && a.query === b.query,
  )
  get('getScheme', 'string', ({ scheme }) => scheme)
  get('getHost', 'string', ({ host }) => host)
  get('getHostname', 'string', ({ host }) => host.replace(/:\d*$/, '').replace(/^\[(.*)\]$/, '$1'))
  get('getPort', 'string', ({ host }) => /:(\d*)$/.exec(host)?.[1] ?? '')
  get('getEscapedPath', 'string', ({ path }) => path)
  return get('getQuery', 'map<string, list<string>>', ({ query }) => {
    const all = new Map<string, string[]>()
    for (const [name, value] of new URLSearchParams(query)) all.set(name, [...(all.get(name) ?? []), value])
    return all
  })
}

/** True for an absolute URI, and for an absolute path. */
export const isRequestUri = (text: string): boolean => parseUrl(text) !== undefined

/** An absolute URI, or an absolute path. */
function parseUrl(text: string): Url | undefined {
  if (/[\x00-\x20\x7f]/.test(text)) return undefined
  const parts = /^(?:([A-Za-z][A-Za-z0-9+.-]*):)?(?:\/\/([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#.*)?$/.exec(text)
  const [, scheme = '', authority, path = '', query = ''] = parts ?? []
  if (scheme === '' && !path.startsWith('/')) return undefined
  if (scheme !== '' && authority === undefined && path === '') return undefined
  if (/%(?![0-9A-Fa-f]{2})/.test(path)) return undefined
  const host = (authority ?? '').replace(/^.*@/, '')
  if (!/^(?:\[[0-9A-Fa-f:.]+\]|[^[\]:]*)(?::\d*)?$/.test(host)) return undefined
  return new Url(scheme.toLowerCase(), host, authority === undefined && !path.startsWith('/') ? '' : path, query)
}

function readAddress(text: string): Address {
  const address = parseAddress(text)
  if (address === undefined)
    throw new Error(
      `IP Address ${JSON.stringify(text)} parse error during conversion from string: ${whyNoAddress(text)}`,
    )
  return address
}

function readNetwork(text: string): Network {
  const network = parseNetwork(text)
  if (network === undefined)
    throw new Error(`network address parse error during conversion from string: ${JSON.stringify(text)}`)
  return network
}

function parseNetwork(text: string): Network | undefined {
  const [head = '', length = '', ...more] = text.split('/')
  const address = parseAddress(head)
  if (address === undefined || more.length > 0 || !/^(?:0|[1-9]\d{0,2})$/.test(length)) return undefined
  return Number(length) > sizeOf(address) ? undefined : new Network(address, Number(length))
}

const BYTE = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)'
const IPV4 = new RegExp(`^${BYTE}(?:\\.${BYTE}){3}$`)

/** No zones, and no IPv4 inside of IPv6. */
function parseAddress(text: string): Address | undefined {
  if (IPV4.test(text))
    return new Address(
      4,
      text.split('.').reduce((sum, part) => (sum << 8n) + BigInt(part), 0n),
    )
  const [head = '', tail, ...more] = text.split('::')
  const groups = (part: string): string[] => (part === '' ? [] : part.split(':'))
  const [left, right] = [groups(head), groups(tail ?? '')]
  const count = left.length + right.length
  const isWhole = tail === undefined ? count === 8 : count < 8 && more.length === 0
  if (!isWhole || ![...left, ...right].every((group) => /^[0-9A-Fa-f]{1,4}$/.test(group))) return undefined
  const all = [...left, ...Array.from({ length: 8 - count }, () => '0'), ...right]
  return new Address(
    6,
    all.reduce((sum, group) => (sum << 16n) + BigInt(`0x${group}`), 0n),
  )
}

/** The canonical text: the longest run of zero groups is left out. */
function textOf({ family, value }: Address): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join('.')
  const groups = Array.from({ length: 8 }, (_, index) => ((value >> BigInt(112 - 16 * index)) & 0xffffn).toString(16))
  const runs = [...groups.join(':').matchAll(/(?<![0-9a-f])0(?::0)+(?![0-9a-f])/g)]
  const longest = runs.reduce<RegExpMatchArray | undefined>(
    (best, run) => (run[0].length > (best?.[0].length ?? 0) ? run : best),
    undefined,
  )
  if (longest === undefined) return groups.join(':')
  const text = groups.join(':')
  const at = longest.index ?? 0
  return `${text.slice(0, at).replace(/:$/, '')}::${text.slice(at + longest[0].length).replace(/^:/, '')}`
}

/** Why a text is no address, as Go's netip says it. @see https://pkg.go.dev/net/netip#ParseAddr */
function whyNoAddress(text: string): string {
  const said = `ParseAddr(${JSON.stringify(text)}): `
  const first = /[.:%]/.exec(text)?.[0]
  if (first === '%') return `${said}missing IPv6 address`
  if (first === ':') return `${said}unable to parse IP`
  if (first === undefined) return `${said}unable to parse IP`
  return said + whyNoIpv4(text)
}

function whyNoIpv4(text: string): string {
  const fields = text.split('.')
  let from = 0
  for (const [index, field] of fields.entries()) {
    const odd = /\D/.exec(field)
    const place = (at: number): string => ` (at ${JSON.stringify(text.slice(from + at))})`
    if (odd !== null) return `unexpected character${place(odd.index)}`
    if (field === '') return `IPv4 field must have at least one digit${place(index === fields.length - 1 ? -1 : 0)}`
    if (field.length > 1 && field.startsWith('0')) return 'IPv4 field has octet with leading zero'
    if (Number(field) > 255) return 'IPv4 field has value >255'
    if (index > 3) return 'IPv4 address too long'
    from += field.length + 1
  }
  return 'IPv4 address too short'
}
