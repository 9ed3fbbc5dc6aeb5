import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { type Claims, signedClaims } from '../../../lib/jwt/verify.ts'
import type { JsonObject } from '../../../lib/kube/json.ts'
import type { Signer } from '../environment.ts'

/** The issuer of the accounts' tokens, and the audience of those that are for this server. */
export const ISSUER = 'https://kubernetes.default.svc'

/** A new RSA key as PEM. */
export function newSigningKey(): string {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
}

/**
 * Signs with RS256, as kube-apiserver does with its `--service-account-signing-key-file`.
 *
 * Remembers what it found signed, by a hash of the token: clients show the same token with every request, and to check a signature takes longer than
 * to answer a GET.
 * @param mostTokens so many are known at a time
 */
export function signerOf(pem: string, mostTokens = 1024): Signer {
  const key = createPrivateKey(pem)
  const kid = keyIdOf(key)
  const header = encode({ alg: 'RS256', kid })
  const { n = '', e = '' } = createPublicKey(key).export({ format: 'jwk' })
  const publicKey = { use: 'sig', kty: 'RSA', kid, alg: 'RS256', n, e }
  const known = new Map<string, Claims>()
  return {
    publicKey,
    claimsOf(token) {
      const hash = createHash('sha256').update(token).digest('base64')
      const claims = known.get(hash) ?? signedClaims(token, [publicKey])
      // The one that was shown last stands at the end.
      known.delete(hash)
      known.set(hash, claims)
      const [oldest = ''] = known.keys()
      if (known.size > mostTokens) known.delete(oldest)
      return claims
    },
    sign: (claims) => {
      const text = `${header}.${encode(claims)}`
      return `${text}.${sign('sha256', Buffer.from(text), key).toString('base64url')}`
    },
  }
}

/** The hash of the public key, as Kubernetes names keys. */
function keyIdOf(key: KeyObject): string {
  const der = createPublicKey(key).export({ type: 'spki', format: 'der' })
  return createHash('sha256').update(der).digest('base64url')
}

const encode = (value: JsonObject): string => Buffer.from(JSON.stringify(value)).toString('base64url')

/** `/.well-known/openid-configuration`. */
export function discoveryDocument(server: string): JsonObject {
  return {
    issuer: ISSUER,
    jwks_uri: `${server}/openid/v1/jwks`,
    response_types_supported: ['id_token'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256'],
  }
}
