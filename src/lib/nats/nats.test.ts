import assert from 'node:assert/strict'
import { createPublicKey, verify } from 'node:crypto'
import { test } from 'node:test'
import { cpuSeconds } from '../../../tests/support/cpu-time.ts'
import { parseNatsCredentials, parseNatsInfo, parseNatsServers, renderNatsConnect } from './handshake.ts'
import { parseNkey } from './nkey.ts'

// The seed of Flux's own tests, and the key that nkeys makes of it.
const SEED = 'SUAGMJH5XLGZKQQWAWKRZJIGMOU4HPFUYLXJMXOO5NLFEO2OOQJ5LPRDPM'
const INFO = { nonce: 'abc', wantsTls: false, maxPayloadBytes: 100 }

/** What a server does: the key is read from its name, and the signature checked with it. */
function isSignedBy(publicKey: string, nonce: string, signature: string): boolean {
  const bits = [...publicKey].map((letter) =>
    'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0'),
  )
  const bytes = (bits.join('').match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2))
  const der = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), Buffer.from(bytes.slice(1, 33))])
  const key = createPublicKey({ key: der, format: 'der', type: 'spki' })
  return verify(undefined, Buffer.from(nonce), key, Buffer.from(signature, 'base64url'))
}

test('an nkey signs as the user that it names', () => {
  const key = parseNkey(`${SEED}\n`)
  assert.match(key.publicKey, /^U[A-Z2-7]{55}$/)
  assert.ok(isSignedBy(key.publicKey, 'a nonce', key.sign('a nonce').toString('base64url')))
})

for (const [it, seed] of [
  ['empty', ''],
  ['short', 'SUAG'],
  ['with a letter changed', SEED.replace('GMJH', 'GMJI')],
  ['a public key', parseNkey(SEED).publicKey],
  ['in small letters', SEED.toLowerCase()],
] as const)
  test(`a seed that is ${it} is refused and not quoted`, () =>
    assert.throws(
      () => parseNkey(seed),
      (error: Error) => /not the seed of an nkey/.test(error.message) && (seed === '' || !error.message.includes(seed)),
    ))

const user = { kind: 'user', username: 'u', password: 'p:1' }
const servers: readonly [address: string, want: object[]][] = [
  ['nats', [{ host: 'nats', port: 4222, isTls: false, login: undefined }]],
  [
    'nats://a:1, tls://b',
    [
      { host: 'a', port: 1, isTls: false, login: undefined },
      { host: 'b', port: 4222, isTls: true, login: undefined },
    ],
  ],
  ['nats://u:p%3A1@h', [{ host: 'h', port: 4222, isTls: false, login: user }]],
  ['nats://tok@h', [{ host: 'h', port: 4222, isTls: false, login: { kind: 'token', token: 'tok' } }]],
  ['nats://[::1]:7', [{ host: '::1', port: 7, isTls: false, login: undefined }]],
]
for (const [address, want] of servers)
  test(`servers of ${address}`, () => assert.deepEqual(parseNatsServers(address), want))

for (const address of ['http://h', 'ws://h', 'nats://', 'nats://u:%@h', ''])
  test(`"${address}" is no server`, () => assert.throws(() => parseNatsServers(address), { code: 'NATS_INVALID' }))

const file = `-----BEGIN NATS USER JWT-----\neyJ.a.b\n------END NATS USER JWT------\n\nsome words\n\n-----BEGIN USER NKEY SEED-----\n${SEED}\n------END USER NKEY SEED------\n`
test('a credentials file holds a token and the seed of its key', () => {
  assert.deepEqual(parseNatsCredentials(file), { kind: 'jwt', jwt: 'eyJ.a.b', seed: SEED })
  assert.deepEqual(parseNatsCredentials(file.replaceAll('\n', '\r\n')), { kind: 'jwt', jwt: 'eyJ.a.b', seed: SEED })
  assert.throws(() => parseNatsCredentials('credentials-content'), { code: 'NATS_INVALID' })
})

test('the greeting of a server', () => {
  assert.deepEqual(parseNatsInfo('INFO {"nonce":"n","tls_required":true,"max_payload":9} '), {
    nonce: 'n',
    wantsTls: true,
    maxPayloadBytes: 9,
  })
  for (const line of ['+OK', 'INFO x', 'INFO {', 'HTTP/1.1 400 Bad Request'])
    assert.equal(parseNatsInfo(line), undefined)
})

test('a client proves itself by what it was given', () => {
  const said = (login: Parameters<typeof renderNatsConnect>[0]): Record<string, string> =>
    JSON.parse(renderNatsConnect(login, INFO, false).replace('CONNECT ', '')) as Record<string, string>
  assert.deepEqual(
    [said({ kind: 'user', username: 'u', password: 'p' })].map(({ user: name, pass }) => [name, pass]),
    [['u', 'p']],
  )
  assert.equal(said({ kind: 'token', token: 't' })['auth_token'], 't')
  const byKey = said({ kind: 'nkey', seed: SEED })
  assert.ok(isSignedBy(byKey['nkey'] ?? '', 'abc', byKey['sig'] ?? ''))
  const byToken = said({ kind: 'jwt', jwt: 'j', seed: SEED })
  assert.deepEqual([byToken['jwt'], byToken['nkey']], ['j', undefined])
  assert.ok(isSignedBy(parseNkey(SEED).publicKey, 'abc', byToken['sig'] ?? ''))
})

test('a file of dashes is no credentials, found in no time', () => {
  const seconds = cpuSeconds(() => assert.throws(() => parseNatsCredentials('-'.repeat(200_000)), /no token and seed/))
  assert.ok(seconds < 0.5, `${seconds} s`)
})
