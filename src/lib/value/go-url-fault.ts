import { goQuote } from './go-quote.ts'

/** What a host may hold besides letters and digits, as Go takes it. */
const HOST_LETTER = /[A-Za-z0-9!"$&'()*+,\-.:;<=>[\]_~%\u0080-\u{10ffff}]/u
const USER_INFO = /^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/
const BAD_ESCAPE = /%(?![0-9A-Fa-f]{2})/
/** In a host only what is no ASCII may be escaped, and `%`. */
const BAD_HOST_ESCAPE = /%(?![0-9A-Fa-f]{2})|%(?!25)[0-7]/

/**
 * What Go's `url.Parse` says of a text that is no address, behind `parse "…": `; undefined where it takes it.
 *
 * @see https://pkg.go.dev/net/url#Parse of Go 1.26
 */
export function goUrlFault(text: string): string | undefined {
  const [url = '', ...fragment] = text.split('#')
  return faultOf(url) ?? escapeFault(fragment.join('#'), BAD_ESCAPE)
}

function faultOf(url: string): string | undefined {
  if (/[\0-\x1f\x7f]/.test(url)) return 'net/url: invalid control character in URL'
  if (url === '*') return undefined
  if (url.startsWith(':')) return 'missing protocol scheme'
  const scheme = /^([A-Za-z][A-Za-z0-9+\-.]*):/.exec(url)?.[1]?.toLowerCase() ?? ''
  const [rest = ''] = (scheme === '' ? url : url.slice(scheme.length + 1)).split('?', 1)
  if (!rest.startsWith('/') && scheme !== '') return undefined
  if (!rest.startsWith('/') && rest.split('/', 1)[0]?.includes(':'))
    return 'first path segment in URL cannot contain colon'
  if (!rest.startsWith('//') || (scheme === '' && rest.startsWith('///'))) return escapeFault(rest, BAD_ESCAPE)
  const slash = rest.indexOf('/', 2)
  const authority = slash < 0 ? rest.slice(2) : rest.slice(2, slash)
  return authorityFault(authority, scheme) ?? (slash < 0 ? undefined : escapeFault(rest.slice(slash), BAD_ESCAPE))
}

function authorityFault(authority: string, scheme: string): string | undefined {
  const at = authority.lastIndexOf('@')
  const fault = hostFault(authority.slice(at + 1), scheme)
  if (fault !== undefined || at < 0) return fault
  const user = authority.slice(0, at)
  if (!USER_INFO.test(user)) return 'net/url: invalid userinfo'
  const colon = user.indexOf(':')
  const parts = colon < 0 ? [user] : [user.slice(0, colon), user.slice(colon + 1)]
  return parts.map((part) => escapeFault(part, BAD_ESCAPE)).find((found) => found !== undefined)
}

function hostFault(host: string, scheme: string): string | undefined {
  const open = host.lastIndexOf('[')
  if (open > 0) return 'invalid IP-literal'
  if (open === 0) return literalFault(host)
  // databases have lists of hosts with ports; of the web there is one
  const isOfWeb = scheme === 'http' || scheme === 'https'
  const colon = isOfWeb ? host.indexOf(':') : host.lastIndexOf(':')
  return (colon < 0 ? undefined : portFault(host.slice(colon))) ?? hostLetterFault(host)
}

function literalFault(host: string): string | undefined {
  const close = host.lastIndexOf(']')
  if (close < 0) return "missing ']' in host"
  const port = portFault(host.slice(close + 1))
  if (port !== undefined) return port
  const [address = ''] = host.slice(1, close).split('%25', 1)
  const fault = hostLetterFault(address)
  if (fault !== undefined) return fault
  if (/^\d+(?:\.\d+){3}$/.test(address)) return 'invalid IP-literal'
  return URL.canParse(`http://[${address}]/`)
    ? undefined
    : `invalid host: ParseAddr(${goQuote(address)}): unable to parse IP`
}

function portFault(port: string): string | undefined {
  return /^(?::\d*)?$/.test(port) ? undefined : `invalid port ${goQuote(port)} after host`
}

/** The first thing in a host that may not stand there. */
function hostLetterFault(host: string): string | undefined {
  const escape = host.search(BAD_HOST_ESCAPE)
  const chars = [...(escape < 0 ? host : host.slice(0, escape))]
  const odd = chars.find((char) => !HOST_LETTER.test(char))
  return odd === undefined ? escapeFault(host, BAD_HOST_ESCAPE) : `invalid character ${goQuote(odd)} in host name`
}

function escapeFault(text: string, bad: RegExp): string | undefined {
  const at = text.search(bad)
  return at < 0 ? undefined : `invalid URL escape ${goQuote(text.slice(at, at + 3))}`
}
