import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SluiceError } from '../error/sluice-error.ts'
import { checkCel, type CelScope } from './compile.ts'

const SCOPE: CelScope = {
  variables: { self: 'object' },
  structs: { object: { b: 'bool', i: 'int', s: 'string', l: 'list<string>' } },
  shape: { most: 0 },
}

/** Column and words of kube-apiserver 1.37. */
const cases: readonly (readonly [text: string, column: number, why: string])[] = [
  ['self.b && self.i', 15, "expected type 'bool' but found 'int'"],
  ['self.b ? self.i : self.s', 8, "found no matching overload for '_?_:_' applied to '(bool, int, string)'"],
  ['self.l["a"] == "x"', 7, "found no matching overload for '_[_]' applied to '(list(string), string)'"],
  ['[1,"a"].size() == 2', 4, "expected type 'int' but found 'string'"],
  ['{"a":1,"b":"x"}.size() == 1', 12, "expected type 'int' but found 'string'"],
  ['duration("1x") == duration("1s")', 10, 'invalid duration argument'],
  ['"x".matches("(")', 13, 'invalid matches argument'],
  ['timestamp("x") > timestamp("2020-01-01T00:00:00Z")', 11, 'invalid timestamp argument'],
]
for (const [text, column, why] of cases)
  test(`of ${text} is told what cel-go tells`, () => {
    assert.throws(
      () => checkCel(text, SCOPE),
      (error) => error instanceof SluiceError && error.message.includes(`ERROR: <input>:1:${column}: ${why}\n`),
    )
  })

for (const text of ['duration("1h30m") > duration("0")', '[self.i, 1].size() > 0', '"x".matches("^[a-z]+$")'])
  test(`${text} is fine`, () => {
    assert.equal(checkCel(text, SCOPE).type, 'bool')
  })
