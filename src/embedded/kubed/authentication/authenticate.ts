import { timingSafeEqual, X509Certificate } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { type PeerCertificate, TLSSocket } from 'node:tls'
import type { User } from '../request/user.ts'
import type { Environment } from '../environment.ts'
import { Fault } from '../fault.ts'
import { reviewToken } from './account-tokens.ts'
import { impersonated } from './impersonate.ts'

const ADMIN: User = { name: 'system:admin', groups: ['system:masters', 'system:authenticated'] }
/** Whoever brings no token. */
const ANONYMOUS: User = { name: 'system:anonymous', groups: ['system:unauthenticated'] }

/**
 * The user of a request, by certificate or token, or nobody; and whom they act as.
 *
 * @throws Fault 401 for a wrong token or certificate, 403 for an impersonation that is not allowed
 */
export function authenticate(env: Environment, request: IncomingMessage, token: string): User {
  return impersonated(env, request, certified(env, request) ?? bearer(env, request, token))
}

/** The bearer of a certificate of our own authority: its common name, and its organisations as groups. */
function certified(env: Environment, { socket }: IncomingMessage): User | undefined {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return undefined
  if (!bearers.has(socket)) bearers.set(socket, bearerOf(env, socket))
  return bearers.get(socket)
}

/** A connection shows one certificate; reading it takes as long as a GET. */
const bearers = new WeakMap<TLSSocket, User | undefined>()

function bearerOf({ kubeletTls }: Environment, socket: TLSSocket): User | undefined {
  // A resumed session without any certificate counts as authorized, too.
  const shown: Partial<PeerCertificate> = socket.getPeerCertificate()
  const { subject, fingerprint256 = '' } = shown
  if (subject === undefined) return undefined
  // What we show to kubelets is shown to us where a Node names our own address: who writes Nodes is no administrator by that.
  if (fingerprint256 === new X509Certificate(kubeletTls.cert).fingerprint256) return undefined
  const name: unknown = subject.CN
  if (typeof name !== 'string' || name === '') return undefined
  const hash = fingerprint256.replaceAll(':', '').toLowerCase()
  return {
    name,
    groups: [...textsOf(subject.O), 'system:authenticated'],
    extra: { 'authentication.kubernetes.io/credential-id': [`X509SHA256=${hash}`] },
  }
}

/** A field of a name that stands several times is a list. */
const textsOf = (value: unknown): string[] =>
  (Array.isArray(value) ? value : [value]).filter((each) => typeof each === 'string')

function bearer(env: Environment, { headers, socket }: IncomingMessage, token: string): User {
  const given = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1]
  if (given === undefined) {
    const isForeign = socket instanceof TLSSocket && Object.keys(socket.getPeerCertificate()).length > 0
    if (isForeign) throw new Fault(401, 'Unauthorized', 'Unauthorized')
    return ANONYMOUS
  }
  if (sameText(given, token)) return ADMIN
  const { user } = reviewToken(env, given, [])
  if (user === undefined) throw new Fault(401, 'Unauthorized', 'Unauthorized')
  return user
}

/** Tells by its time at most how long the token is, which is no secret. */
function sameText(a: string, b: string): boolean {
  const [given, own] = [Buffer.from(a), Buffer.from(b)]
  return given.length === own.length && timingSafeEqual(given, own)
}
