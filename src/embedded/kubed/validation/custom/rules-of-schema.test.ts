import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Schema, typeOf } from '../../../../lib/kube-schema/schema.ts'
import type { JsonObject } from '../../../../lib/kube/json.ts'
import type { FieldError } from '../../fault.ts'
import { checkRules } from './rules-of-schema.ts'

const TEXT = { type: 'string' }
const PROPERTIES = {
  at: { ...TEXT, format: 'date-time' },
  lasts: { ...TEXT, format: 'duration' },
  bytes: { ...TEXT, format: 'byte' },
  none: { ...TEXT, nullable: true },
  text: TEXT,
}

/** What kube-apiserver 1.37 answers to a value that a rule is asked of; undefined where it is fine. */
const cases: { it: string; rule: string; value: JsonObject; want?: string }[] = [
  {
    it: 'compares moments',
    rule: 'self.at > timestamp("2020-01-01T00:00:00Z")',
    value: { at: '2021-01-01T00:00:00Z' },
  },
  { it: 'compares lengths of time', rule: 'self.lasts < duration("1h")', value: { lasts: '30m' } },
  { it: 'compares bytes', rule: 'self.bytes == b"abc"', value: { bytes: 'YWJj' } },
  {
    it: 'finds nothing where a field is null',
    rule: 'self.none == "x"',
    value: { none: null },
    want: 'Invalid value: "object": no such key: none evaluating rule: self.none == "x"',
  },
  { it: 'takes null for not there', rule: '!has(self.none)', value: { none: null } },
  {
    it: 'tells of what no function takes',
    rule: 'cidr("10.0.0.0/8").containsIP(self.text)',
    value: { text: 'abc' },
    want: `Invalid value: "object": 'no such overload': call arguments did not match a supported operator, function or macro signature for rule: cidr("10.0.0.0/8").containsIP(self.text)`,
  },
  {
    it: 'tells of what is no number',
    rule: 'int(self.text) > 1',
    value: { text: 'abc' },
    want: `Invalid value: "object": type conversion error from 'string' to 'int' evaluating rule: int(self.text) > 1`,
  },
  {
    it: 'tells of what is no URL',
    rule: 'url(self.text).getHost() == ""',
    value: { text: 'abc' },
    want: 'Invalid value: "object": URL parse error during conversion from string: parse "abc": invalid URI for request evaluating rule: url(self.text).getHost() == ""',
  },
]
for (const { it, rule, value, want } of cases)
  test(`a rule of a custom resource ${it}`, () => {
    const schema = { type: 'object', properties: PROPERTIES, 'x-kubernetes-validations': [{ rule }] }
    const errors: FieldError[] = []
    checkRules(typeOf(schema as Schema), value, undefined, { errors, warn: () => undefined })
    assert.deepEqual(
      errors.map(({ message }) => message),
      want === undefined ? [] : [want],
    )
  })
