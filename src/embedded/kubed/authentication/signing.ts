import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import type { JsonObject } from '../../../lib/kube/json.ts'
import type { Signer } from '../environment.ts'

/** The issuer of the accounts' tokens, and the audience of those that are for this server. */
export const ISSUER = 'https://kubernetes.default.svc'

/** A new RSA key as PEM. */
export function newSigningKey(): string {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
}

/** Signs with RS256, as kube-apiserver does with its `--service-account-signing-key-file`. */
export function signerOf(pem: string): Signer {
  const key = createPrivateKey(pem)
  const kid = keyIdOf(key)
  const header = encode({ alg: 'RS256', kid })
  const { n = '', e = '' } = createPublicKey(key).export({ format: 'jwk' })
  return {
    publicKey: { use: 'sig', kty: 'RSA', kid, alg: 'RS256', n, e },
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
