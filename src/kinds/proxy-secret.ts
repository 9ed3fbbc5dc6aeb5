const LONGEST_ADDRESS = 2048
const SCHEMES = ['http', 'https', 'socks5']

/** The address in a Secret of a proxy; '' when there is none. */
export function proxyAddressOf(data: Readonly<Record<string, Buffer>>): string {
  return data['address']?.toString('utf8').trim() ?? ''
}

/**
 * What is wrong with the address in a Secret of a proxy, in the words of Flux's `runtime/secrets`; undefined when nothing is.
 *
 * @param place `namespace/name` of the Secret
 */
export function proxyFault(place: string, data: Readonly<Record<string, Buffer>>): string | undefined {
  const why = data['address'] === undefined ? "key 'address' not found" : addressFault(proxyAddressOf(data))
  return why === undefined ? undefined : `secret '${place}': ${why}`
}

function addressFault(address: string): string | undefined {
  if (address === '') return 'proxy address is empty'
  if (address.length > LONGEST_ADDRESS) return `proxy URL exceeds maximum length of ${LONGEST_ADDRESS} characters`
  const unparsed = parseFault(address)
  if (unparsed !== undefined) {
    const shown = withoutLogin(address)
    return `failed to parse proxy address '${shown}': parse ${JSON.stringify(shown)}: ${unparsed}`
  }
  const scheme = /^[a-z][a-z0-9+.-]*(?=:)/i.exec(address)?.[0].toLowerCase() ?? ''
  return SCHEMES.includes(scheme)
    ? undefined
    : `proxy URL must use one of the supported schemes (${SCHEMES.join(', ')}), got '${scheme}'`
}

/** Flux quotes the login, too; this goes into statuses and logs, which more may read than the Secret. */
function withoutLogin(address: string): string {
  const at = address.lastIndexOf('@')
  return at < 0 ? address : `…${address.slice(at)}`
}

/** What Go's `url.Parse` cannot read, of what people write for a proxy. */
function parseFault(address: string): string | undefined {
  if (address.startsWith(':')) return 'missing protocol scheme'
  if (/^[a-z][a-z0-9+.-]*:/i.test(address)) return undefined
  return address.split('/', 1)[0]?.includes(':') ? 'first path segment in URL cannot contain colon' : undefined
}
