import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compileCel } from './compile.ts'

/** Values as the JSON of an object has them. */
const self = { size: '1Gi', bad: 'abc', list: [1n, 2n, 3n], words: ['b', 'a'], none: [] }

const answers: [text: string, want: unknown][] = [
  ['isQuantity(self.size)', true],
  ['isQuantity(self.bad)', false],
  ["isQuantity('1.5Ki')", true],
  ['quantity(self.size).isGreaterThan(quantity("900M"))', true],
  ['quantity("1Gi").isLessThan(quantity("1G"))', false],
  ['quantity("1k").compareTo(quantity("1000"))', 0],
  ['quantity("-1").sign()', -1],
  ['quantity("1").add(quantity("500m")).compareTo(quantity("1.5"))', 0],
  ['quantity("3").sub(1).asInteger()', 2],
  ['quantity("1.5").isInteger()', false],
  ['quantity("1500m").asApproximateFloat()', 1.5],
  ['self.list.isSorted()', true],
  ['self.words.isSorted()', false],
  ['self.list.max() == 3', true],
  ['self.words.min()', 'a'],
  ['self.words.indexOf("a")', 1],
  ['self.words.lastIndexOf("z")', -1],
  ['"abc 123".find("[0-9]+")', '123'],
  ['"abc".find("[0-9]+")', ''],
]

for (const [text, want] of answers)
  test(`Kubernetes answers ${text}`, () =>
    assert.equal(compileCel(text, { library: 'kubernetes' }).evaluate({ self }), want))

test('what cannot be worked out is told', () => {
  const fails =
    (text: string): (() => unknown) =>
    () =>
      compileCel(text, { library: 'kubernetes' }).evaluate({ self })
  assert.throws(fails('quantity(self.bad).sign() == 0'), /quantities must match the regular expression|unable to parse/)
  assert.throws(fails('quantity("1.5").asInteger() == 1'), /cannot convert value to integer/)
  assert.throws(fails('self.none.min() == 1'), /min called on empty list/)
})

test('Flux has none of them', () => assert.throws(() => compileCel('isQuantity("1")').evaluate({})))
