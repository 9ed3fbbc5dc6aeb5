import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compileCel } from '../lib/cel/compile.ts'
import { boundedCalls } from './bounded-call.ts'

test('an evaluation that would not end is ended', () => {
  const cel = compileCel('v.list.all(a, v.list.all(b, v.list.all(c, a + b + c < 0 || a >= 0)))', {
    guard: boundedCalls(200),
  })
  const list = Array.from({ length: 3000 }, (_, index) => index)
  assert.throws(() => cel.evaluate({ v: { list } }), { code: 'CEL_FAILED', message: /took longer than/ })
})
