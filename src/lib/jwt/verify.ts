import { createPublicKey, type JsonWebKey, type KeyObject, verify } from 'node:crypto'
import { SluiceError } from '../error/sluice-error.ts'
import { read, readList, readText } from '../kube/read.ts'
import { own } from '../value/own.ts'

/** What is inside of a token. */
export type Claims = Readonly<Record<string, unknown>>

/** What a token is checked against. */
export type JwtTrust = {
  /** The issuer's public keys, as its JWKS has them. */
  readonly keys: readonly unknown[]
  /** Exactly one of these must be `iss`. */
  readonly issuers: readonly string[]
  readonly audience: string
  readonly nowMs: number
}

type Algorithm = { readonly type: string; readonly hash: string | undefined; readonly padding?: number }

// Asymmetric ones only: with `none` or an HMAC a public key would be the secret.
const ALGORITHMS: Readonly<Record<string, Algorithm>> = {
  RS256: { type: 'rsa', hash: 'sha256' },
  RS384: { type: 'rsa', hash: 'sha384' },
  RS512: { type: 'rsa', hash: 'sha512' },
  ES256: { type: 'ec', hash: 'sha256' },
  ES384: { type: 'ec', hash: 'sha384' },
  ES512: { type: 'ec', hash: 'sha512' },
  EdDSA: { type: 'ed25519', hash: undefined },
}
const LONGEST_TOKEN = 16 * 1024
/** How far clocks may differ for `nbf`, as in go-oidc. */
const LEEWAY_MS = 5 * 60_000

/**
 * Checks a JSON Web Token: signature by one of the keys, issuer, audience, time. Fails closed.
 *
 * @throws SluiceError JWT_INVALID; the message never quotes the token
 */
export function verifyJwt(token: string, trust: JwtTrust): Claims {
  const claims = signedClaims(token, trust.keys)
  checkClaims(claims, trust)
  return claims
}

/**
 * What is inside of a token that one of the keys signed; whose it is, for whom and until when {@link checkClaims} looks at.
 *
 * @throws SluiceError JWT_INVALID
 */
export function signedClaims(token: string, keys: JwtTrust['keys']): Claims {
  const { header, claims, signed, signature } = split(token)
  const algorithm = own(ALGORITHMS, readText(header, 'alg'))
  if (!algorithm) throw invalid(`algorithm "${readText(header, 'alg')}" is not accepted`)
  const isSigned = candidates(keys, header, algorithm).some((key) =>
    verify(algorithm.hash, signed, { key, dsaEncoding: 'ieee-p1363' }, signature),
  )
  if (!isSigned) throw invalid('no key of the issuer made the signature')
  return claims
}

/** The issuer that a token claims to be of, unchecked: only to find the keys. */
export function unverifiedIssuer(token: string): string {
  const issuer = readText(split(token).claims, 'iss')
  if (issuer === '') throw invalid("the token is missing the 'iss' claim")
  return issuer
}

/** Checks issuer, audience and time of what was inside of a token. @throws SluiceError JWT_INVALID */
export function checkClaims(claims: Claims, { issuers, audience, nowMs }: Omit<JwtTrust, 'keys'>): void {
  const issuer = readText(claims, 'iss')
  if (!issuers.includes(issuer)) throw invalid(`the issuer is '${issuer}', want '${issuers.join("' or '")}'`)
  const named = typeof claims['aud'] === 'string' ? [claims['aud']] : readList(claims, 'aud')
  if (audience === '' || !named.includes(audience))
    throw invalid(`the audience is '${named.join(', ')}', want '${audience}'`)
  const until = claims['exp']
  if (typeof until !== 'number' || until * 1000 <= nowMs) throw invalid('the token is expired')
  const from = claims['nbf']
  if (from !== undefined && (typeof from !== 'number' || from * 1000 > nowMs + LEEWAY_MS))
    throw invalid('the token is not valid yet')
}

function candidates(keys: readonly unknown[], header: unknown, { type }: Algorithm): KeyObject[] {
  const id = readText(header, 'kid')
  return keys
    .filter((key) => id === '' || readText(key, 'kid') === id)
    .flatMap((key) => publicKey(key))
    .filter(({ asymmetricKeyType }) => asymmetricKeyType === type)
}

function publicKey(key: unknown): KeyObject[] {
  try {
    return typeof key === 'object' && key !== null ? [createPublicKey({ key: key as JsonWebKey, format: 'jwk' })] : []
  } catch {
    return []
  }
}

function split(token: string) {
  const parts = token.length > LONGEST_TOKEN ? [] : token.split('.')
  const [header = '', payload = '', signature = ''] = parts
  if (parts.length !== 3) throw invalid('it is not a JWT')
  return {
    header: decode(header),
    claims: decode(payload),
    signed: Buffer.from(`${header}.${payload}`),
    signature: Buffer.from(signature, 'base64url'),
  }
}

function decode(part: string): Claims {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'))
    if (typeof value === 'object' && value !== null && !Array.isArray(value) && read(value, 'crit') === undefined)
      return { ...value }
  } catch {
    // said below
  }
  throw invalid('it is not a JWT')
}

function invalid(why: string): SluiceError {
  return new SluiceError('JWT_INVALID', `invalid ID token: ${why}`)
}
