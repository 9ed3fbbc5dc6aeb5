import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLineCutter } from './line-cutter.ts'

for (const { it, pieces, want } of [
  { it: 'joins what comes in pieces', pieces: ['a', 'b\nc', '\n'], want: ['ab', 'c'] },
  { it: 'keeps empty lines', pieces: ['\n\na\n'], want: ['', '', 'a'] },
  { it: 'hands on a last line that does not end', pieces: ['a\nb'], want: ['a', 'b'] },
  { it: 'hands on a line that is too long in pieces', pieces: ['abc', 'def', 'g\nh'], want: ['abcdef', 'g', 'h'] },
])
  test(`a line cutter ${it}`, () => {
    const lines: string[] = []
    const cutter = createLineCutter((line) => lines.push(line), 4)
    pieces.forEach(cutter.write)
    cutter.end()
    assert.deepEqual(lines, want)
  })
