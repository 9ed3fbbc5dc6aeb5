import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertLinear } from '../../../tests/support/cpu-time.ts'
import { createLineCutter } from './line-cutter.ts'

for (const { it, pieces, want } of [
  { it: 'joins what comes in pieces', pieces: ['a', 'b\nc', '\n'], want: ['ab', 'c'] },
  { it: 'keeps empty lines', pieces: ['\n\na\n'], want: ['', '', 'a'] },
  { it: 'hands on a last line that does not end', pieces: ['a\nb'], want: ['a', 'b'] },
  { it: 'hands on a line that is too long in pieces', pieces: ['abc', 'def', 'g\nh'], want: ['abcdef', 'g', 'h'] },
  {
    it: 'hands on an empty line behind one that was too long',
    pieces: ['abcdef', '\n', 'g'],
    want: ['abcdef', '', 'g'],
  },
  { it: 'joins a line of many pieces', pieces: ['a', '', 'b', 'c', '\nd'], want: ['abc', 'd'] },
])
  test(`a line cutter ${it}`, () => {
    const lines: string[] = []
    const cutter = createLineCutter((line) => lines.push(line), 4)
    pieces.forEach(cutter.write)
    cutter.end()
    assert.deepEqual(lines, want)
  })

test('a line in many pieces costs no more than its length', () =>
  assertLinear((size) => {
    let length = 0
    const cutter = createLineCutter((line) => (length += line.length))
    for (let piece = 0; piece < size; piece++) cutter.write('abcdefghij'.repeat(10))
    cutter.end()
    assert.equal(length, size * 100)
  }, 8_000))
