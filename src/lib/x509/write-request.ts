import { createPublicKey, type KeyObject, sign } from 'node:crypto'
import { element, integer, bits, oid, sequence } from './der.ts'

/** The algorithm by which a key signs, and its digest: Ed25519 has its own. */
const ALGORITHMS: Readonly<Record<string, readonly [id: string, digest: string | null]>> = {
  'P-256': ['1.2.840.10045.4.3.2', 'sha256'],
  'P-384': ['1.2.840.10045.4.3.3', 'sha384'],
  'P-521': ['1.2.840.10045.4.3.4', 'sha512'],
  rsa: ['1.2.840.113549.1.1.11', 'sha256'],
  ed25519: ['1.3.101.112', null],
}
const NULL = element(0x05)

/**
 * Writes a request for a certificate (PKCS #10, DER) that names nobody: it shows the public key, and that who asks has the private one.
 *
 * @param key a private key: RSA, Ed25519, or of the curves P-256, P-384 and P-521
 * @throws Error for any other key
 */
export function writeSigningRequest(key: KeyObject): Buffer {
  const curve = CURVES[key.asymmetricKeyDetails?.namedCurve ?? '']
  const [id, digest] = ALGORITHMS[curve ?? key.asymmetricKeyType ?? ''] ?? []
  if (id === undefined || digest === undefined)
    throw new Error(`keys of type ${key.asymmetricKeyType} sign no requests`)
  const publicKey = createPublicKey(key).export({ type: 'spki', format: 'der' })
  const info = sequence(integer(Buffer.from([0])), sequence(), publicKey, element(0xa0))
  const algorithm = key.asymmetricKeyType === 'rsa' ? sequence(oid(id), NULL) : sequence(oid(id))
  return sequence(info, algorithm, bits(sign(digest, info, key)))
}

/** The names of OpenSSL for the curves. */
const CURVES: Readonly<Record<string, string>> = { prime256v1: 'P-256', secp384r1: 'P-384', secp521r1: 'P-521' }
