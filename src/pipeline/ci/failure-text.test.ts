import assert from 'node:assert/strict'
import { test } from 'node:test'
import { followFailure } from './failure-text.ts'

const cases: readonly [it: string, lines: readonly string[], want: string][] = [
  ['nothing', [], ''],
  ['the last line', ['one', '', '  two  '], 'two'],
  ['the line that tells, not the advice behind it', ['error: no such file', 'see the docs'], 'error: no such file'],
  ['the last of those that tell', ['FAIL a', 'fatal: b', 'took 3 s'], 'fatal: b'],
  [
    'a test of TAP with its error and place',
    [
      'not ok 2 - boom',
      '  ---',
      "  location: '/w/web.test.mjs:3:1'",
      "  error: '1 == 2'",
      "  name: 'AssertionError'",
      '1..2',
    ],
    'not ok 2 - boom: 1 == 2 (/w/web.test.mjs:3:1)',
  ],
  [
    'a test of TAP with an error of several lines',
    [
      'not ok 1 - x',
      "  location: 'a.mjs:1:1'",
      '  error: |-',
      '    Expected values to be equal:',
      '    + 1',
      "  error: 'no'",
    ],
    'not ok 1 - x: Expected values to be equal: (a.mjs:1:1)',
  ],
  [
    'a test of the reporter for people',
    [
      '✖ boom (1.2ms)',
      '✖ failing tests:',
      '',
      'test at web.test.mjs:2:22',
      '✖ boom (1.2ms)',
      '  AssertionError: 1 == 2',
      '      at Test.run',
    ],
    '✖ boom (1.2ms): AssertionError: 1 == 2 (web.test.mjs:2:22)',
  ],
  ['the last test that failed', ['not ok 1 - a', "  error: 'x'", 'ok 2 - b', 'not ok 3 - c'], 'not ok 3 - c'],
  ['no error of something else', ['fatal: x', "  error: 'y'"], 'fatal: x'],
]
for (const [it, lines, want] of cases)
  test(`the text of a failure is ${it}`, () => {
    const failure = followFailure()
    lines.forEach(failure.see)
    assert.equal(failure.text(), want)
  })

test('an ::error:: command goes before what was printed', () => {
  const failure = followFailure()
  failure.see('some line')
  failure.tell('no disk')
  assert.equal(failure.text(), 'no disk')
})
