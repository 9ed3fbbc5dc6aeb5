import { createHash, type Hash } from 'node:crypto'

/** A digest as OCI writes it, taken apart: `sha256:<64 hex>` or `sha512:<128 hex>`. */
export type Digest = { readonly algorithm: 'sha256' | 'sha512'; readonly hex: string; readonly text: string }

/** Reads a digest; undefined for anything but lower-case sha256 and sha512 of the right length. */
export function parseDigest(text: string): Digest | undefined {
  const found = /^(?:(sha256):([0-9a-f]{64})|(sha512):([0-9a-f]{128}))$/.exec(text)
  if (!found) return undefined
  if (found[2] !== undefined) return { algorithm: 'sha256', hex: found[2], text }
  return { algorithm: 'sha512', hex: found[4] ?? '', text }
}

/** The digest of bytes in memory, as text. */
export function digestOf(bytes: Uint8Array | string, algorithm: Digest['algorithm'] = 'sha256'): string {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`
}

/** Hashes and counts bytes as they come by; `digest()` may be asked once, at the end. */
export class Hasher {
  readonly #hash: Hash
  readonly #algorithm: Digest['algorithm']
  sizeBytes = 0

  constructor(algorithm: Digest['algorithm'] = 'sha256') {
    this.#algorithm = algorithm
    this.#hash = createHash(algorithm)
  }

  update(bytes: Uint8Array): void {
    this.sizeBytes += bytes.length
    this.#hash.update(bytes)
  }

  digest(): string {
    return `${this.#algorithm}:${this.#hash.digest('hex')}`
  }
}
