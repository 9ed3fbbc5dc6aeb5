import { SluiceError } from '../error/sluice-error.ts'

/**
 * Puts a secret together from its shares (Shamir, over GF(2^8) with AES' polynomial); the last byte of a share is its place.
 *
 * @throws SluiceError SOPS_DECRYPT when the shares do not belong together
 * @see https://github.com/hashicorp/vault/tree/main/shamir
 */
export function combineShares(shares: readonly Uint8Array[]): Uint8Array {
  const length = shares[0]?.length ?? 0
  const places = shares.map((share) => share[share.length - 1] ?? 0)
  if (length < 2 || shares.length < 2 || shares.some((share) => share.length !== length))
    throw fault('all parts must be the same length')
  if (new Set(places).size !== places.length) throw fault('duplicate part detected')
  const weights = places.map((place, at) =>
    places.reduce(
      (weight, other, index) => (index === at ? weight : multiply(weight, divide(other, place ^ other))),
      1,
    ),
  )
  return Uint8Array.from({ length: length - 1 }, (_, index) =>
    shares.reduce((sum, share, at) => sum ^ multiply(share[index] ?? 0, weights[at] ?? 0), 0),
  )
}

function divide(a: number, b: number): number {
  // The multiplicative group has 255 elements: b^254 is the inverse of b.
  let inverse = 1
  for (let power = 0; power < 254; power++) inverse = multiply(inverse, b)
  return multiply(a, inverse)
}

function multiply(a: number, b: number): number {
  let product = 0
  for (let factor = a, rest = b; rest > 0; rest >>= 1) {
    if (rest & 1) product ^= factor
    factor = factor & 0x80 ? (factor << 1) ^ 0x11b : factor << 1
  }
  return product
}

function fault(why: string): SluiceError {
  return new SluiceError('SOPS_DECRYPT', `could not get data key from shamir parts: ${why}`)
}
