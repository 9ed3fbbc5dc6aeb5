import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertLinear } from '../../../../../tests/support/cpu-time.ts'
import { type Schema, typeOf } from '../../../../lib/kube-schema/schema.ts'
import type { Json, JsonObject } from '../../../../lib/kube/json.ts'
import type { FieldError } from '../../fault.ts'
import { addFault, merge, noFindings } from './findings.ts'
import { fitsFormat } from './formats.ts'
import { repeatedItems } from './list-check.ts'
import { checkRules } from './rules-of-schema.ts'
import { twinsIn } from './unchanged.ts'

/** An object that counts how often its field is read. */
function counted(name: string, value: Json, reads: { count: number }): JsonObject {
  return Object.defineProperty({}, name, {
    enumerable: true,
    get: () => {
      reads.count++
      return value
    },
  })
}

test('a text without an end fits no format, and is read once', () => {
  for (const sign of ['a', '"', '((', 'a '])
    assertLinear((times) => assert.equal(fitsFormat('email', sign.repeat(times)), false), 80_000)
  for (const [sign, end] of [
    ['1', ''],
    ['1', 'h'],
    ['1 ', ''],
  ] as const)
    assertLinear((times) => assert.equal(fitsFormat('duration', sign.repeat(times) + end), false), 80_000)
})

test('a fault that is merged was compared with no other', () => {
  const reads = { count: 0 }
  const many = noFindings()
  for (let index = 0; index < 1000; index++)
    addFault(many, {
      ...{ field: `spec[${index}]`, type: 'Invalid' },
      get message() {
        reads.count++
        return 'bad'
      },
    })
  const all = noFindings()
  merge(all, many)
  merge(all, many)
  assert.equal(all.faults.length, 1000)
  assert.ok(reads.count <= 3000, `${reads.count} reads of 1000 messages`)
})

test('the items that a list had are looked through once for all that it has', () => {
  const reads = { count: 0 }
  const type = typeOf({
    type: 'array',
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['k'],
    items: { type: 'object', properties: { k: { type: 'integer' } } },
  } as Schema)
  const before = Array.from({ length: 1000 }, (_, index) => counted('k', index, reads))
  const twinOf = twinsIn(type, before)
  for (const [index, old] of before.entries()) assert.equal(twinOf({ k: index }), old)
  assert.equal(twinOf({ k: '1' }), undefined)
  assert.equal(twinOf({}), undefined)
  assert.ok(reads.count <= 2000, `${reads.count} reads of 1000 keys`)
})

test('a list that nobody can tell apart is compared once for all rules of its items', () => {
  const reads = { count: 0 }
  const items = { type: 'string', 'x-kubernetes-validations': [{ rule: 'self == "y"' }] }
  const type = typeOf({ type: 'object', properties: { list: { type: 'array', items } } } as Schema)
  const list = Array.from({ length: 200 }, () => 'x')
  const before = new Proxy(list, {
    get: (target, name) => {
      if (typeof name === 'string' && /^[0-9]+$/.test(name)) reads.count++
      return Reflect.get(target, name) as unknown
    },
  })
  const warnings: string[] = []
  const errors: FieldError[] = []
  checkRules(type, { list }, { list: before }, { errors, warn: (warning) => warnings.push(warning) })
  assert.deepEqual([errors.length, warnings.length], [0, 200])
  assert.ok(reads.count <= 400, `${reads.count} reads of 200 items`)
})

test('items that stand twice may be many', () => {
  const type = typeOf({
    type: 'array',
    items: { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'integer' } },
  } as Schema)
  const twice = Array.from({ length: 300_000 }, (_, index) => index >> 1)
  assert.equal(repeatedItems(type, [twice]).length, 150_000)
})
