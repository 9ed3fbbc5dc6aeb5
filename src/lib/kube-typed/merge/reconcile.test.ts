import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Schema, typeOf } from '../../kube-schema/schema.ts'
import { parseFields, renderFields } from './path-set.ts'
import { reconcile } from './reconcile.ts'

const text = { type: 'string' }
const schema = {
  type: 'object',
  properties: {
    whole: { type: 'object', 'x-kubernetes-map-type': 'atomic', properties: { a: text } },
    parts: { type: 'object', properties: { a: text, list: { type: 'array', items: text } } },
  },
}

// What structured-merge-diff 6.4.2 makes of the same.
test('who owned parts of what is a whole now owns the whole', () => {
  const owned = parseFields({
    'f:whole': { '.': {}, 'f:a': {} },
    'f:parts': { 'f:a': {}, 'f:list': { 'v:"x"': {} }, 'f:gone': { 'f:b': {} } },
  })
  assert.deepEqual(renderFields(reconcile(owned, typeOf(schema as Schema))), {
    'f:parts': { 'f:a': {}, 'f:gone': { 'f:b': {} }, 'f:list': {} },
    'f:whole': {},
  })
})

test('a set that is as its type has it stays itself', () => {
  const owned = parseFields({ 'f:whole': {}, 'f:parts': { 'f:a': {} } })
  assert.equal(reconcile(owned, typeOf(schema as Schema)), owned)
})
