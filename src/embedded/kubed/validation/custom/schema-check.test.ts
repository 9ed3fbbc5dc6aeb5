import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Schema, typeOf } from '../../../../lib/kube-schema/schema.ts'
import type { JsonObject } from '../../../../lib/kube/json.ts'
import { defaultCustom } from '../../defaulting/structural.ts'
import { decodeCustom } from '../../decoding/custom.ts'
import { validateCustom } from './custom.ts'

/** What the libraries of apiextensions-apiserver 0.37.2 say of the same schema and value. */
const cases: { it: string; schema: object; spec: unknown; before?: unknown; want: string[] }[] = [
  {
    it: 'a text of the wrong length, told once',
    schema: { type: 'string', maxLength: 1, pattern: '^a' },
    spec: 'bcd',
    want: ['spec: Too long: may not be more than 1 byte'],
  },
  {
    it: 'one item too many',
    schema: { type: 'array', maxItems: 1, items: { type: 'integer' } },
    spec: [1, 2],
    want: ['spec: Too many: 2: must have at most 1 item'],
  },
  {
    it: 'a fraction where a whole number stands',
    schema: { type: 'integer', minimum: 2 },
    spec: 1.5,
    want: [
      'spec: Invalid value: "number": spec in body must be of type integer: "number"',
      '<nil>: Invalid value: "": Checked value must be of type integer (default format) in spec',
      'spec: Invalid value: 1.5: spec in body should be greater than or equal to 2',
    ],
  },
  {
    it: 'a whole number beyond 32 bits',
    schema: { type: 'integer', format: 'int32' },
    spec: 2147483648,
    want: ['<nil>: Invalid value: "": Checked value must be of type integer with format int32 in spec'],
  },
  {
    it: 'a bound that is no whole number',
    schema: { type: 'integer', maximum: 1.5 },
    spec: 2,
    want: [
      '<nil>: Invalid value: "": Maximum boundary value must be of type integer (default format) in spec',
      'spec: Invalid value: 2: spec in body should be less than or equal to 1.5',
    ],
  },
  {
    it: 'a factor below one',
    schema: { type: 'number', multipleOf: 0.5 },
    spec: 3,
    want: ['spec: Invalid value: 0: factor MultipleOf declared for spec must be positive: 0'],
  },
  {
    it: 'a float and a large bound',
    schema: { type: 'number', maximum: 1000000 },
    spec: 1e21,
    want: ['spec: Invalid value: 1e+21: spec in body should be less than or equal to 1e+06'],
  },
  {
    it: 'null in a field that may be null and is listed',
    schema: { type: 'object', properties: { a: { type: 'string', nullable: true, enum: ['x'] } } },
    spec: { a: null },
    want: ['spec.a: Unsupported value: null: supported values: "x"'],
  },
  {
    it: 'null in a list',
    schema: { type: 'array', items: { type: 'string' } },
    spec: ['a', null],
    want: ['spec[1]: Invalid value: "null": spec[1] in body must be of type string: "null"'],
  },
  {
    it: 'numbers that are listed',
    schema: { type: 'integer', enum: [1, 2] },
    spec: 3,
    want: ['spec: Unsupported value: 3: supported values: "1", "2"'],
  },
  {
    it: 'fields that are missing after those that are wrong',
    schema: { type: 'object', required: ['b'], properties: { a: { type: 'integer' }, b: { type: 'integer' } } },
    spec: { a: 'x' },
    want: [
      'spec.a: Invalid value: "string": spec.a in body must be of type integer: "string"',
      'spec.b: Required value',
    ],
  },
  { it: 'a list where a text of a format stands', schema: { type: 'string', format: 'date' }, spec: [1], want: [] },
  {
    it: 'a number where a text of a format stands',
    schema: { type: 'string', format: 'date' },
    spec: 1,
    want: ['spec: Invalid value: "int64": spec in body must be of type date: "int64"'],
  },
  {
    it: 'a day that there is not',
    schema: { type: 'string', format: 'date' },
    spec: '2023-02-29',
    want: ['spec: Invalid value: "2023-02-29": spec in body must be of type date: "2023-02-29"'],
  },
  {
    it: 'an hour that there is not',
    schema: { type: 'string', format: 'date-time' },
    spec: '2023-02-28T24:00:00Z',
    want: [
      'spec: Invalid value: "2023-02-28T24:00:00Z": spec in body must be of type date-time: "2023-02-28T24:00:00Z"',
    ],
  },
  {
    it: 'a name that is too long for its format',
    schema: { type: 'string', format: 'k8s-short-name' },
    spec: 'a.b',
    want: ['spec: Invalid value: "a.b": spec in body must be of type k8s-short-name: "a.b"'],
  },
  { it: 'an address with leading zeros', schema: { type: 'string', format: 'ipv4' }, spec: '010.0.0.1', want: [] },
  {
    it: 'a mail address without a place',
    schema: { type: 'string', format: 'email' },
    spec: 'a@',
    want: ['spec: Invalid value: "a@": spec in body must be of type email: "a@"'],
  },
  { it: 'a mail address with a name', schema: { type: 'string', format: 'email' }, spec: 'A <a@b.c>', want: [] },
  {
    it: 'a number in a length of time that 64 bits do not hold',
    schema: { type: 'string', format: 'duration' },
    spec: '3 days 9223372036854775808 x',
    want: [
      'spec: Invalid value: "3 days 9223372036854775808 x": spec in body must be of type duration: "3 days 9223372036854775808 x"',
    ],
  },
  { it: 'a length of time in words', schema: { type: 'string', format: 'duration' }, spec: '3 days', want: [] },
  { it: 'a format that nobody knows', schema: { type: 'string', format: 'colour' }, spec: 'x', want: [] },
  {
    it: 'the alternative that fits best',
    schema: {
      type: 'object',
      properties: { a: { type: 'integer' }, b: { type: 'integer' } },
      anyOf: [{ required: ['z'] }, { properties: { a: { minimum: 5 }, b: { minimum: 5 } } }],
    },
    spec: { a: 1, b: 9 },
    want: [
      '<nil>: Invalid value: "": "spec" must validate at least one schema (anyOf)',
      'spec.a: Invalid value: 1: spec.a in body should be greater than or equal to 5',
    ],
  },
  {
    it: 'two alternatives of which one may fit',
    schema: { type: 'integer', oneOf: [{ minimum: 1 }, { minimum: 2 }] },
    spec: 3,
    want: [
      '<nil>: Invalid value: "": "spec" must validate one and only one schema (oneOf). Found 2 valid alternatives',
    ],
  },
  {
    it: 'a part of all that do not fit',
    schema: { type: 'integer', allOf: [{ minimum: 9 }, { maximum: 9 }] },
    spec: 3,
    want: [
      'spec: Invalid value: 3: spec in body should be greater than or equal to 9',
      '<nil>: Invalid value: "": "spec" must validate all the schemas (allOf)',
    ],
  },
  {
    it: 'an item that stands three times, once',
    schema: { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'integer' } },
    spec: [1, 1, 1],
    want: ['spec[1]: Duplicate value: 1'],
  },
  {
    it: 'items of a map without their key',
    schema: {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['a'],
      items: { type: 'object', properties: { a: { type: 'integer', default: 1 } } },
    },
    spec: [{ a: 1 }, {}],
    want: ['spec[1]: Duplicate value: {"a":1}'],
  },
  {
    it: 'what was wrong before and is as it was',
    schema: { type: 'object', properties: { a: { type: 'string', maxLength: 1 }, b: { type: 'integer' } } },
    spec: { a: 'long', b: 2 },
    before: { a: 'long', b: 1 },
    want: [],
  },
  {
    it: 'what was wrong before and is so otherwise',
    schema: { type: 'object', properties: { a: { type: 'string', maxLength: 1 } } },
    spec: { a: 'longer' },
    before: { a: 'long' },
    want: ['spec.a: Too long: may not be more than 1 byte'],
  },
  {
    it: 'an item of a list that nobody can tell from others',
    schema: { type: 'array', items: { type: 'string', maxLength: 1 } },
    spec: ['long', 'x'],
    before: ['long'],
    want: ['spec[0]: Too long: may not be more than 1 byte'],
  },
  {
    it: 'an item that is known by its key',
    schema: {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['k'],
      items: {
        type: 'object',
        required: ['k'],
        properties: { k: { type: 'integer' }, v: { type: 'string', maxLength: 1 } },
      },
    },
    spec: [
      { k: 2, v: 'b' },
      { k: 1, v: 'long' },
    ],
    before: [{ k: 1, v: 'long' }],
    want: [],
  },
  {
    it: 'what was there twice before',
    schema: { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'integer' } },
    spec: [1, 1, 2, 2],
    before: [1, 1],
    want: [],
  },
]
for (const { it, schema, spec, before, want } of cases)
  test(`kubed tells of ${it} as the original does`, () => {
    const type = typeOf({ type: 'object', properties: { spec: schema } } as Schema)
    const read = (value: unknown): JsonObject => {
      const object = { apiVersion: 'x/v1', kind: 'X', spec: structuredClone(value) } as JsonObject
      decodeCustom(type, object, [])
      defaultCustom(type, object)
      return object
    }
    const old = before === undefined ? undefined : read(before)
    const errors = validateCustom({ type, written: type }, read(spec), old, {
      isStatus: false,
      scale: undefined,
      warn: () => undefined,
    })
    assert.deepEqual(
      errors.map(({ field, message }) => `${field}: ${message}`),
      want,
    )
  })
