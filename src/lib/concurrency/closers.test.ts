import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openClosers } from './closers.ts'

test('what was opened is closed in reverse order, once, past faults', async () => {
  const closed: string[] = []
  const closers = openClosers()
  closers.add(() => void closed.push('first'))
  closers.add(() => {
    throw new Error('stuck')
  })
  closers.add(async () => void closed.push('last'))
  await assert.rejects(closers.closeAll(), /stuck/)
  assert.deepEqual(closed, ['last', 'first'])
  await closers.closeAll()
  assert.equal(closed.length, 2)
})
