import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readKeyRing } from './key-ring.ts'

const armour = (bytes: Uint8Array, kind = 'PRIVATE', head = ''): string =>
  `-----BEGIN PGP ${kind} KEY BLOCK-----\n${head}\n${Buffer.from(bytes).toString('base64')}\n=abcd\n-----END PGP ${kind} KEY BLOCK-----\n`
const number = [0, 9, 1, 2]
const start = [4, 0, 0, 0, 0]
const curve = [3, 1, 2, 3]
/** A key's packet in the old or the new format: its public part, how the private one is kept. */
const packet = (tag: number, body: readonly number[], isNew = true): number[] =>
  isNew ? [0xc0 | tag, body.length, ...body] : [0x80 | (tag << 2) | 1, 0, body.length, ...body]
const rsa = (kept: number): number[] => [...start, 1, ...number, ...number, kept, 7, 7]
const ed = (kept: number): number[] => [...start, 22, ...curve, ...number, kept, 7, 7]
const user = packet(13, [65, 66])

const cases: readonly [it: string, text: string, want: ReturnType<typeof readKeyRing>][] = [
  ['no key', 'nonsense', undefined],
  ['an RSA key', armour(Buffer.from([...packet(5, rsa(0)), ...user])), { keys: 1, isLocked: false }],
  ['an RSA key with a passphrase', armour(Buffer.from([...packet(5, rsa(254)), ...user])), { keys: 1, isLocked: true }],
  ['a key on a curve', armour(Buffer.from(packet(5, ed(0), false))), { keys: 1, isLocked: false }],
  ['the same with a passphrase', armour(Buffer.from(packet(5, ed(254), false))), { keys: 1, isLocked: true }],
  ['a public key', armour(Buffer.from(packet(6, rsa(0).slice(0, -3))), 'PUBLIC'), { keys: 1, isLocked: false }],
  ['two keys', armour(Buffer.from([...packet(5, rsa(0)), ...user, ...packet(5, ed(0))])), { keys: 2, isLocked: false }],
  [
    'a key with its subkey',
    armour(Buffer.from([...packet(5, rsa(0)), ...packet(7, rsa(0))])),
    { keys: 1, isLocked: false },
  ],
  [
    'a key below headers',
    armour(Buffer.from(packet(5, rsa(255))), 'PRIVATE', 'Comment: x\n'),
    { keys: 1, isLocked: true },
  ],
  ['a length beyond the end', armour(Buffer.from([0xc5, 255, 0])), { keys: 0, isLocked: false }],
]
for (const [it, text, want] of cases) test(`a key ring with ${it}`, () => assert.deepEqual(readKeyRing(text), want))
