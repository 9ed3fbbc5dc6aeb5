import assert from 'node:assert/strict'
import { test } from 'node:test'
import { identityFault, isLocked, knownHostsFault } from './files.ts'

const pem = (kind: string, body: string): string => `-----BEGIN ${kind}-----\n${body}\n-----END ${kind}-----\n`
const openssh = (cipher: string): string => {
  const length = String.fromCharCode(0, 0, 0, cipher.length)
  return pem('OPENSSH PRIVATE KEY', Buffer.from(`openssh-key-v1\0${length}${cipher}`, 'latin1').toString('base64'))
}

// Faults are told in the words of golang.org/x/crypto/ssh, as source-controller 1.9 shows them.
const keys: readonly [it: string, key: string, fault: string | undefined, locked: boolean][] = [
  ['an OpenSSH key', openssh('none'), undefined, false],
  ['an OpenSSH key with a passphrase', openssh('aes256-ctr'), undefined, true],
  ['another key', pem('EC PRIVATE KEY', 'MHc='), undefined, false],
  [
    'another key with a passphrase',
    pem('RSA PRIVATE KEY', 'Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nMHc='),
    undefined,
    true,
  ],
  ['an OpenSSH key that is none', pem('OPENSSH PRIVATE KEY', 'MHc='), 'ssh: invalid openssh private key format', false],
  ['no key', 'nonsense', 'ssh: no key found', false],
  ['nothing', '', 'ssh: no key found', false],
]
for (const [it, key, fault, locked] of keys)
  test(`${it} ${fault === undefined ? 'is a key' : 'is refused'}${locked ? ' that wants a passphrase' : ''}`, () =>
    assert.deepEqual([identityFault(key), isLocked(key)], [fault, locked]))

const missing = (what: string): string => `knownhosts: knownhosts: missing ${what} pattern`
const hosts: readonly [text: string, fault: string | undefined][] = [
  ['h ssh-ed25519 AAAA', undefined],
  ['# a comment\n\n  h\tssh-ed25519 AAAA a comment\n', undefined],
  ['@cert-authority *.io ssh-ed25519 AAAA', undefined],
  ['nonsense', missing('host')],
  ['h ssh-ed25519 AAAA\nh ssh-ed25519', missing('key type')],
  ['@revoked h ssh-ed25519', missing('key type')],
]
for (const [text, fault] of hosts)
  test(`known_hosts ${JSON.stringify(text)} ${fault === undefined ? 'can be read' : 'is refused'}`, () =>
    assert.equal(knownHostsFault(text), fault))
