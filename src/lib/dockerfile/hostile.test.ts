import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertLinear } from '../../../tests/support/cpu-time.ts'
import { SluiceError } from '../error/sluice-error.ts'
import { ExpandError, expandWord } from './expand.ts'
import { parseGlob } from './glob.ts'
import { parseDockerfile } from './parse.ts'

const globs: [string, string, boolean][] = [
  ['*.js', 'a.js', true],
  ['*.js', 'd/a.js', false],
  ['**/*.js', 'a.js', true],
  ['**/*.js', 'd/e/a.js', true],
  ['d/**', 'd/e/f', true],
  ['a**b', 'a/x/b', true],
  ['a?c', 'a/c', false],
  ['[a-c]x', 'bx', true],
  ['[^a-c]x', 'bx', false],
  ['\\*', '*', true],
  ['\\*', 'x', false],
  ['a*b*c', 'aXbYc', true],
  ['a*b*c', 'aXbY', false],
  ['*', '', true],
]
for (const [pattern, text, want] of globs)
  test(`${pattern} ${want ? 'matches' : 'does not match'} "${text}"`, () =>
    assert.equal(parseGlob(pattern).test(text), want))

test('a pattern made to be slow is not', () => {
  assertLinear((size) => assert.equal(parseGlob('a*'.repeat(40) + 'b').test('a'.repeat(size)), false), 2000)
  assertLinear((size) => assert.equal(parseGlob('**/'.repeat(40) + 'b').test('a/'.repeat(size)), false), 1000)
})

test('whatever a Dockerfile holds, it is read or refused', () => {
  const pieces = [
    'FROM x',
    '\n',
    'RUN ',
    '<<EOF',
    'EOF',
    '\\',
    '"',
    "'",
    '${',
    '}',
    ':-',
    '[',
    ']',
    '#',
    '--from=',
    '`',
    '$',
    ' ',
    '\u0000',
  ]
  let seed = 7
  const random = (below: number): number => (seed = (seed * 1103515245 + 12345) % 2147483648) % below
  for (let turn = 0; turn < 3000; turn++) {
    const text = Array.from({ length: random(20) }, () => pieces[random(pieces.length)]).join('')
    assertOnly(SluiceError, () => parseDockerfile(text))
    assertOnly(ExpandError, () => expandWord(text, (name) => (name === 'x' ? 'value' : undefined)))
  }
})

function assertOnly(kind: typeof SluiceError | typeof ExpandError, work: () => unknown): void {
  try {
    work()
  } catch (error) {
    assert.ok(error instanceof kind, String(error))
  }
}
