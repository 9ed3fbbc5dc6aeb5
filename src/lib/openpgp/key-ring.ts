/** What an armoured ring of keys holds. */
export type KeyRing = {
  /** Primary keys, public or private. */
  readonly keys: number
  /** The first of them is private, and cannot be used without its passphrase. */
  readonly isLocked: boolean
}

const SECRET_KEY = 5
const PUBLIC_KEY = 6

/** Numbers of each public part, by algorithm; keys on a curve name it before theirs. */
const NUMBERS: Readonly<Record<number, number>> = { 1: 2, 2: 2, 3: 2, 16: 3, 17: 4, 18: 1, 19: 1, 22: 1 }
const ON_A_CURVE = new Set([18, 19, 22])
const ECDH = 18

/**
 * Reads which keys an armoured text holds; undefined when it is none.
 *
 * @see https://www.rfc-editor.org/rfc/rfc4880#section-5.5.3
 */
export function readKeyRing(armoured: string): KeyRing | undefined {
  const start = /-----BEGIN PGP (?:PUBLIC|PRIVATE) KEY BLOCK-----\r?\n/.exec(armoured)
  if (start === null) return undefined
  const block = armoured.slice(start.index + start[0].length).split('-----END ', 1)[0] ?? ''
  const lines = block.split(/\r?\n/)
  const body = lines.slice(lines.findIndex((line) => line.trim() === '') + 1)
  const keys = packetsOf(Buffer.from(body.filter((line) => !line.startsWith('=')).join(''), 'base64')).filter(
    ({ tag }) => tag === SECRET_KEY || tag === PUBLIC_KEY,
  )
  const [first] = keys
  return { keys: keys.length, isLocked: first?.tag === SECRET_KEY && isLockedKey(first.bytes) }
}

type Packet = { readonly tag: number; readonly bytes: Buffer }

function packetsOf(bytes: Buffer): readonly Packet[] {
  const packets: Packet[] = []
  for (let at = 0; at < bytes.length;) {
    const head = bytes[at] ?? 0
    if ((head & 0x80) === 0) break
    const isNew = (head & 0x40) !== 0
    const length = isNew ? newLength(bytes, at + 1) : oldLength(bytes, at + 1, head & 3)
    if (length === undefined) break
    packets.push({ tag: isNew ? head & 0x3f : (head >> 2) & 0x0f, bytes: bytes.subarray(length.from, length.to) })
    at = length.to
  }
  return packets
}

type Extent = { readonly from: number; readonly to: number }

function newLength(bytes: Buffer, at: number): Extent | undefined {
  const [first = 0, second = 0] = bytes.subarray(at, at + 2)
  if (first < 192) return { from: at + 1, to: at + 1 + first }
  if (first < 224) return { from: at + 2, to: at + 2 + ((first - 192) << 8) + second + 192 }
  if (first < 255 || at + 5 > bytes.length) return undefined
  return { from: at + 5, to: at + 5 + bytes.readUInt32BE(at + 1) }
}

function oldLength(bytes: Buffer, at: number, kind: number): Extent | undefined {
  const size = 1 << kind
  if (kind === 3 || at + size > bytes.length) return undefined
  return { from: at + size, to: at + size + bytes.readUIntBE(at, size) }
}

/** Behind the numbers of the public part stands how the private one is kept: 0 in the open. */
function isLockedKey(bytes: Buffer): boolean {
  const [version, algorithm = 0] = [bytes[0], bytes[5]]
  const numbers = NUMBERS[algorithm]
  if (version !== 4 || numbers === undefined) return false
  let at = 6
  if (ON_A_CURVE.has(algorithm)) at += 1 + (bytes[at] ?? 0)
  for (let number = 0; number < numbers; number++)
    at += 2 + Math.ceil((((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)) / 8)
  if (algorithm === ECDH) at += 1 + (bytes[at] ?? 0)
  return (bytes[at] ?? 0) !== 0
}
