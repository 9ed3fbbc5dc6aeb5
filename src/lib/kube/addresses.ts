/** An address as Go reads it: IPv4 within IPv6 is IPv4, and leading zeros are decimal. */
export type Address = {
  readonly family: 4 | 6
  readonly value: bigint
  /** Written in a way that other programs read as another address. */
  readonly fault: 'zeros' | 'mapped' | undefined
}

/** Reads an address; undefined when it is none. */
export function parseAddress(text: string): Address | undefined {
  const four = /^\d+\.\d+\.\d+\.\d+$/.test(text) ? text.split('.') : undefined
  if (four !== undefined) {
    if (four.some((part) => part.length > 64 || Number(part) > 255)) return undefined
    const value = four.reduce((sum, part) => sum * 256n + BigInt(part), 0n)
    return { family: 4, value, fault: four.some((part) => /^0\d/.test(part)) ? 'zeros' : undefined }
  }
  const value = valueOf(text)
  if (value === undefined) return undefined
  if (value >> 32n === 0xffffn) return { family: 4, value: value & 0xffffffffn, fault: 'mapped' }
  return { family: 6, value, fault: undefined }
}

/** IPv6: eight groups, of which `::` stands for one or more zeros; the last two may be an IPv4 address. */
function valueOf(text: string): bigint | undefined {
  const [, before = text, tailText] = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text) ?? []
  const tail = tailText === undefined ? undefined : parseAddress(tailText)
  if (tailText !== undefined && (tail === undefined || tail.fault !== undefined)) return undefined
  const last = tail === undefined ? '' : `${(tail.value >> 16n).toString(16)}:${(tail.value & 0xffffn).toString(16)}`
  const halves = `${before}${last}`.split('::')
  if (halves.length > 2) return undefined
  const [left = [], right = []] = halves.map((half) => (half === '' ? [] : half.split(':')))
  const missing = 8 - left.length - right.length
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined
  const groups = [...left, ...Array.from({ length: missing }, () => '0'), ...right]
  if (!groups.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))) return undefined
  return groups.reduce((sum, group) => sum * 65_536n + BigInt(`0x${group}`), 0n)
}

/** The one way to write an address: four numbers, or as RFC 5952 has it. */
export function addressText({ family, value }: Address): string {
  const part = (index: number, bits: number): number =>
    Number((value >> BigInt(index * bits)) & ((1n << BigInt(bits)) - 1n))
  if (family === 4) return [3, 2, 1, 0].map((index) => part(index, 8)).join('.')
  const parts = [7, 6, 5, 4, 3, 2, 1, 0].map((index) => part(index, 16).toString(16))
  // The first of the longest runs of zeros, from two on, is left out.
  let [start, length] = [0, 1]
  for (let from = 0; from < parts.length; from++) {
    let to = from
    while (parts[to] === '0') to++
    if (to - from > length) [start, length] = [from, to - from]
  }
  if (length < 2) return parts.join(':')
  return `${parts.slice(0, start).join(':')}::${parts.slice(start + length).join(':')}`
}

/** Addresses that begin alike. */
export type Network = { readonly address: Address; readonly bits: number; readonly isOdd: boolean }

/** Reads a network, ADDRESS/BITS; undefined when it is none. */
export function parseNetwork(text: string): Network | undefined {
  const [, host = '', digits = ''] = /^([^/]*)\/(\d{1,9})$/.exec(text) ?? []
  const address = parseAddress(host)
  if (address === undefined) return undefined
  const written = Number(digits)
  const bits = address.fault === 'mapped' ? written - 96 : written
  if (bits < 0 || bits > sizeOf(address)) return undefined
  return { address, bits, isOdd: address.fault !== undefined || /^0\d/.test(digits) }
}

const sizeOf = ({ family }: Address): number => (family === 4 ? 32 : 128)

function masked({ address, bits }: Network): Address {
  const shift = BigInt(sizeOf(address) - bits)
  return { ...address, value: (address.value >> shift) << shift }
}

/** True when a network is a part of another and smaller. */
export function isWithin(inner: Network, outer: Network): boolean {
  const isSame = inner.address.family === outer.address.family && inner.bits > outer.bits
  return isSame && masked({ ...inner, bits: outer.bits }).value === masked(outer).value
}

/** True when every address of a network is in another. */
export function isPartOf(inner: Network, outer: Network): boolean {
  return inner.bits === outer.bits && inner.address.family === outer.address.family
    ? masked(inner).value === masked(outer).value
    : isWithin(inner, outer)
}

/** True for an address that a Service may have from a network: not its own address, and not that of all at once (IPv4). */
export function holdsAddress(network: Network, address: Address): boolean {
  const shift = BigInt(sizeOf(network.address) - network.bits)
  const first = masked(network).value
  const last = first + (1n << shift) - 1n
  const isInside = address.family === network.address.family && address.value > first && address.value <= last
  return isInside && !(address.family === 4 && address.value === last)
}

const networkText = (network: Network): string => `${addressText(masked(network))}/${network.bits}`

/**
 * Why the API server refuses an address; undefined when it takes it. Newer fields want it in its canonical form.
 *
 * @see k8s.io/apimachinery/pkg/util/validation IsValidIP
 */
export function addressFault(text: string, isCanonical = false): string | undefined {
  const address = parseAddress(text)
  if (address === undefined) return 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'
  if (address.fault === 'zeros') return 'must not have leading 0s'
  if (address.fault === 'mapped') return 'must not be an IPv4-mapped IPv6 address'
  const canonical = addressText(address)
  return isCanonical && canonical !== text ? `must be in canonical form (${JSON.stringify(canonical)})` : undefined
}

/** The same of a network. @see k8s.io/apimachinery/pkg/util/validation IsValidCIDR */
export function networkFault(text: string, isCanonical = false): string | undefined {
  const network = parseNetwork(text)
  if (network === undefined) return 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)'
  if (network.address.fault === 'mapped') return 'must not have an IPv4-mapped IPv6 address'
  if (network.isOdd) return 'must not have leading 0s in IP or prefix length'
  if (masked(network).value !== network.address.value) return 'must not have bits set beyond the prefix length'
  const canonical = networkText(network)
  return isCanonical && canonical !== text ? `must be in canonical form (${JSON.stringify(canonical)})` : undefined
}

/** What the API server says of an address that it takes and that could be written better. */
export function addressWarnings(text: string, path: string): string[] {
  const address = parseAddress(text)
  if (address === undefined) return []
  const [canonical, quoted] = [JSON.stringify(addressText(address)), JSON.stringify(text)]
  if (address.fault !== undefined) return [`${path}: non-standard IP address ${quoted} is invalid: use ${canonical}`]
  if (canonical === quoted) return []
  return [`${path}: IPv6 address ${quoted} should be in RFC 5952 canonical format (${canonical})`]
}

/** The same of a network that it takes. */
export function networkWarnings(text: string, path: string): string[] {
  const network = parseNetwork(text)
  if (network === undefined || networkFault(text) !== undefined) return []
  const [canonical, quoted] = [JSON.stringify(networkText(network)), JSON.stringify(text)]
  if (canonical === quoted) return []
  return [`${path}: IPv6 CIDR value ${quoted} should be in RFC 5952 canonical format (${canonical})`]
}
