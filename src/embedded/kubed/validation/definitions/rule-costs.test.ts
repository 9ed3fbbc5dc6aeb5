import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../../../lib/kube/json.ts'
import type { FieldError } from '../../fault.ts'
import { compileRule } from './rule-compile.ts'
import { ruleScopeOf } from './rule-types.ts'
import { validateSchema } from './schema-checks.ts'

const list = (items: JsonObject) => (max: JsonObject) => ({ type: 'array', items, ...maxOf('maxItems', max) })
const map = (values: JsonObject) => (max: JsonObject) => ({
  type: 'object',
  additionalProperties: values,
  ...maxOf('maxProperties', max),
})
const text = (max: JsonObject) => ({ type: 'string', ...maxOf('maxLength', max) })
const bytes = (max: JsonObject) => ({ ...text(max), format: 'byte' })
const maxOf = (name: string, { max }: JsonObject): JsonObject => (max === undefined ? {} : { [name]: max })
const [NUMBER, STRING, BOOLEAN] = [{ type: 'number' }, { type: 'string' }, { type: 'boolean' }]
const EITHER = { 'x-kubernetes-int-or-string': true }
const RECORD = { type: 'object', required: ['required'], properties: { required: STRING, optional: STRING } }

/** Costs as kube-apiserver 1.37 estimates them: without bounds, and with `max` as the bound of list, map or text. */
const costs: readonly [of: (max: JsonObject) => JsonObject, rule: string, free: number, max: number, bound: number][] =
  [
    [list(NUMBER), 'self.all(x, true)', 4718591, 10, 32],
    [list(STRING), 'self.all(x, true)', 3145727, 20, 62],
    [list(BOOLEAN), 'self.all(x, true)', 1887437, 5, 17],
    [list({ type: 'array', items: NUMBER }), 'self.all(x, true)', 3145727, 100, 302],
    [list(RECORD), 'self.all(x, true)', 555128, 50, 152],
    [map(NUMBER), 'self.all(x, true)', 1348169, 10, 32],
    [map(STRING), 'has(self.x)', 1, 550, 1],
    [map(BOOLEAN), 'self.all(x, true)', 943718, 100, 302],
    [text, "self.contains('test')", 314574, 10, 5],
    [text, "self.startsWith('test')", 2, 15, 2],
    [text, 'size(self + "hello") > size("hello")', 314578, 4, 7],
    [list(NUMBER), 'self[1] == 0.0', 2, 5000, 2],
    [list(STRING), 'self[1] == self[1]', 314577, 8, 314577],
    [text, 'self.matches("x")', 314574, 50, 22],
    [text, '"".matches("(((((((((())))))))))[0-9]")', 7, 10, 7],
    [text, 'self.matches("")', 1, 100, 1],
    [map(NUMBER), 'self["x"] == 0.0', 2, 0, 2],
    [text, 'self == "x"', 2, 0, 1],
    [bytes, 'self == b"x"', 2, 0, 1],
    [list(NUMBER), 'self.all(x, x == 0.0)', 6291454, 3 * 1024 * 2048, 25165826],
    [list(NUMBER), 'self.all(x, self.all(y, true))', 7421701914624, 10, 352],
    [list(EITHER), 'self.all(x, true)', 4718591, 10, 32],
    [list(BOOLEAN), 'self[0] == false', 2, 25, 2],
    [list({ type: 'array', items: NUMBER }), 'self[0][0] == -1.0', 3, 51, 3],
  ]
for (const [of, rule, free, max, bound] of costs)
  for (const [what, given, want] of [
    ['without bounds', {}, free],
    [`of at most ${max}`, { max }, bound],
  ] as const)
    test(`the cost of ${rule} over ${JSON.stringify(of({}))} ${what}`, () => {
      const schema = of(given)
      const scope = ruleScopeOf(schema, false)
      assert.ok(scope)
      assert.deepEqual(compileRule(rule, scope.scope(true)), { cost: want })
    })

const AT = 'spec.validation.openAPIV3Schema'
const ADVICE =
  '(try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)'

test('a rule that costs too much is refused by itself and for the whole definition', () => {
  const rules = [{ rule: 'self.all(x, self.all(y, x == y))' }]
  const properties = { a: { type: 'array', items: STRING, 'x-kubernetes-validations': rules } }
  const errors: FieldError[] = []
  validateSchema({ type: 'object', properties }, AT, false, errors)
  assert.deepEqual(
    errors.map(({ field, message }) => `${field}: ${message}`),
    [
      `${AT}.properties[a].x-kubernetes-validations[0].rule: Forbidden: estimated rule cost exceeds budget by factor of more than 100x ${ADVICE}`,
      `${AT}.properties[a].x-kubernetes-validations[0].rule: Forbidden: contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema`,
      `${AT}: Forbidden: x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema exceeds budget by factor of more than 100x ${ADVICE}`,
    ],
  )
})
