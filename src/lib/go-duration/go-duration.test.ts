import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseGoDuration, renderGoDuration } from './go-duration.ts'

// Computed by Go's package `time`.
const durations: readonly [text: string, want: string][] = [
  ['90m', '1h30m0s'],
  ['1.s', '1s'],
  ['.5h', '30m0s'],
  ['-1.5h', '-1h30m0s'],
  ['+1m', '1m0s'],
  ['-0', '0s'],
  ['1us', '1µs'],
  ['1μs', '1µs'],
  ['0.1ns', '0s'],
  ['1.123456789123s', '1.123456789s'],
  ['1.0000000000000000000001s', '1s'],
  ['500.0015ms', '500.0015ms'],
  ['2562047h47m16.854775807s', '2562047h47m16.854775807s'],
  ['-9223372036854775808ns', '-2562047h47m16.854775808s'],
  ['9223372036854775808ns', 'invalid duration "9223372036854775808ns"'],
  ['100000000000000000000h', 'invalid duration "100000000000000000000h"'],
  ['', 'invalid duration ""'],
  ['.s', 'invalid duration ".s"'],
  ['1', 'missing unit in duration "1"'],
  ['1d', 'unknown unit "d" in duration "1d"'],
  ['3s ', 'unknown unit "s " in duration "3s "'],
  ['1é"', 'unknown unit "\\xc3\\xa9\\"" in duration "1\\xc3\\xa9\\""'],
]
for (const [text, want] of durations)
  test(`the duration ${text} is read as by Go`, () => {
    const found = parseGoDuration(text)
    assert.equal('fault' in found ? found.fault : renderGoDuration(found.ns), want)
  })
