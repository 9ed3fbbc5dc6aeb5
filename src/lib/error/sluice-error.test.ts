import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeError, SluiceError } from './sluice-error.ts'

test('an error says what, where and what to do, a line each', () => {
  const error = new SluiceError('YAML_SYNTAX', 'mapping values are not allowed here', {
    where: 'apps/web/service.yaml:7:12',
    hint: 'quote the value',
  })
  assert.equal(
    describeError(error),
    'mapping values are not allowed here\n  where: apps/web/service.yaml:7:12\n  hint: quote the value',
  )
})

test('an error waits for a change unless it says that trying again helps', () => {
  assert.equal(new SluiceError('YAML_SYNTAX', 'x').retry, 'spec')
  assert.equal(new SluiceError('YAML_SYNTAX', 'x', { retry: 'backoff' }).retry, 'backoff')
})
