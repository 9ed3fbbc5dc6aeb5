import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Call } from '../request/call.ts'
import { reportUnknown } from './object.ts'

test('fields that a kind does not have may be many', () => {
  const call = { fieldValidation: 'Warn', warnings: [] as string[] }
  const unknown = Array.from({ length: 200_000 }, (_, index) => `unknown field "spec.a${index}"`)
  reportUnknown(call as unknown as Call, unknown)
  assert.equal(call.warnings.length, 200_000)
})
