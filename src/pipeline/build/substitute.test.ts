import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cpuSeconds } from '../../../tests/support/cpu-time.ts'
import { substituteObjects } from './substitute-objects.ts'
import { substitute } from './substitute.ts'

// What `flux envsubst` 2.9.4 answers; `undefined`: it refuses.
const values = new Map([
  ...[
    ['a', 'Hello/World'] as const,
    ['b', ''] as const,
    ['c', '123456789'] as const,
    ['d', 'foo.bar.foo.baz'] as const,
  ],
  ...[['e', 'éàü ß'] as const, ['f', '$x ${y}'] as const, ['g', 'a*b?c'] as const, ['n', '-3'] as const],
  ...[['t', 'İX'] as const],
])
const rows: [text: string, want: string | undefined][] = [
  ['$a ${a}$', '$a Hello/World$'],
  ['$${a} $$a $$$a', '${a} $a $$a'],
  ['${f}', '$x ${y}'],
  ['${#e} ${e^^} ${e^}', '9 ÉÀÜ ß Éàü ß'],
  ['${t,,} ${t,} ${t^^}', 'ix iX İX'],
  ['${c:3}|${c:2:3}|${c:100}|${c:0:100}', '456789|345||123456789'],
  ['${c:${n}}|${c:${n}:2}', '789|78'],
  ['${c: 2}', '123456789'],
  ['${c:x}', '123456789'],
  ['${a:}', undefined],
  ['${a:1:}', undefined],
  ['${a::0}', undefined],
  ['${c:1::2}', '23'],
  ['${a-def}', undefined],
  ['${a=def}${b=def}${none:=x}', 'Hello/Worlddefx'],
  ['${b:-$$x}', '$$x'],
  ['${b:-x ${c} y}', 'x 123456789 y'],
  ['${b:-}${a:-}', 'Hello/World'],
  ['${b:+alt}${b:?alt}', 'altalt'],
  ['${a:+alt}${a:?alt}', 'Hello/WorldHello/World'],
  ['${d/foo/X}|${d//foo/X}|${d/#foo/X}|${d/%baz/X}', 'X.bar.foo.baz|X.bar.X.baz|X.bar.foo.baz|foo.bar.foo.X'],
  ['${d/foo/}|${d//foo/}|${d/#foo/}', '.bar.foo.baz|.bar..baz|foo.bar.foo.baz'],
  ['${d/foo}', undefined],
  ['${d////}', undefined],
  ['${b}${d/}/x}', 'foo.bar.foo.baz'],
  ['${a/\\//-}', 'Hello-World'],
  ['${a//\\//$$}', 'Hello$World'],
  ['${c//${b}/-}', '-1-2-3-4-5-6-7-8-9-'],
  ['${d#*.}|${d##*.}|${d%.*}|${d%%.*}', 'bar.foo.baz|baz|foo.bar.foo|foo'],
  ['${a#*}|${a##*}|${a#}', undefined],
  ['${a#*}|${a##*}', 'ello/World|'],
  ['${a#[A-Z]*l}|${a#[^A-Z]}|${a#?}', 'lo/World|Hello/World|ello/World'],
  ['${a#[}', 'Hello/World'],
  ['${a#\\H}', 'ello/World'],
  ['${g#a\\*}|${g#a*}', 'b?c|*b?c'],
  ['${ a }', undefined],
  ['${}', undefined],
  ['${a', undefined],
  ['${#}', undefined],
  ['}{ a } {a}', '}{ a } {a}'],
]
for (const [text, want] of rows)
  test(`substitute ${text} as flux does`, () => {
    const run = () => substitute(text, values, { isStrict: false, traps: 'flux' })
    if (want === undefined) assert.throws(run, { code: 'KUSTOMIZE_BUILD' })
    else assert.equal(run(), want)
  })

test('strict: an unset variable is an error, also in a default that is not used', () => {
  const strict = (text: string) => substitute(text, values, { isStrict: true })
  assert.throws(() => strict('${none}'), /variable not set \(strict mode\): "none"/)
  assert.throws(() => strict('${a:-${none}}'), /variable not set/)
  assert.equal(strict('${none:-x}${b}'), 'x')
})

test('safe: what a shell reads in another way is refused, and what to write is said', () => {
  for (const form of ['${a:+x}', '${a:?x}', '${b:-${a:?x}}'])
    assert.throws(() => substitute(form, values, { isStrict: false }), /means \$\{a:-…\} in Flux/)
})

test('hostile texts and values end soon', () => {
  assert.throws(() => substitute('${b:-'.repeat(5_000), values, { isStrict: false }), /nested too deep|within function/)
  const long = new Map([['v', 'a'.repeat(1_000_000)]])
  assert.throws(() => substitute('${v##*b*c}', long, { isStrict: false }), /too long/)
  const many = new Map([['v', 'a'.repeat(9_000)]])
  assert.throws(
    () => substitute(`\${v##${'*a'.repeat(4_500)}}`, many, { isStrict: false }),
    /too long for a value of 9000/,
  )
  assert.equal(substitute('${v#a}', long, { isStrict: false }).length, 999_999)
  const value = new Map([['v', 'a'.repeat(2_000)]])
  assert.equal(substitute('${v##*a*b*}', value, { isStrict: false }).length, 2_000)
  const seconds = cpuSeconds(() => {
    assert.equal(substitute(`\${v##${'*a'.repeat(20)}*b}`, value, { isStrict: false }).length, 2_000)
  })
  assert.ok(seconds < 2, `${seconds} s; five stars and 200 characters took eight`)
})

const words: { text: string; why: string }[] = [
  { text: '${a', why: 'missing closing brace' },
  { text: '${a-x}', why: 'missing closing brace' },
  { text: '${}', why: 'unable to parse variable name' },
  { text: '${a:=x', why: 'unable to parse substitution within function' },
  { text: '${a#}', why: 'unable to parse substitution within function' },
  { text: '${a/b}', why: 'bad substitution' },
  { text: '${none} ${a', why: 'missing closing brace' },
]
for (const { text, why } of words)
  test(`substitute refuses ${text}: ${why}`, () =>
    assert.throws(() => substitute(text, values, { isStrict: true }), {
      message: `variable substitution failed: ${why}`,
    }))

test('a value that breaks the YAML is told with its line, as Go counts', () => {
  const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data: { v: '${x}' } }
  assert.throws(() => substituteObjects([object], { variables: { x: 'a: b' } }), {
    message:
      "post build failed for 'ConfigMap.v1.[noGrp]/a': envsubst error: YAMLToJSON: yaml: line 3: mapping values are not allowed in this context",
  })
})
