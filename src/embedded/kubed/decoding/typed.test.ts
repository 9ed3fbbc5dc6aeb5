import assert from 'node:assert/strict'
import { test } from 'node:test'
import { schemaFor } from '../../../lib/kube-schema/builtin.ts'
import { decodeTyped } from './typed.ts'

test('base64 with very much padding inside is refused at once', () => {
  const secret = schemaFor('v1', 'Secret')
  assert.ok(secret)
  const padding = '='.repeat(1024 * 1024)
  assert.throws(() => decodeTyped(secret, { data: { a: `QUJD${padding}Q` } }, '', { unknown: [] }), {
    message: /illegal base64 data at input byte/,
  })
})
