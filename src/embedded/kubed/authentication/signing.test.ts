import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newSigningKey, signerOf } from './signing.ts'

const signer = signerOf(newSigningKey())
const stranger = signerOf(newSigningKey())

test('a token that is shown again is not checked again', () => {
  const token = signer.sign({ sub: 'a' })
  const claims = signer.claimsOf(token)
  assert.deepEqual(claims, { sub: 'a' })
  assert.ok(signer.claimsOf(token) === claims)
})

test('of the tokens that are known the one that was not shown for longest is forgotten', () => {
  const ofTwo = signerOf(newSigningKey(), 2)
  const [kept, forgotten, other] = ['kept', 'forgotten', 'other'].map((sub) => ofTwo.sign({ sub })) as [
    string,
    string,
    string,
  ]
  const [first, second] = [ofTwo.claimsOf(kept), ofTwo.claimsOf(forgotten)]
  ofTwo.claimsOf(kept)
  ofTwo.claimsOf(other)
  assert.ok(ofTwo.claimsOf(kept) === first)
  assert.ok(ofTwo.claimsOf(forgotten) !== second)
})

const refused: readonly { it: string; token: string }[] = [
  { it: 'that another key signed', token: stranger.sign({ sub: 'a' }) },
  {
    it: 'with the signature of another',
    token: signer.sign({ sub: 'a' }).replace(/[^.]+$/, signer.sign({}).split('.')[2] ?? ''),
  },
  { it: 'that is none', token: 'a.b' },
]
for (const { it, token } of refused)
  test(`a token ${it} is refused each time`, () => {
    for (let time = 0; time < 2; time++) assert.throws(() => signer.claimsOf(token), { code: 'JWT_INVALID' })
  })
