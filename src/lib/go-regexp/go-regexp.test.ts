import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compileRegexp } from './go-regexp.ts'

// Computed by Go's own package.
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
  ['\\Qa.b\\E+', 'a.bbb', ['a.bbb']],
  ['x\\{3}', 'x{3}', ['x{3}']],
  ['é+', 'caféé', ['éé']],
  ['(|a)+', 'aaa', ['', '']],
  ['a{,2}', 'a{,2}', ['a{,2}']],
  ['$', 'abc', ['']],
  ['\\pL+', '1äb', ['äb']],
  ['a{01}', 'a{01}', ['a{01}']],
  ['^a(?i)b*', 'aBB', ['aBB']],
  ['(?i)k+', 'kK\u212a', ['kK\u212a']],
  ['(?i)[^k]', '\u212a', undefined],
  ['(?i)s', '\u017f', ['\u017f']],
  ['(?i)\\W', '\u017f', undefined],
  ['(?i)σ+', 'Σςσ', ['Σςσ']],
  ['\\p{letter}+', '1äb', ['äb']],
  ['\\p{^Lu}+', 'Aab', ['ab']],
  ['\\p{Greek}', 'aω', ['ω']],
  ['[[:^digit:]]+', '12ab', ['ab']],
  ['[^\\pL]', 'é1', ['1']],
  ['(?U)a+', 'aaa', ['a']],
  ['a(?U:b+)c*', 'abbcc', ['ab']],
  ['(?)a', 'a', ['a']],
  ['\\Qa', 'a', ['a']],
  ['\\101\\x42\\x{43}', 'ABC', ['ABC']],
  ['[a-]+', '-a', ['-a']],
  ['[]a]+', 'a]', ['a]']],
  ['(?<n>a)|(?<n>b)', 'b', ['b', undefined, 'b']],
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

const faults: readonly [pattern: string, what: string][] = [
  ['(bad', 'missing closing ): `(bad`'],
  ['^main-(bad', 'missing closing ): `^main-(bad`'],
  ['*a', 'missing argument to repetition operator: `*`'],
  ['[=', 'missing closing ]: `[=`'],
  ['a**', 'invalid nested repetition operator: `**`'],
  ['(?=a)', 'invalid or unsupported Perl syntax: `(?=`'],
  ['a{1001}', 'invalid repeat count: `{1001}`'],
  ['a{99999999999}', 'invalid repeat count: `{99999999999}`'],
  ['(a{100}){11}', 'invalid repeat count: `{11}`'],
  ['a{2,1}', 'invalid repeat count: `{2,1}`'],
  ['a**?', 'invalid nested repetition operator: `**?`'],
  ['a+{2}', 'invalid nested repetition operator: `+{2}`'],
  ['{2}', 'missing argument to repetition operator: `{2}`'],
  ['(?i)*', 'missing argument to repetition operator: `*`'],
  ['|+', 'missing argument to repetition operator: `+`'],
  ['(', 'missing closing ): `(`'],
  ['(?', 'invalid or unsupported Perl syntax: `(?`'],
  ['(?i', 'invalid or unsupported Perl syntax: `(?i`'],
  ['(?iz)', 'invalid or unsupported Perl syntax: `(?iz`'],
  ['(?-)', 'invalid or unsupported Perl syntax: `(?-)`'],
  ['(?i-s-m)', 'invalid or unsupported Perl syntax: `(?i-s-`'],
  ['(?P<n', 'invalid named capture: `(?P<n`'],
  ['(?P<>a)', 'invalid named capture: `(?P<>`'],
  ['(?<m-x>a)', 'invalid named capture: `(?<m-x>`'],
  ['(?<=a)', 'invalid named capture: `(?<=a)`'],
  ['(?P=n)', 'invalid or unsupported Perl syntax: `(?P`'],
  ['(?P>n)', 'invalid or unsupported Perl syntax: `(?P`'],
  ['a)b', 'unexpected ): `a)b`'],
  ['[a', 'missing closing ]: `[a`'],
  ['[z-a]', 'invalid character class range: `z-a`'],
  ['[[:foo:]]', 'invalid character class range: `[:foo:]`'],
  ['[a-\\d]', 'invalid escape sequence: `\\d`'],
  ['[\\', 'trailing backslash at end of expression: ``'],
  ['\\p', 'invalid character class range: `\\p`'],
  ['\\p{Foo}', 'invalid character class range: `\\p{Foo}`'],
  ['\\p{', 'invalid character class range: `\\p{`'],
  ['\\pé', 'invalid character class range: `\\pé`'],
  ['\\p{Grek}', 'invalid character class range: `\\p{Grek}`'],
  ['\\x{110000}', 'invalid escape sequence: `\\x{110000`'],
  ['\\x{12g', 'invalid escape sequence: `\\x{12g`'],
  ['\\xz1', 'invalid escape sequence: `\\xz1`'],
  ['\\8', 'invalid escape sequence: `\\8`'],
  ['\\Z', 'invalid escape sequence: `\\Z`'],
  ['\\é', 'invalid escape sequence: `\\é`'],
  ['\\C', 'invalid escape sequence: `\\C`'],
  ['a\\', 'trailing backslash at end of expression: ``'],
]
for (const [pattern, what] of faults)
  test(`regexp refuses ${pattern}`, () =>
    assert.throws(() => compileRegexp(pattern), { message: `error parsing regexp: ${what}` }))

test('a regexp that would hang JavaScript answers at once', () => {
  assert.equal(compileRegexp('^(a+)+$').test(`${'a'.repeat(5000)}!`), false)
  assert.throws(() => compileRegexp(`(?:${'ab'.repeat(20)}){1000}`), { code: 'REGEXP_LIMIT' })
  assert.throws(() => compileRegexp('('.repeat(5000)), { code: 'REGEXP_SYNTAX' })
})

test('whether a pattern matches does not depend on its groups', () => {
  const many = compileRegexp(`^(?:${'(a)|'.repeat(1500)}b(x)?)$`)
  assert.equal(many.groups, 1501)
  assert.equal(many.test('bx'), true)
  assert.equal(many.test('c'), false)
  for (const [pattern, text] of finds) {
    const regexp = compileRegexp(pattern)
    assert.equal(regexp.test(text), regexp.find(text) !== undefined, pattern)
  }
})

test('a search ends with its budget', () => {
  const budget = { left: 1000 }
  const { find } = compileRegexp('a*b')
  assert.equal(find('aab', 0, budget)?.slots[1], 3)
  assert.throws(() => find('a'.repeat(1000), 0, budget), { code: 'REGEXP_LIMIT' })
})

const expansions: readonly [pattern: string, text: string, template: string, want: string][] = [
  ['^(?P<ver>\\d+)-(\\w+)', '12-ab', '$ver.${2}x-$$-$2x-$none', '12.abx-$--'],
  ['(?<n>a)|(?<n>b)', 'b', '$n', 'b'],
  ['(?P<n>a)(b)?', 'a', '$n|${n}x|$nx|$2|$01|$|${|$$', 'a|ax||||$|${|$'],
  ['(a)(?P<01>b)', 'ab', '$01 $1', 'b a'],
  ['^v?(?P<v>[0-9.]+)(?:-(rc)\\.\\d+)?$', 'v1.2.3-rc.1', '${v}_$2', '1.2.3_rc'],
]
for (const [pattern, text, template, want] of expansions)
  test(`expand puts groups of ${pattern} into ${template} as Go does`, () => {
    const regexp = compileRegexp(pattern)
    assert.equal(regexp.expand(template, regexp.find(text)!), want)
  })
