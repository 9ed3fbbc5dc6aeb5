import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { authorize, type NamedToken } from './authorize.ts'

const basic = (login: string): string => `Basic ${Buffer.from(login).toString('base64')}`
const named = (name: string, text: string): NamedToken => ({
  name,
  sha256: createHash('sha256').update(text).digest('hex'),
})

const tokens = [named('ann', 'of-ann'), named('ci', 'of-ci')]

const cases: { it: string; header?: string; token?: string; tokens?: readonly NamedToken[]; want: object }[] = [
  { it: 'takes the own token from any user', header: basic('bob:own'), want: { user: 'bob', trusted: true } },
  { it: 'takes it without a user', header: basic(':own'), want: { user: '', trusted: true } },
  { it: 'calls who shows a named token by its name', header: basic('bob:of-ci'), want: { user: 'ci', trusted: true } },
  {
    it: 'reads the scheme in any case',
    header: basic('x:of-ann').replace('Basic', 'bAsIc'),
    want: { user: 'ann', trusted: true },
  },
  {
    it: 'refuses a revoked token',
    header: basic('ci:of-ci'),
    tokens: [named('ann', 'of-ann')],
    want: { user: 'ci', trusted: false },
  },
  { it: 'refuses the name of a token for the token', header: basic('x:ann'), want: { user: 'x', trusted: false } },
  {
    it: 'refuses the hash of a token for the token',
    header: basic(`x:${tokens[0]?.sha256}`),
    want: { user: 'x', trusted: false },
  },
  { it: 'refuses a part of a token', header: basic('x:of-an'), want: { user: 'x', trusted: false } },
  { it: 'refuses no password', header: basic('ann:'), want: { user: 'ann', trusted: false } },
  {
    it: 'refuses no password where the own token is empty',
    header: basic('ann'),
    token: '',
    want: { user: 'ann', trusted: false },
  },
  {
    it: 'refuses no password even where a token of no text is kept',
    header: basic('ann:'),
    tokens: [named('void', '')],
    want: { user: 'ann', trusted: false },
  },
  { it: 'refuses no header', want: { user: '', trusted: false } },
  { it: 'refuses another scheme', header: 'Bearer of-ann', want: { user: '', trusted: false } },
  { it: 'keeps a colon in the password', header: basic('x:of:ann'), want: { user: 'x', trusted: false } },
]
for (const { it, header, token = 'own', tokens: kept = tokens, want } of cases)
  test(`authorize ${it}`, () =>
    assert.deepEqual(
      authorize(header, token, () => kept),
      want,
    ))

test('authorize looks for named tokens only when they could matter', () => {
  const never = (): never => assert.fail('asked')
  assert.equal(authorize(undefined, 'own', never).trusted, false)
  assert.equal(authorize(basic('bob:own'), 'own', never).trusted, true)
})
