import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type Account,
  decideTokenSecret,
  type GoneSecretSeen,
  type TokenSecret,
  type TokenSecretSeen,
} from './decide.ts'

const base64 = (text: string): string => Buffer.from(text).toString('base64')
const named = { 'kubernetes.io/service-account.name': 'robot' }
const known = { ...named, 'kubernetes.io/service-account.uid': 'r' }
const full = { token: base64('t'), 'ca.crt': base64('CA'), namespace: base64('a') }
const secretWith = (annotations: Record<string, string>, data?: Record<string, string>): TokenSecret => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 's', namespace: 'a', annotations },
  type: 'kubernetes.io/service-account-token',
  ...(data && { data }),
})
const account = (...secrets: string[]): Account => ({
  apiVersion: 'v1',
  kind: 'ServiceAccount',
  metadata: { name: 'robot', namespace: 'a', uid: 'r' },
  ...(secrets.length > 0 && { secrets: secrets.map((name) => ({ name })) }),
})
const calm: TokenSecretSeen = { secret: secretWith(known, full), account: account(), caPem: 'CA', token: undefined }

/** What is written: the secret's data, or what is done instead. */
function outcome(seen: TokenSecretSeen | GoneSecretSeen): unknown {
  const decided = decideTokenSecret(seen)
  const [write] = decided.kind === 'act' ? decided.changes : decided.status
  if (write?.do !== 'replace') return write?.do
  return write.object['data'] ?? write.object['secrets']
}

const cases: { it: string; seen: TokenSecretSeen | GoneSecretSeen; want: unknown }[] = [
  { it: 'is left alone when it is full', seen: calm, want: undefined },
  { it: 'is filled', seen: { ...calm, secret: secretWith(named), token: 't' }, want: full },
  {
    it: 'keeps what else is in it, and its token',
    seen: { ...calm, secret: secretWith(known, { more: 'x', token: base64('own') }) },
    want: { more: 'x', token: base64('own'), 'ca.crt': base64('CA'), namespace: base64('a') },
  },
  { it: 'gets new certificates', seen: { ...calm, caPem: 'NEW' }, want: { ...full, 'ca.crt': base64('NEW') } },
  { it: 'keeps its certificates where none are known', seen: { ...calm, caPem: undefined }, want: undefined },
  { it: 'goes with its account', seen: { ...calm, account: undefined }, want: 'delete' },
  {
    it: 'without an account is nobodys',
    seen: { ...calm, secret: secretWith({}), account: undefined },
    want: undefined,
  },
  { it: 'that is gone is forgotten', seen: { name: 's', account: account('s', 'o') }, want: [{ name: 'o' }] },
  { it: 'that is gone and was never listed matters not', seen: { name: 's', account: account('o') }, want: undefined },
]
for (const { it, seen, want } of cases) test(`a secret for a token ${it}`, () => assert.deepEqual(outcome(seen), want))

test('a filled secret says whose token it holds, and is not written again', () => {
  const decided = decideTokenSecret({ ...calm, secret: secretWith(named), token: 't' })
  const [write] = decided.kind === 'done' ? decided.status : []
  assert.ok(write?.do === 'replace')
  assert.deepEqual(write.object.metadata.annotations, known)
  assert.deepEqual(decideTokenSecret({ ...calm, secret: write.object as TokenSecret }), { kind: 'done', status: [] })
})
