import assert from 'node:assert/strict'
import { test } from 'node:test'
import { trimEndOf, trimOf } from './trim-end.ts'

const cases: readonly [text: string, cut: string, want: string][] = [
  ['a  ', ' ', 'a'],
  [' a', ' ', ' a'],
  ['a/b//', '/', 'a/b'],
  ['a \t\r ', ' \t\r', 'a'],
  ['==', '=', ''],
  ['', '=', ''],
  ['a', '', 'a'],
]
for (const [text, cut, want] of cases)
  test(`${JSON.stringify(text)} without ${JSON.stringify(cut)} at its end`, () =>
    assert.equal(trimEndOf(text, cut), want))

test('both ends of a text are cut', () => {
  assert.equal(trimOf('[[a]b]', '[]'), 'a]b')
  assert.equal(trimOf('  ', ' '), '')
})

test('a long run that does not stand at the end costs nothing', () => {
  const text = `${' '.repeat(1024 * 1024)}a`
  assert.equal(trimEndOf(text, ' '), text)
})
