import assert from 'node:assert/strict'
import { test } from 'node:test'
import { indexDependents } from './dependents.ts'

test('an index of dependents follows every change of what depends on what', () => {
  const index = indexDependents()
  index.note('ns/app', ['ns/base', 'ns/database'])
  index.note('ns/page', ['ns/base'])
  assert.deepEqual(index.of('ns/base'), ['ns/app', 'ns/page'])
  index.note('ns/app', ['ns/database'])
  assert.deepEqual([index.of('ns/base'), index.of('ns/database')], [['ns/page'], ['ns/app']])
  index.note('ns/page', [])
  assert.deepEqual([index.of('ns/base'), index.depending()], [[], ['ns/app']])
})
