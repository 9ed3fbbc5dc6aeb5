import assert from 'node:assert/strict'
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { test } from 'node:test'
import { assertLinear } from '../../../tests/support/cpu-time.ts'
import { certificatePem, pemBlocks } from './pem.ts'
import { readSigningRequest } from './request.ts'
import { writeSigningRequest } from './write-request.ts'

const keys: Record<string, () => { privateKey: KeyObject }> = {
  'RSA 3072': () => generateKeyPairSync('rsa', { modulusLength: 3072 }),
  'P-256': () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  'P-384': () => generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  'P-521': () => generateKeyPairSync('ec', { namedCurve: 'P-521' }),
  Ed25519: () => generateKeyPairSync('ed25519'),
}
for (const [name, make] of Object.entries(keys))
  test(`a request by a key of ${name} names nobody and shows that who asks has the key`, () => {
    const base64 = writeSigningRequest(make().privateKey).toString('base64')
    const read = readSigningRequest(
      `-----BEGIN CERTIFICATE REQUEST-----\n${base64}\n-----END CERTIFICATE REQUEST-----\n`,
    )
    assert.deepEqual([read?.isSigned, read?.commonName, read?.organizations], [true, '', []])
  })

test('a key that signs no requests is refused', () => {
  assert.throws(() => writeSigningRequest(generateKeyPairSync('x25519').privateKey), /keys of type x25519/)
})

test('of PEM only the blocks count', () => {
  const text = `words\n-----BEGIN CERTIFICATE-----\nSubject: somebody\n\nAAAA\nBBBB\n-----END CERTIFICATE-----\nmore words`
  assert.deepEqual(pemBlocks(text), [{ label: 'CERTIFICATE', base64: 'AAAABBBB' }])
  assert.equal(certificatePem('AAAABBBB'), '-----BEGIN CERTIFICATE-----\nAAAABBBB\n-----END CERTIFICATE-----\n')
})

for (const [it, begin, end] of [
  ['beginnings without an end', '-----BEGIN A-----\n', ''],
  ['beginnings without a line', '-----BEGIN ', ''],
  ['beginnings of another end', '-----BEGIN A-----\n', '-----END B-----'],
] as const)
  test(`PEM of ${it} is read in one pass`, () =>
    assertLinear((times) => assert.deepEqual(pemBlocks(`${begin.repeat(times)}${end}`), []), 160_000))
