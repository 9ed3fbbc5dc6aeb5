import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMasker, maskedLines } from './mask.ts'

const SECRET = 'correct horse/battery'

function through(pieces: readonly string[], secrets: readonly string[] = [SECRET]): string {
  const lines: string[] = []
  const stream = maskedLines(createMasker(secrets), (line) => lines.push(line))
  for (const piece of pieces) stream.write(piece)
  stream.end()
  return lines.join('\n')
}

test('a secret cut at every place is masked', () => {
  for (let cut = 0; cut <= SECRET.length; cut++)
    assert.equal(through(['a ', SECRET.slice(0, cut), SECRET.slice(cut), ' b\n']), 'a *** b')
})

test('a secret in a line without end is masked at every distance from the cut', () => {
  for (const before of [262_100, 262_120, 262_130, 262_140, 262_144, 262_150]) {
    const text = through(['x'.repeat(before), SECRET.slice(0, 9), SECRET.slice(9), 'y'.repeat(300_000)])
    assert.ok(!text.includes('horse') && !text.includes('battery'), String(before))
  }
})

test('base64, URL and JSON spellings, and each line of a secret, are masked', () => {
  assert.equal(through([`${Buffer.from(SECRET).toString('base64')} ${encodeURIComponent(SECRET)}\n`]), '*** ***')
  assert.equal(through(['-- second --\n'], ['first\nsecond']), '-- *** --')
  assert.equal(through(['{"a":"q\\"uote"}\n'], ['q"uote']), '{"a":"***"}')
})

test('an empty or very short secret masks nothing', () => {
  assert.equal(through(['a ab\n'], ['', 'a', 'ab']), 'a ab')
})

test('the longer of two secrets wins', () => assert.equal(through(['abcdef\n'], ['abc', 'abcdef']), '***'))

test('a step that asks for ever more masks is told when it is enough, and what it has stays masked', () => {
  const masker = createMasker([SECRET])
  let taken = 0
  while (taken < 10_000 && masker.add(`mask-number-${taken}-`)) taken++
  assert.ok(taken >= 500 && taken < 2_000, String(taken))
  assert.equal(masker.add('mask-number-1-'), true)
  assert.equal(masker.mask(`${SECRET} mask-number-7-`), '*** ***')
})

test('a secret within the base64 of a longer text is masked, wherever it stands in it', () => {
  for (const before of ['', 'u', 'us', 'user:', 'some user:'])
    for (const after of ['', '\n', ', and more', '@host'])
      for (const encoding of ['base64', 'base64url'] as const) {
        const text = through([`${Buffer.from(`${before}${SECRET}${after}`).toString(encoding)}\n`])
        const shown = Buffer.from(text.replaceAll('***', ''), 'base64').toString('latin1')
        assert.match(text, /\*\*\*/)
        assert.ok(!shown.includes('horse') && text.length < 40, `${before} ${after} ${text}`)
      }
})

test('a mask of half a letter is taken as it is', () => {
  assert.equal(createMasker([]).add(`${'x'.repeat(20)}\ud83d`), true)
})
