import { faultText } from '../../lib/error/fault-text.ts'
import { noSuchHost } from './no-such-host.ts'

/** Where a connection went, and by which step. */
export type Tried = {
  readonly url: URL
  /** `url` is a proxy on the way. */
  readonly isProxy?: boolean
}

/** What OpenSSL says of certificates that no trusted authority vouches for. */
const UNTRUSTED = new Set([
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'CERT_UNTRUSTED',
])

/** Alerts of the other side as OpenSSL names them, and as Go does where that is another name. */
const ALERTS: Readonly<Record<string, string>> = {
  'certificate expired': 'expired certificate',
  'certificate revoked': 'revoked certificate',
  'certificate unknown': 'unknown certificate',
  'unknown ca': 'unknown certificate authority',
  'protocol version': 'protocol version not supported',
  'no application protocol': 'no application protocol',
  'illegal parameter': 'illegal parameter',
}

/** Why a connection failed, in the words of Go's library, which are those of Flux's statuses. */
export function connectFault(error: NodeJS.ErrnoException, { url, isProxy = false }: Tried): string {
  const dialled = dialFault(error, url)
  if (dialled !== undefined) return `${isProxy ? 'proxyconnect tcp: ' : ''}${dialled}`
  if (error.name === 'AbortError') return 'context deadline exceeded'
  if (error.code === 'ECONNRESET' && /hang up|before secure TLS/.test(error.message)) return 'EOF'
  return tlsFault(error) ?? faultText(error)
}

/** What to do about an address that cannot be met; undefined where the fault says it itself, or somebody was met there. */
export function connectHint({ code = '' }: NodeJS.ErrnoException): string | undefined {
  if (code === 'ENOTFOUND') return 'the name is unknown to DNS: look at its spelling, and at the DNS of this machine'
  if (code === 'EAI_AGAIN') return 'no DNS server answers: look at the network of this machine'
  if (code === 'ECONNREFUSED') return 'nobody listens there: look at the port, and whether the server runs'
  if (['ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH'].includes(code))
    return 'there is no way to it from here: look at the network, a firewall, and whether a proxy is needed'
  return undefined
}

/** Why nobody was met at an address; undefined for any other fault. */
export function dialFault({ code = '' }: NodeJS.ErrnoException, { hostname, port, protocol }: URL): string | undefined {
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return `dial tcp: ${noSuchHost(hostname)}`
  if (code !== 'ECONNREFUSED') return undefined
  return `dial tcp ${hostname}:${port || (protocol === 'https:' ? '443' : '80')}: connect: connection refused`
}

function tlsFault({ code = '', message }: NodeJS.ErrnoException): string | undefined {
  if (UNTRUSTED.has(code)) return 'tls: failed to verify certificate: x509: certificate signed by unknown authority'
  if (code === 'ERR_OSSL_X509_KEY_VALUES_MISMATCH') return 'tls: private key does not match public key'
  if (/wrong version number|packet length too long/.test(message))
    return 'http: server gave HTTP response to HTTPS client'
  const alert = /alert ([a-z ]+):/.exec(message)?.[1]
  return alert === undefined ? undefined : `remote error: tls: ${ALERTS[alert] ?? alert}`
}
