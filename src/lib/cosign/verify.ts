import { createPublicKey, verify as verifySignature, type KeyObject } from 'node:crypto'
import { read, readList, readText } from '../kube/read.ts'

/** A public key that signatures are checked with. */
export type CosignKey = KeyObject

/** Where a signature beside an image keeps its bytes. */
export const SIGNATURE_ANNOTATION = 'dev.cosignproject.cosign/signature'

/** How media types of Sigstore bundles begin; versions follow. */
export const BUNDLE_TYPE = 'application/vnd.dev.sigstore.bundle'

const LARGEST = 1024 * 1024

/** Reads a PEM public key; undefined when it is none of a kind that cosign signs with. */
export function readPublicKey(pem: string): CosignKey | undefined {
  try {
    const key = createPublicKey(pem)
    return ['ec', 'rsa', 'ed25519'].includes(key.asymmetricKeyType ?? '') ? key : undefined
  } catch {
    return undefined
  }
}

/**
 * Checks a "simple signing" payload: signed by the key, and about this very digest.
 *
 * @see https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md
 */
export function verifySimpleSigning(payload: Buffer, signature: string, key: CosignKey, digest: string): boolean {
  if (payload.length > LARGEST || !isSigned(payload, Buffer.from(signature, 'base64'), key)) return false
  const claim = parseJson(payload)
  return readText(claim, 'critical', 'image', 'docker-manifest-digest') === digest
}

/**
 * Checks a Sigstore bundle that was made with a key: a DSSE envelope around an in-toto statement about this very digest.
 *
 * @see https://github.com/secure-systems-lab/dsse/blob/master/protocol.md
 */
export function verifyBundle(bundle: Buffer, key: CosignKey, digest: string): boolean {
  if (bundle.length > LARGEST) return false
  const envelope = read(parseJson(bundle), 'dsseEnvelope')
  const type = readText(envelope, 'payloadType')
  const payload = Buffer.from(readText(envelope, 'payload'), 'base64')
  const signed = Buffer.concat([Buffer.from(`DSSEv1 ${Buffer.byteLength(type)} ${type} ${payload.length} `), payload])
  const signatures = readList(envelope, 'signatures').map((one) => Buffer.from(readText(one, 'sig'), 'base64'))
  if (!signatures.some((signature) => isSigned(signed, signature, key))) return false
  const [algorithm = '', hex] = digest.split(':')
  return readList(parseJson(payload), 'subject').some((subject) => readText(subject, 'digest', algorithm) === hex)
}

function isSigned(bytes: Buffer, signature: Buffer, key: CosignKey): boolean {
  try {
    return verifySignature(key.asymmetricKeyType === 'ed25519' ? null : 'sha256', bytes, key, signature)
  } catch {
    return false
  }
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8')) as unknown
  } catch {
    return undefined
  }
}
