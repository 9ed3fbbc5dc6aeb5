// What the original, go.yaml.in/yaml 3.0.4 and 2.4.4, says of each text; the values are its own.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cpuSeconds } from '../../../../tests/support/cpu-time.ts'
import { SluiceError } from '../../error/sluice-error.ts'
import { parseDocuments } from '../parse-documents.ts'
import { goSyntaxError, syntaxFaultOf } from './go-syntax-error.ts'

/** A text, what the library of the third version says, and the second where it differs. */
const CASES: readonly (readonly [string, string, string?])[] = [
  ['a: b\n]', 'line 1: did not find expected key'],
  ['- a\n[\n', "line 2: could not find expected ':'", "line 3: could not find expected ':'"],
  ['a: b\n"', 'line 2: found unexpected end of stream'],
  ['a: 1\n@\n', 'line 2: found character that cannot start any token'],
  ['- a\n@', 'line 2: found character that cannot start any token'],
  ['a: 1\n%\n', 'line 2: could not find expected directive name'],
  ['"\\q"\n- a', 'found unknown escape character'],
  ['a:\n- "a"b\n', 'line 1: did not find expected key'],
  ['x:\n  - a\n  b: c\n', "line 1: did not find expected '-' indicator", "line 2: did not find expected '-' indicator"],
  ['a: b\n& c\n', 'line 2: did not find expected alphabetic or numeric character'],
  ['a: b\n!t \nc: d\n', "line 2: could not find expected ':'", "line 3: could not find expected ':'"],
  ['a\nb: c\n', 'line 2: mapping values are not allowed in this context'],
  ['a: b\n c: d\n', 'line 2: mapping values are not allowed in this context'],
  ['...\n', 'did not find expected node content'],
  ['%TAG ! x\n', 'line 1: did not find expected <document start>'],
  ['%YAML 1.2\n---\na: b\n', 'found incompatible YAML document'],
  ['%FOO\n---\n', 'found unknown directive name'],
  ['[a, b\n', "line 1: did not find expected ',' or ']'"],
  ['\n[', 'line 2: did not find expected node content'],
  ['{a: b\nc: d', "line 1: did not find expected ',' or '}'"],
  ['a: |2x\n', 'did not find expected comment or line break'],
  ['a: |\n\t b\n', 'line 2: found a tab character where an indentation space is expected'],
  ['a: b\n\tc', 'line 2: found a tab character that violates indentation'],
  ['? a\n? - b\n c', 'line 2: did not find expected key'],
  ['k: &a\nl: *b\n', "unknown anchor 'b' referenced"],
  ['!x!y a', 'found undefined tag handle'],
  ["a: 'b\nc: d\n", 'line 3: found unexpected end of stream'],
  ['a: "b\n---\n', 'line 2: found unexpected document indicator'],
  ['[? : a]', "did not find expected ',' or ']'"],
  ['{a: b: c}', "did not find expected ',' or '}'"],
  ['# c\na: [b]]\n', 'line 1: did not find expected key'],
  ['- a\n b: c\n- d\n', 'line 2: mapping values are not allowed in this context'],
  ['a: - b\n', 'block sequence entries are not allowed in this context'],
  ['x: ? y\n', 'mapping keys are not allowed in this context'],
  ['"\\x4g"', 'did not find expected hexdecimal number'],
  ['a: !<t b\n', "did not find the expected '>'"],
  ['"k\n": v', 'line 2: mapping values are not allowed in this context'],
  [
    'a:\n  # c\n\t# d\n  b: c\n d: e',
    'line 4: did not find expected key',
    'line 3: found character that cannot start any token',
  ],
  ['- - a\n - b\n', "line 1: did not find expected '-' indicator"],
  ['a: b\n\n  \n- c\n', 'line 3: did not find expected key'],
]

for (const [text, v3, v2 = v3] of CASES)
  test(`the words of Go's YAML libraries for ${JSON.stringify(text)}`, () => {
    for (const [rules, want] of [
      ['v3', v3],
      ['v2', v2],
    ] as const) {
      assert.throws(
        () => parseDocuments(text, 'f.yaml', undefined, rules, 'skipped'),
        (error) => {
          assert.ok(error instanceof SluiceError)
          assert.equal(goSyntaxError(error, text, rules), `yaml: ${want}`)
          return true
        },
      )
    }
  })

test('what is YAML has no fault', () => {
  for (const text of [
    '',
    '# c\n',
    '---\n',
    '--- a\n...\n',
    '%YAML 1.1\n---\na: &b [*b]\n',
    '? [a]\n: - b\n',
    'a: >-2\n   b\n',
  ])
    assert.equal(syntaxFaultOf(text, 'v3'), undefined, text)
})

test('lines behind the end of a document are skipped where Go does not read on, and refused where it looks ahead', () => {
  const read = (text: string): number => parseDocuments(text, 'f.yaml', undefined, 'v3', 'skipped').length
  assert.equal(read('{a: b}\nc: d\n'), 1)
  assert.equal(read('"a" b\n'), 1)
  assert.throws(() => read('{a: b}\n*\n'), /did not find expected alphabetic or numeric character/)
  assert.throws(() => parseDocuments('{a: b}\nc: d\n'), /did not find expected <document start>/)
})

test('the words are found in time that grows with the text', () => {
  for (const text of [
    '['.repeat(200_000),
    '- '.repeat(200_000),
    '{a: '.repeat(100_000),
    `a: ${'b '.repeat(500_000)}\n]`,
    '? '.repeat(100_000),
    `${'# c\n'.repeat(200_000)}]`,
    `a:\n${'- b\n'.repeat(200_000)}]`,
    `${'['.repeat(950)}${'a, '.repeat(500_000)}`,
  ])
    assert.ok(cpuSeconds(() => syntaxFaultOf(text, 'v3')) < 4, text.slice(0, 20))
})
