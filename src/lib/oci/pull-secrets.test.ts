import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findPullLogin, type PullSecret } from './pull-secrets.ts'
import { parseRepository } from './reference.ts'

const secret = (type: string, key: string, value: unknown): PullSecret => ({
  type,
  data: { [key]: Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)) },
})
const config = (auths: unknown): PullSecret =>
  secret('kubernetes.io/dockerconfigjson', '.dockerconfigjson', auths === undefined ? {} : { auths })
const old = (auths: unknown): PullSecret => secret('kubernetes.io/dockercfg', '.dockercfg', auths)
const auth = (text: string) => ({ auth: Buffer.from(text).toString('base64') })
const a = { username: 'a', password: 'p' }

// As the keychain of go-containerregistry answers for r.io/ns/web.
const rows: readonly { it: string; secrets: readonly PullSecret[]; want: object | string | undefined }[] = [
  { it: 'the newer form', secrets: [config({ 'r.io': a })], want: a },
  { it: 'the older form', secrets: [old({ 'r.io': a })], want: a },
  {
    it: 'no form of the other type',
    secrets: [secret('kubernetes.io/dockercfg', '.dockerconfigjson', { auths: { 'r.io': a } })],
    want: undefined,
  },
  {
    it: 'no Secret without a type of its own',
    secrets: [secret('Opaque', '.dockerconfigjson', { auths: { 'r.io': a } })],
    want: undefined,
  },
  {
    it: 'the longest key of all Secrets',
    secrets: [config({ 'r.io': a }), old({ 'r.io/ns': auth('b:q') })],
    want: { username: 'b', password: 'q' },
  },
  { it: 'the first of equal keys', secrets: [config({ 'r.io': a }), config({ 'r.io': auth('b:q') })], want: a },
  { it: 'a name alone', secrets: [config({ 'r.io': { username: 'a' } })], want: { username: 'a', password: '' } },
  { it: 'fields in capitals', secrets: [config({ 'r.io': { Username: 'a', PASSWORD: 'p' } })], want: a },
  { it: 'base64 without padding', secrets: [config({ 'r.io': { auth: 'YTpw' } })], want: a },
  { it: 'base64 with the end of a line', secrets: [config({ 'r.io': { auth: 'YTpw\n' } })], want: a },
  { it: 'nothing in null', secrets: [config({ 'r.io': null })], want: undefined },
  { it: 'nothing in no auths', secrets: [config(undefined)], want: undefined },
  {
    it: 'a fault of another host, too',
    secrets: [config({ 'r.io': a, 'x.io': { auth: '!' } })],
    want: 'unable to decode auth field: illegal base64 data at input byte 0',
  },
  {
    it: 'no colon',
    secrets: [config({ 'r.io': auth('token') })],
    want: 'unable to decode auth field: must be formatted as base64(username:password)',
  },
  {
    it: 'half of a padding',
    secrets: [config({ 'r.io': { auth: 'YTpwcQ=' } })],
    want: 'unable to decode auth field: illegal base64 data at input byte 7',
  },
  {
    it: 'a number for a name',
    secrets: [config({ 'r.io': { username: 1 } })],
    want: 'json: cannot unmarshal number into Go struct field dockerConfigJSON.Auths.username of type string',
  },
  {
    it: 'the same in the older form',
    secrets: [old({ 'r.io': { auth: true } })],
    want: 'json: cannot unmarshal bool into Go struct field authConfig.auth of type string',
  },
  {
    it: 'a text for an entry',
    secrets: [old({ 'r.io': 'x' })],
    want: 'json: cannot unmarshal string into Go value of type authn.authConfig',
  },
  {
    it: 'a list for the auths',
    secrets: [config([])],
    want: 'json: cannot unmarshal array into Go struct field dockerConfigJSON.Auths of type map[string]authn.AuthConfig',
  },
  {
    it: 'a key that is no host',
    secrets: [config({ 'a b': a })],
    want: 'Entry "https://a b" in dockercfg invalid (parse "https://a b": invalid character " " in host name)',
  },
]
for (const { it, secrets, want } of rows)
  test(`of pull secrets counts ${it}`, () => {
    const find = () => findPullLogin(secrets, parseRepository('r.io/ns/web')!)
    if (typeof want === 'string') assert.throws(find, { name: 'PullSecretError', message: want })
    else assert.deepEqual(find(), want)
  })
