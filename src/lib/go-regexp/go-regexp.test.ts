import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compileRegexp } from './go-regexp.ts'

const finds: readonly [pattern: string, text: string, groups: readonly (string | undefined)[] | undefined][] = [
  ['^v(\\d+)', 'v12x', ['v12', '12']],
  ['a|ab', 'ab', ['a']],
  ['(a*)(b?)', 'aab', ['aab', 'aa', 'b']],
  ['a{2,3}', 'aaaa', ['aaa']],
  ['a{2,3}?', 'aaaa', ['aa']],
  ['(?i)MAIN-(?P<n>[0-9]+)$', 'main-7', ['main-7', '7']],
  ['(?:x)(y)?', 'xz', ['x', undefined]],
  ['[^-debug]', '-bx', ['x']],
  ['[[:alpha:]]+', '12ab', ['ab']],
  ['\\bfoo\\b', 'a foo.', ['foo']],
  ['(?m)^b$', 'a\nb\nc', ['b']],
  ['a.c', 'a\nc', undefined],
  ['(?s)a.c', 'a\nc', ['a\nc']],
  ['\\Qa.b\\E+', 'a.bbb', ['a.b']],
  ['x\\{3}', 'x{3}', ['x{3}']],
  ['é+', 'caféé', ['éé']],
  ['(|a)+', 'aaa', ['', '']],
  ['a{,2}', 'a{,2}', ['a{,2}']],
  ['$', 'abc', ['']],
  ['\\pL+', '1äb', ['äb']],
]
for (const [pattern, text, want] of finds)
  test(`regexp ${pattern} on ${JSON.stringify(text)}`, () => {
    const match = compileRegexp(pattern).find(text)
    const groups = match && Array.from({ length: match.slots.length / 2 }, (_, i) => groupOf(match.slots, text, i))
    assert.deepEqual(groups, want)
  })

function groupOf(slots: readonly number[], text: string, index: number): string | undefined {
  const start = slots[index * 2]!
  return start < 0 ? undefined : text.slice(start, slots[index * 2 + 1])
}

const faults: readonly [pattern: string, message: string][] = [
  ['(bad', 'error parsing regexp: missing closing ): `(bad`'],
  ['^main-(bad', 'error parsing regexp: missing closing ): `^main-(bad`'],
  ['a)', 'error parsing regexp: unexpected ): `a)`'],
  ['*a', 'error parsing regexp: missing argument to repetition operator: `*`'],
  ['[=', 'error parsing regexp: missing closing ]: `[=`'],
  ['a**', 'error parsing regexp: invalid nested repetition operator: `**`'],
  ['(?=a)', 'error parsing regexp: invalid or unsupported Perl syntax: `(?=`'],
  ['a{1001}', 'error parsing regexp: invalid repeat count: `{1001}`'],
  ['\\8', 'error parsing regexp: invalid escape sequence: `\\8`'],
]
for (const [pattern, message] of faults)
  test(`regexp refuses ${pattern}`, () => assert.throws(() => compileRegexp(pattern), { message }))

test('a regexp that would hang JavaScript answers at once', () => {
  assert.equal(compileRegexp('^(a+)+$').test(`${'a'.repeat(5000)}!`), false)
  assert.throws(() => compileRegexp('(((a{900}){900}){900})'), { code: 'REGEXP_LIMIT' })
  assert.throws(() => compileRegexp('('.repeat(5000)), { code: 'REGEXP_SYNTAX' })
})

test('expand puts groups into a template as Go does', () => {
  const regexp = compileRegexp('^(?P<ver>\\d+)-(\\w+)')
  const match = regexp.find('12-ab')!
  assert.equal(regexp.expand('$ver.${2}x-$$-$2x-$none', match), '12.abx-$--')
})
