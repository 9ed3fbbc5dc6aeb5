import type { PodTemplate } from '../shapes.ts'
import { dumpAs } from './dump.ts'

const FNV_OFFSET = 0x811c9dc5
const FNV_PRIME = 0x01000193
const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789'

/**
 * The `pod-template-hash` of a template with its defaults filled in: the very one that Kubernetes v1.37 computes (FNV-1a of the template as Go prints
 * it), so that names of ReplicaSets are the same on every server.
 *
 * @param collisionCount the Deployment's `status.collisionCount`
 */
export function podTemplateHash(template: PodTemplate, collisionCount?: number): string {
  const bytes = [Buffer.from(dumpAs('v1.PodTemplateSpec', template))]
  if (collisionCount !== undefined) {
    const count = Buffer.alloc(8)
    count.writeUInt32LE(collisionCount)
    bytes.push(count)
  }
  return encodeSafely(String(fnv1a(Buffer.concat(bytes))))
}

/** FNV-1a, 32 bits. */
function fnv1a(bytes: Buffer): number {
  let hash = FNV_OFFSET
  for (const byte of bytes) hash = Math.imul(hash ^ byte, FNV_PRIME)
  return hash >>> 0
}

/** FNV-1, 32 bits: as FNV-1a, with the steps swapped. */
export function fnv1(bytes: Buffer): number {
  let hash = FNV_OFFSET
  for (const byte of bytes) hash = Math.imul(hash, FNV_PRIME) ^ byte
  return hash >>> 0
}

/** Writes a text in the letters of generated names, which spell no words. */
export function encodeSafely(text: string): string {
  return [...text].map((char) => ALPHABET.charAt(char.charCodeAt(0) % ALPHABET.length)).join('')
}
