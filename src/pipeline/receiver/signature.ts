import { createHmac, timingSafeEqual } from 'node:crypto'

/** Whether two texts are the same, in a time that says nothing about where they differ. An empty secret equals nothing. */
export function isSameSecret(given: string, secret: string): boolean {
  const a = Buffer.from(given)
  const b = Buffer.from(secret)
  return b.length > 0 && a.length === b.length && timingSafeEqual(a, b)
}

/** Whether `sha256=<hex>` (or sha1, sha512) is the HMAC of a body. An empty key signs nothing. */
export function isSignedBy(key: string, signature: string, body: Buffer): boolean {
  const [, algorithm = '', hex = ''] = /^(sha1|sha256|sha512)=([0-9a-fA-F]+)$/.exec(signature) ?? []
  if (algorithm === '' || key === '') return false
  const given = Buffer.from(hex, 'hex')
  const want = createHmac(algorithm, key).update(body).digest()
  return given.length === want.length && timingSafeEqual(given, want)
}
