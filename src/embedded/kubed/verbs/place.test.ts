import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isVersion, requireNumber } from './place.ts'

// As strconv.ParseUint of the original reads them.
const versions: [text: string, isVersion: boolean, refused: RegExp | undefined][] = [
  ['0', false, undefined],
  ['00', false, undefined],
  ['01', true, undefined],
  ['18446744073709551615', true, undefined],
  ['18446744073709551616', false, /"18446744073709551616": value out of range$/],
  [`${'0'.repeat(50)}7`, true, undefined],
  ['9'.repeat(3_000_000), false, /^.{1000,1200}…": value out of range$/],
  ['-1', false, /"-1": invalid syntax$/],
  ['x', false, /"x": invalid syntax$/],
]

for (const [text, is, refused] of versions)
  test(`the version ${text.slice(0, 60)}`, () => {
    assert.equal(isVersion(text), is)
    if (refused === undefined) requireNumber(text)
    else assert.throws(() => requireNumber(text), { message: refused })
  })
