import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ImageUpdateAutomation } from '../../../kinds/image.ts'
import type { KubeClient } from '../../kube/types.ts'
import { signerOf } from './signer.ts'

const armour = (bytes: readonly number[]): string =>
  `-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n${Buffer.from(bytes).toString('base64')}\n-----END PGP PRIVATE KEY BLOCK-----\n`
/** An RSA key, and how its private part is kept: 0 is in the open. */
const pgp = (kept: number): number[] => [0xc5, 13, 4, 0, 0, 0, 0, 1, 0, 8, 1, 0, 8, 1, kept]
const ssh = (cipher: string): string => {
  const bytes = Buffer.from(`openssh-key-v1\0\0\0\0${String.fromCharCode(cipher.length)}${cipher}`, 'latin1')
  return `-----BEGIN OPENSSH PRIVATE KEY-----\n${bytes.toString('base64')}\n-----END OPENSSH PRIVATE KEY-----\n`
}

// The words are those of image-automation-controller 1.2 for the same Secrets.
const cases: readonly [
  it: string,
  type: 'gpg' | 'ssh',
  data: Readonly<Record<string, string>>,
  fault: string | undefined,
][] = [
  ['a key', 'gpg', { 'git.asc': armour(pgp(0)) }, undefined],
  ['a key with its passphrase', 'gpg', { 'git.asc': armour(pgp(254)), passphrase: 'x' }, undefined],
  [
    'a key without its passphrase',
    'gpg',
    { 'git.asc': armour(pgp(254)) },
    "can not use passphrase protected signing key without 'passphrase' field present in secret s",
  ],
  [
    'two keys',
    'gpg',
    { 'git.asc': armour([...pgp(0), ...pgp(0)]) },
    "multiple entities read from secret 's', could not determine which signing key to use",
  ],
  [
    'no key',
    'gpg',
    { 'git.asc': 'nonsense' },
    "could not read signing key from secret 's': openpgp: invalid argument: no armored data found",
  ],
  ['another field', 'gpg', { identity: 'x' }, "signing key secret 's' does not contain a 'git.asc' key"],
  ['a key', 'ssh', { identity: ssh('none') }, undefined],
  ['a key with its passphrase', 'ssh', { identity: ssh('aes256-ctr'), password: 'x' }, undefined],
  [
    'a key without its passphrase',
    'ssh',
    { identity: ssh('aes256-ctr') },
    "can not use passphrase protected signing key without 'password' field present in secret s",
  ],
  [
    'no key',
    'ssh',
    { identity: 'nonsense' },
    "could not parse SSH signing key from secret 's': could not parse SSH signing key: ssh: no key found",
  ],
  ['another field', 'ssh', { 'git.asc': 'x' }, "signing key secret 's' does not contain an 'identity' key"],
]
for (const [it, type, values, fault] of cases)
  test(`a Secret for signing by ${type} that holds ${it} is ${fault === undefined ? 'taken' : 'refused before anything is done'}`, async () => {
    const data = Object.fromEntries(
      Object.entries(values).map(([key, value]) => [key, Buffer.from(value).toString('base64')]),
    )
    const client = { get: async () => ({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' }, data }) }
    const automation = { namespace: 'ns', signingKey: { secretName: 's', type } }
    const asked = signerOf(client as unknown as KubeClient, automation as unknown as ImageUpdateAutomation)
    if (fault === undefined) assert.equal(typeof (await asked), 'function')
    else await assert.rejects(asked, { message: `failed configuring source manager: ${fault}` })
  })
