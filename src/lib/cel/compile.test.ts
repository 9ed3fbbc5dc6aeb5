import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { compileCel } from './compile.ts'

test('CEL faults are told in the words of cel-go', () => {
  const cases: [text: string, variables: string[] | undefined, want: RegExp][] = [
    ['not (cel', undefined, /: ERROR: <input>:1:9: Syntax error: missing '\)' at '<EOF>'\n \| not \(cel\n \| \.{8}\^$/],
    ['this is (not cel', undefined, /<input>:1:6: Syntax error: mismatched input 'is' expecting <EOF>\n/],
    ['foo.', undefined, /<input>:1:5: Syntax error: no viable alternative at input '\.'/],
    ['spec.(', undefined, /<input>:1:6: Syntax error: no viable alternative at input '\.\('/],
    [
      'nope(',
      undefined,
      /<input>:1:6: Syntax error: mismatched input '<EOF>' expecting \{'\[', '\{', '\(', '\)', '\.', /,
    ],
    ['a in (', undefined, /expecting \{'\[', '\{', '\(', '\.', /],
    ['a ==', undefined, /<input>:1:5: Syntax error: mismatched input '<EOF>' expecting \{'\[', /],
    ['foo', ['res'], /<input>:1:1: undeclared reference to 'foo'/],
    // a function of an unknown receiver is told of where nobody has such a one
    ['foo.check("a")', ['res'], /undeclared reference to 'foo' \(in container ''\)\n \| foo\.check\("a"\)\n \| \^$/],
    ['foo.none("a")', ['res'], /undeclared reference to 'none'/],
    ['has(res)', ['res'], /<input>:1:5: invalid argument to has\(\) macro/],
    [
      "foo == 'bar'",
      ['foo'],
      /:1:5: found no matching overload for '_==_' applied to '\(map\(string, dyn\), string\)'/,
    ],
  ]
  for (const [text, variables, want] of cases)
    assert.throws(() => compileCel(text, variables ? { variables } : {}), { code: 'CEL_INVALID', message: want })
})

test('of two sides that fail, the left one is told', () => {
  const cases: [text: string, want: string][] = [
    ['has(a.b) && c.d == 1', 'no such attribute(s): a.b'],
    ['c.d == 1 && has(a.b)', 'no such attribute(s): c.d'],
    ['x.y || z.w', 'no such attribute(s): x.y'],
    ['(x.y || a.b) && c.d', 'no such attribute(s): x.y'],
    ['true && (x.y || a.b)', 'no such attribute(s): x.y'],
  ]
  for (const [text, want] of cases)
    assert.throws(() => compileCel(text).evaluate({}), {
      message: `failed to evaluate the CEL expression '${text}': ${want}`,
    })
})

const file = join(process.env['SLUICE_CONFORMANCE'] ?? '../shared/conformance', 'flux/runtime-misc.json')
const skip = existsSync(file) ? false : `no recordings at ${file}`

test("CEL answers as in Flux's own tables", { skip }, () => {
  const tables = JSON.parse(readFileSync(file, 'utf8')) as Record<string, Case[]>
  const ways = {
    'expression/TestExpression_EvaluateBoolean': 'evaluateBoolean',
    'expression/TestExpression_EvaluateString': 'evaluateString',
    'expression/TestExpression_Evaluate': 'evaluate',
  } as const
  for (const [table, way] of Object.entries(ways))
    for (const { name, expr, opts, data, err, result } of tables[table] ?? []) {
      const variables = opts ? [...JSON.stringify(opts).matchAll(/\\"(\w+)\\"/g)].map(([, it = '']) => it) : undefined
      const run = () => compileCel(expr, variables ? { variables } : {})[way](Array.isArray(data) ? {} : data)
      if (err !== undefined) assert.throws(run, ({ message }: Error) => message === err, `${name}: ${err}`)
      else assert.deepEqual(run(), goPlain(result), name)
    }
})

/** `types.String("a")` of a Go table, in lists too. */
function goPlain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(goPlain)
  const code = (value as { $go?: string } | null)?.$go
  return code === undefined ? value : (/"(.*)"/.exec(code)?.[1] ?? Number(/\((.*)\)/.exec(code)?.[1]))
}

type Case = {
  name: string
  expr: string
  opts?: unknown
  data: Record<string, unknown>
  err?: string
  result?: unknown
}

/** Asked of Flux's own library (fluxcd/pkg/runtime/cel v0.110): what it adds to CEL for texts, sets and base64. */
const ofFlux: readonly (readonly [text: string, want: string])[] = [
  ["'abc'.charAt(1)", 'b'],
  ["'a/b/c'.replace('/', '-')", 'a-b-c'],
  ["'a/b/c'.replace('/', '-', 1)", 'a-b/c'],
  ["'%s-%d'.format([event.reason, size(event.message)])", 'Done-2'],
  ["'abc'.reverse()", 'cba'],
  ["strings.quote('a\"b')", '"a\\"b"'],
  ["string(sets.contains(['a', 'b'], ['b']))", 'true'],
  ["string(sets.intersects(event.list, ['z']))", 'false'],
  ['string(sets.equivalent([1, 2], [2, 1, 1]))', 'true'],
  ["'%e %.2e %e'.format([1.5, 12345.678, -1])", '1.500000e+00 1.23e+04 -1.000000e+00'],
  ["base64.encode(bytes('hi'))", 'aGk='],
  ["string(base64.decode('aGk'))", 'hi'],
]
for (const [text, want] of ofFlux)
  test(`Flux knows ${text}`, () => {
    const cel = compileCel(text, { variables: ['event'], output: 'string' })
    assert.equal(cel.evaluateString({ event: { reason: 'Done', message: 'ok', list: ['a'] } }), want)
  })

test('what only Kubernetes adds is unknown to Flux', () => {
  for (const text of ["'a'.find('a') == 'a'", "['a'].flatten() == ['a']", "isSemver('1.0.0')"])
    assert.throws(() => compileCel(text, { variables: [], output: 'bool' }), /found no matching overload|undeclared/)
})

const otherTypes: readonly (readonly [text: string, type: string])[] = [
  ["['a']", 'list(string)'],
  ["{'a': ['b']}", 'map(string, list(string))'],
  ['[]', 'list(dyn)'],
  ['{}', 'map(dyn, dyn)'],
  ['optional.of(1)', 'optional_type(int)'],
  ['null', 'null_type'],
  ['event', 'map(string, dyn)'],
]
for (const [text, type] of otherTypes)
  test(`${text} is no text but ${type}`, () =>
    assert.throws(() => compileCel(text, { variables: ['event'], output: 'string' }), {
      message: `CEL expression output type mismatch: expected string, got ${type}`,
    }))
