// Makes tests/fixtures/sops: files encrypted by the real sops, and what it decrypts them to. `node scripts/sops-golden.mjs` (needs sops, age-keygen and gpg on the PATH).
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const folder = join(import.meta.dirname, '../tests/fixtures/sops')
rmSync(folder, { recursive: true, force: true })
mkdirSync(folder, { recursive: true })
const work = mkdtempSync(join(tmpdir(), 'sops-golden-'))
const home = join(work, 'gnupg')
mkdirSync(home, { mode: 0o700 })
const env = { ...process.env, GNUPGHOME: home, SOPS_AGE_KEY_FILE: join(folder, 'keys.agekey') }
const run = (command, ...args) =>
  execFileSync(command, args, { env, cwd: work, maxBuffer: 1 << 26, stdio: ['ignore', 'pipe', 'pipe'] })

const identity = run('age-keygen').toString()
const hybrid = run('age-keygen', '-pq').toString()
writeFileSync(join(folder, 'keys.agekey'), identity + hybrid)
const recipientOf = (text) => /# public key: (\S+)/.exec(text)[1]
const [age, pq] = [recipientOf(identity), recipientOf(hybrid)]
writeFileSync(
  join(work, 'params'),
  '%no-protection\nKey-Type: RSA\nKey-Length: 2048\nName-Real: Golden\nName-Email: golden@example.com\nExpire-Date: 0\n%commit\n',
)
run('gpg', '--batch', '--quiet', '--gen-key', join(work, 'params'))
const fingerprint = /^fpr:+([0-9A-F]{40}):/m.exec(run('gpg', '--with-colons', '-K').toString())[1]
writeFileSync(join(folder, 'key.asc'), run('gpg', '--armor', '--export-secret-keys', fingerprint))

const YAML = `plain: hello
number: 12
big: 9007199254740993
float: 1.5
exponent: 1e30
yes: true
no: false
empty: ""
nothing: null
date: 2020-01-02
time: 2020-01-02T03:04:05.5+02:00
quoted: "12"
multi: |
  one
  two
list:
  - a
  - b: 1
    c: 2
  - [x, y]
  - {}
map: {z: 1, a: 2}
key_unencrypted: visible
`
const SECRET = `apiVersion: v1
kind: Secret
metadata: {name: db, labels: {app: web}}
stringData: {password: "p@ss #1", user: app}
data: {token: dG9rZW4=}
`
const JSON_TEXT =
  '{"b": "x<y>&", "a": 1, "f": 1.25, "big": 9007199254740993, "t": true, "n": null, "e": "", "list": [1, {"x": "y"}, []], "m": {}, "key_unencrypted": "v", "10": "ten", "2": "two"}'
const DOTENV = '# a comment\nA=1\nB=two words\nC=line\\nbreak\nD=\nE_unencrypted=x\n'
const INI = '; top\n[first]\n; about a\na = 1\nbb = two # words\nccc = `x # y`\n\n[second]\nkey: "quoted "\nempty =\n'
const binary = Buffer.from(Array.from({ length: 256 }, (_, byte) => 255 - byte))
const data = '^(data|stringData)$'
const cases = [
  ['all', 'yaml', YAML, { age }],
  ['several', 'yaml', 'a: 1\n---\nb: two\n', { age }],
  ['hybrid', 'yaml', SECRET, { age: pq, encrypted_regex: data }],
  ['mac-only', 'yaml', SECRET, { age, encrypted_regex: data, mac_only_encrypted: true }],
  ['encrypted-suffix', 'yaml', 'a_secret: x\nb: {c_secret: 1, d: 2}\n', { age, encrypted_suffix: '_secret' }],
  ['unencrypted-regex', 'yaml', 'a: x\nb: {open: 1, d: 2}\n', { age, unencrypted_regex: '^open$' }],
  ['unencrypted-suffix', 'yaml', 'a_open: x\nb: {c: 1}\n', { age, unencrypted_suffix: '_open' }],
  ['pgp', 'yaml', SECRET, { pgp: fingerprint, encrypted_regex: data }],
  ['two-keys', 'yaml', 'a: x\n', { age: `${age},${pq}`, pgp: fingerprint }],
  [
    'shamir',
    'yaml',
    'a: x\nb: 2\n',
    { shamir_threshold: 2, key_groups: [{ age: [age] }, { age: [pq] }, { pgp: [fingerprint] }] },
  ],
  ['all', 'json', JSON_TEXT, { age }],
  ['all', 'env', DOTENV, { age }],
  ['comment', 'env', '# open\nA=1\nB=2\n', { age, unencrypted_comment_regex: '^ open' }],
  ['all', 'ini', INI, { age }],
  ['all', 'bin', binary, { age }],
]
for (const [name, ending, content, rule] of cases) {
  const config = join(work, 'config.json')
  writeFileSync(config, JSON.stringify({ creation_rules: [rule] }))
  const plain = join(work, `${name}.${ending}`)
  writeFileSync(plain, content)
  const file = join(folder, `${name}.${ending}`)
  writeFileSync(file, run('sops', '--config', config, 'encrypt', plain))
  writeFileSync(join(folder, `want.${name}.${ending}`), run('sops', 'decrypt', file))
}
run('gpgconf', '--kill', 'gpg-agent')
rmSync(work, { recursive: true, force: true })
