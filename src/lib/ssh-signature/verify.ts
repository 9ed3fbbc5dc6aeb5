import { createHash, createPublicKey, verify as verifySignature, type KeyObject } from 'node:crypto'
import { own } from '../value/own.ts'

/** A public key of an `authorized_keys` file; `blob` is its wire form. */
export type SshPublicKey = { readonly type: string; readonly blob: Buffer }

/** What a check of a signature found: the key's fingerprint, or why it does not fit, in the words of Go's sshsig. */
export type SshVerdict =
  { readonly kind: 'good'; readonly fingerprint: string } | { readonly kind: 'bad'; readonly why: string }

const CURVES: Readonly<Record<string, { readonly crv: string; readonly bytes: number; readonly hash: string }>> = {
  'ecdsa-sha2-nistp256': { crv: 'P-256', bytes: 32, hash: 'sha256' },
  'ecdsa-sha2-nistp384': { crv: 'P-384', bytes: 48, hash: 'sha384' },
  'ecdsa-sha2-nistp521': { crv: 'P-521', bytes: 66, hash: 'sha512' },
}

/** Reads the keys of an `authorized_keys` text; undefined when a line that is no comment holds none. */
export function parseAuthorizedKeys(text: string): readonly SshPublicKey[] | undefined {
  const keys: SshPublicKey[] = []
  for (const line of text.split('\n').map((one) => one.trim())) {
    if (line === '' || line.startsWith('#')) continue
    const [, type, base64] = /(?:^|\s)((?:ssh|ecdsa|sk)-[\w.@-]+)\s+([A-Za-z0-9+/]+=*)(?:\s|$)/.exec(line) ?? []
    const blob = Buffer.from(base64 ?? '', 'base64')
    if (type === undefined || readStrings(blob, 1)?.[0]?.toString('latin1') !== type) return undefined
    keys.push({ type, blob })
  }
  return keys
}

/** The name under which a key is known: `SHA256:` and its hash. */
function fingerprintOf({ blob }: SshPublicKey): string {
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`
}

/**
 * Checks an armoured SSH signature of a namespace against one key.
 *
 * @see https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.sshsig
 */
export function verifySshSignature(
  armored: string,
  payload: Uint8Array,
  key: SshPublicKey,
  namespace: string,
): SshVerdict {
  const signature = parseArmored(armored)
  if (!signature) return { kind: 'bad', why: 'the signature cannot be read' }
  if (!signature.publicKey.equals(key.blob)) return { kind: 'bad', why: 'public key does not match' }
  if (signature.namespace !== namespace) return { kind: 'bad', why: 'namespace does not match' }
  if (signature.hash !== 'sha256' && signature.hash !== 'sha512')
    return { kind: 'bad', why: 'unsupported hash algorithm' }
  const signed = Buffer.concat([
    Buffer.from('SSHSIG'),
    sshString(Buffer.from(namespace)),
    sshString(signature.reserved),
    sshString(Buffer.from(signature.hash)),
    sshString(createHash(signature.hash).update(payload).digest()),
  ])
  return isSigned(key, signature.blob, signed)
    ? { kind: 'good', fingerprint: fingerprintOf(key) }
    : { kind: 'bad', why: 'ssh: signature did not verify' }
}

type Parsed = {
  readonly publicKey: Buffer
  readonly namespace: string
  readonly reserved: Buffer
  readonly hash: string
  readonly blob: Buffer
}

function parseArmored(armored: string): Parsed | undefined {
  const body = /-----BEGIN SSH SIGNATURE-----([\s\S]*?)-----END SSH SIGNATURE-----/.exec(armored)?.[1]
  const bytes = Buffer.from((body ?? '').replace(/\s/g, ''), 'base64')
  if (bytes.toString('latin1', 0, 6) !== 'SSHSIG' || bytes.length < 10 || bytes.readUInt32BE(6) !== 1) return undefined
  const [publicKey, namespace, reserved, hash, blob] = readStrings(bytes.subarray(10), 5) ?? []
  if (!publicKey || !namespace || !reserved || !hash || !blob) return undefined
  return { publicKey, namespace: namespace.toString(), reserved, hash: hash.toString('latin1'), blob }
}

function isSigned(key: SshPublicKey, blob: Buffer, signed: Buffer): boolean {
  const [format, signature] = readStrings(blob, 2) ?? []
  const publicKey = keyObject(key)
  if (!format || !signature || !publicKey) return false
  const name = format.toString('latin1')
  if (key.type === 'ssh-ed25519') return name === key.type && verifySignature(null, signed, publicKey, signature)
  if (key.type === 'ssh-rsa') {
    const hash = name === 'rsa-sha2-512' ? 'sha512' : name === 'rsa-sha2-256' ? 'sha256' : undefined
    return hash !== undefined && verifySignature(hash, signed, publicKey, signature)
  }
  const curve = own(CURVES, key.type)
  const [r, s] = readStrings(signature, 2) ?? []
  if (name !== key.type || !curve || !r || !s) return false
  const plain = [r, s].map((number) => fitTo(number, curve.bytes))
  return verifySignature(
    curve.hash,
    signed,
    { key: publicKey, dsaEncoding: 'ieee-p1363' },
    Buffer.concat(plain as Buffer[]),
  )
}

function keyObject({ type, blob }: SshPublicKey): KeyObject | undefined {
  const url = (bytes: Buffer | undefined): string => (bytes ?? Buffer.alloc(0)).toString('base64url')
  const [, first, second] = readStrings(blob, type === 'ssh-ed25519' ? 2 : 3) ?? []
  try {
    if (type === 'ssh-ed25519')
      return createPublicKey({ format: 'jwk', key: { kty: 'OKP', crv: 'Ed25519', x: url(first) } })
    if (type === 'ssh-rsa')
      return createPublicKey({ format: 'jwk', key: { kty: 'RSA', e: url(first), n: url(trimmed(second)) } })
    const curve = own(CURVES, type)
    if (!curve || second?.[0] !== 4 || second.length !== 1 + 2 * curve.bytes) return undefined
    const [x, y] = [second.subarray(1, 1 + curve.bytes), second.subarray(1 + curve.bytes)]
    return createPublicKey({ format: 'jwk', key: { kty: 'EC', crv: curve.crv, x: url(x), y: url(y) } })
  } catch {
    return undefined
  }
}

/** Length-prefixed strings from the front; undefined when the bytes end early. */
function readStrings(bytes: Buffer, count: number): readonly Buffer[] | undefined {
  const found: Buffer[] = []
  for (let at = 0; found.length < count;) {
    if (at + 4 > bytes.length) return undefined
    const end = at + 4 + bytes.readUInt32BE(at)
    if (end > bytes.length) return undefined
    found.push(bytes.subarray(at + 4, end))
    at = end
  }
  return found
}

function sshString(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length)
  return Buffer.concat([length, bytes])
}

/** A number without the zero byte that marks it as positive. */
function trimmed(number: Buffer | undefined): Buffer | undefined {
  return number?.[0] === 0 ? number.subarray(1) : number
}

function fitTo(number: Buffer, bytes: number): Buffer {
  const plain = trimmed(number) ?? number
  return plain.length >= bytes ? plain.subarray(0, bytes) : Buffer.concat([Buffer.alloc(bytes - plain.length), plain])
}
