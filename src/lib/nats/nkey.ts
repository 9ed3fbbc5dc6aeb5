import { createPrivateKey, createPublicKey, sign } from 'node:crypto'
import { SluiceError } from '../error/sluice-error.ts'

/** A key of NATS: how it is named, and how it signs. */
export type Nkey = {
  /** `U…` for a user, as servers list it. */
  readonly publicKey: string
  readonly sign: (nonce: string) => Buffer
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
const SEED_PREFIX = 18 << 3
const PKCS8_OF_ED25519 = Buffer.from('302e020100300506032b657004220420', 'hex')
const KEY_BYTES = 32
const CHECKSUM_BYTES = 2

/**
 * Reads the seed of an ed25519 key in the form of NATS: base32 of prefix, kind, 32 bytes and a checksum.
 *
 * @throws SluiceError NATS_INVALID; the message never quotes the seed
 * @see https://github.com/nats-io/nkeys
 */
export function parseNkey(seed: string): Nkey {
  const bytes = fromBase32(seed.trim())
  const body = bytes.subarray(0, -CHECKSUM_BYTES)
  const [first = 0, second = 0] = body
  const isWhole = body.length === KEY_BYTES + 2 && crc16(body) === bytes.subarray(-CHECKSUM_BYTES).readUInt16LE()
  if (!isWhole || (first & 0xf8) !== SEED_PREFIX)
    throw new SluiceError('NATS_INVALID', 'error parsing nkey seed: it is not the seed of an nkey')
  const key = createPrivateKey({
    key: Buffer.concat([PKCS8_OF_ED25519, body.subarray(2)]),
    format: 'der',
    type: 'pkcs8',
  })
  const raw = createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-KEY_BYTES)
  const kind = ((first & 7) << 5) | ((second & 0xf8) >> 3)
  const named = Buffer.concat([Buffer.from([kind]), raw])
  const checksum = Buffer.alloc(CHECKSUM_BYTES)
  checksum.writeUInt16LE(crc16(named))
  return {
    publicKey: toBase32(Buffer.concat([named, checksum])),
    sign: (nonce) => sign(undefined, Buffer.from(nonce), key),
  }
}

function fromBase32(text: string): Buffer {
  const bytes: number[] = []
  let bits = 0
  let value = 0
  for (const letter of text) {
    const digit = ALPHABET.indexOf(letter)
    if (digit < 0) return Buffer.alloc(0)
    value = ((value << 5) | digit) & 0xffff
    bits += 5
    if (bits < 8) continue
    bits -= 8
    bytes.push((value >> bits) & 0xff)
  }
  return Buffer.from(bytes)
}

function toBase32(bytes: Buffer): string {
  let text = ''
  let bits = 0
  let value = 0
  for (const byte of bytes) {
    value = ((value << 8) | byte) & 0xffff
    bits += 8
    for (; bits >= 5; bits -= 5) text += ALPHABET[(value >> (bits - 5)) & 31] ?? ''
  }
  return bits === 0 ? text : text + (ALPHABET[(value << (5 - bits)) & 31] ?? '')
}

/** CRC-16/XMODEM. */
function crc16(bytes: Buffer): number {
  let crc = 0
  for (const byte of bytes) {
    crc ^= byte << 8
    for (let bit = 0; bit < 8; bit++) crc = (crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1) & 0xffff
  }
  return crc
}
