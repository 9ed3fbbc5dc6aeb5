import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { SluiceError } from '../error/sluice-error.ts'
import { openAgeFile, parseAgeIdentities } from './age-key.ts'
import type { OpenMasterKey } from './data-key.ts'
import { decryptSops } from './decrypt.ts'
import { encryptedFormatOf, formatOfPath, looksEncrypted, type SopsFormat } from './format.ts'
import { plainNumber, parseFloatText } from './tree.ts'

// Golden files of the real sops 3.13.3 and age 1.3.1; scripts/sops-golden.mjs makes them.
const root = 'tests/fixtures/sops'
const identities = parseAgeIdentities(readFileSync(join(root, 'keys.agekey'), 'utf8'))
const open: OpenMasterKey = async ({ type, enc }) => {
  if (type !== 'age') throw new SluiceError('SOPS_KEY', `${type} is not at hand`)
  return openAgeFile(enc, identities)
}

const decrypt = (bytes: Uint8Array, format: SopsFormat, opener = open): Promise<Buffer> =>
  decryptSops({ bytes, input: format, output: format, open: opener, checkMac: 'always' })

for (const want of readdirSync(root).filter((name) => name.startsWith('want.') && !name.includes('pgp'))) {
  const name = want.slice('want.'.length)
  test(`sops decrypts ${name} as sops does, its MAC included`, async () => {
    const bytes = readFileSync(join(root, name))
    const format = formatOfPath(name)
    assert.ok(looksEncrypted(bytes, format))
    const plain = await decrypt(bytes, format)
    const expected = readFileSync(join(root, want))
    assert.equal(plain.toString('latin1'), expected.toString('latin1'))
  })
}

const hostile: { it: string; file: string; change: (text: string) => string; why: RegExp }[] = [
  {
    it: 'a text that is called a number',
    file: 'hybrid.yaml',
    change: (text) => text.replace('type:str]', 'type:float]'),
    why: /the value is no float/,
  },
  {
    it: 'an unencrypted value that was edited',
    file: 'hybrid.yaml',
    change: (text) => text.replace('app: web', 'app: other'),
    why: /MAC does not fit/,
  },
  {
    it: 'a value that was moved to another key',
    file: 'hybrid.yaml',
    change: (text) => text.replace('password: ENC', 'other: ENC'),
    why: /message authentication failed/,
  },
  {
    it: 'a tag that was cut',
    file: 'hybrid.yaml',
    change: (text) => text.replace(/tag:[^,]+,type:str/, 'tag:AAAA,type:str'),
    why: /message authentication failed/,
  },
  {
    it: 'a value that is in the clear where it must not be',
    file: 'hybrid.yaml',
    change: (text) => text.replace(/password: ENC.*/, 'password: mine'),
    why: /Input string <redacted> does not match/,
  },
  { it: 'no metadata', file: 'all.json', change: () => '{"a": 1}', why: /sops metadata not found/ },
  { it: 'JSON that is cut', file: 'all.json', change: (text) => text.slice(0, 200), why: /Could not unmarshal/ },
  { it: 'JSON that is nested for ever', file: 'all.json', change: () => '{"a":'.repeat(5000), why: /nested deeper/ },
  {
    it: 'two rules',
    file: 'hybrid.yaml',
    change: (text) => `${text}    encrypted_suffix: x\n`,
    why: /only one of/,
  },
  {
    it: 'no keys',
    file: 'all.json',
    change: () => '{"a": "x", "sops": {"lastmodified": "2026-01-01T00:00:00Z", "mac": ""}}',
    why: /No keys found/,
  },
]
for (const { it, file, change, why } of hostile)
  test(`sops refuses ${it}`, async () => {
    const bytes = Buffer.from(change(readFileSync(join(root, file), 'utf8')))
    await assert.rejects(decrypt(bytes, formatOfPath(file)), why)
  })

const cut = readFileSync(join(root, 'all.yaml'), 'utf8')
/** Words of kustomize-controller 1.9.4. */
const words: readonly (readonly [it: string, bytes: string, input: SopsFormat, output: SopsFormat, want: string])[] = [
  ['has no metadata', '{"a": 1}', 'json', 'json', 'failed to load encrypted JSON data: sops metadata not found'],
  [
    'names no keys',
    'a: x\nsops:\n  lastmodified: "2026-01-01T00:00:00Z"\n  mac: ""\n',
    'yaml',
    'yaml',
    'failed to load encrypted YAML data: No keys found in file',
  ],
  [
    'does not fit into the wanted format',
    cut,
    'yaml',
    'binary',
    'failed to emit encrypted YAML file as decrypted binary: error emitting binary store: no binary data found in tree',
  ],
]
for (const [it, bytes, input, output, want] of words)
  test(`a SOPS file that ${it} is refused in Flux's words`, () =>
    assert.rejects(decryptSops({ bytes: Buffer.from(bytes), input, output, open, checkMac: 'never' }), {
      message: want,
    }))

for (const [armored, want] of [
  ['nonsense\n', 'invalid first line: "nonsense"'],
  ['\n\n', 'unexpected EOF'],
] as const)
  test(`the data key ${JSON.stringify(armored)} is no age file`, () =>
    assert.rejects(openAgeFile(armored, identities), {
      message: `failed to create reader for decrypting sops data key with age: failed to read header: parsing age header: failed to read intro: invalid armor: ${want}`,
    }))

test('sops lists every key it tried, as sops does', async () => {
  const fail: OpenMasterKey = async ({ type }) => {
    throw new SluiceError(
      'SOPS_KEY',
      type === 'age'
        ? 'failed to create reader for decrypting sops data key with age: identity did not match any of the recipients: incorrect identity for recipient block'
        : 'no',
    )
  }
  const bytes = readFileSync(join(root, 'all.yaml'))
  const recipient = /recipient: (\S+)/.exec(bytes.toString())?.[1]
  await assert.rejects(decrypt(bytes, 'yaml', fail), (error: Error) => {
    assert.equal(
      error.message,
      `cannot get sops data key: Failed to get the data key required to decrypt the SOPS file.

Group 0: FAILED
  ${recipient}: FAILED
    - | failed to create reader for decrypting sops data key with
      | age: identity did not match any of the recipients: incorrect
      | identity for recipient block

Recovery failed because no master key was able to decrypt the file. In
order for SOPS to recover the file, at least one key has to be successful,
but none were.`,
    )
    return true
  })
})

test('a wrong age identity is told, an unknown one refused without its text', async () => {
  const [first = ''] = identities
  const other = parseAgeIdentities('AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX')
  const enc = /-----BEGIN AGE[\s\S]*?END AGE ENCRYPTED FILE-----/.exec(
    readFileSync(join(root, 'all.yaml'), 'utf8'),
  )?.[0]
  const armored = (enc ?? '').replace(/^ +/gm, '')
  assert.equal((await openAgeFile(armored, [first])).length, 32)
  await assert.rejects(openAgeFile(armored, other), /identity/)
  assert.throws(
    () => parseAgeIdentities('# fine\nSECRET-OF-MINE'),
    (error: SluiceError) => error.where === 'line 2' && !error.message.includes('MINE'),
  )
})

test('formats are known by name and by what is in them', () => {
  assert.deepEqual(['a.yml', 'b.yaml', 'c.json', '.dockerconfigjson', 'd.env', 'e.ini', 'f.txt'].map(formatOfPath), [
    'yaml',
    'yaml',
    'json',
    'json',
    'dotenv',
    'ini',
    'binary',
  ])
  assert.equal(encryptedFormatOf(Buffer.from('password: open')), undefined)
  assert.equal(encryptedFormatOf(readFileSync(join(root, 'all.ini'))), 'ini')
})

test('numbers are written without an exponent', () => {
  assert.deepEqual([1e30, 1.5, -2.5e-7, 12].map(plainNumber), [
    '1000000000000000000000000000000',
    '1.5',
    '-0.00000025',
    '12',
  ])
})

// As Go's strconv writes and reads them, which is what the MAC and the values of a file are made of.
const numbers: readonly [value: number, text: string][] = [
  [Infinity, '+Inf'],
  [-Infinity, '-Inf'],
  [NaN, 'NaN'],
  [0.1, '0.1'],
  [1e21, '1000000000000000000000'],
]
for (const [value, text] of numbers)
  test(`a number of a SOPS file: ${text}`, () => {
    assert.equal(plainNumber(value), text)
    assert.deepEqual(parseFloatText(text), value)
  })
