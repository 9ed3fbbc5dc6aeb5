import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault } from '../fault.ts'
import { readToken, writeToken } from './continue-token.ts'

test('a token says what was written into it', () => {
  const token = { version: 7, after: 'default/é' }
  assert.deepEqual(readToken(writeToken(token)), token)
})

// What kube-apiserver 1.37.2 says of them.
const faults: { token: string; want: string }[] = [
  { token: 'x', want: 'illegal base64 data at input byte 0' },
  { token: 'abcde', want: 'illegal base64 data at input byte 4' },
  { token: 'ab!d', want: 'illegal base64 data at input byte 2' },
  { token: 'e30=', want: 'illegal base64 data at input byte 3' },
  { token: 'ab\ncd', want: "invalid character 'i' looking for beginning of value" },
  { token: 'xy', want: "invalid character 'Ç' looking for beginning of value" },
]
for (const { token, want } of faults)
  test(`the token ${JSON.stringify(token)} is refused as Go reads it`, () =>
    assert.throws(
      () => readToken(token),
      (error) =>
        error instanceof Fault && error.message === `invalid continue token: continue key is not valid: ${want}`,
    ))

test('a token may say that it goes on with what is there now', () => {
  const text = Buffer.from('{"v":"meta.k8s.io/v1","rv":-1,"start":"a"}').toString('base64url')
  assert.equal(readToken(text).version, -1)
})
