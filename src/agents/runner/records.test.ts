import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { openRecords } from './records.ts'

const push = (before: string, after: string) => ({
  repository: 'app',
  ref: 'refs/heads/main',
  before,
  after,
  user: 'a',
})

test('a push is taken once, also when the process ended before it had written that it took it', (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-records-'))
  t.after(() => rmSync(dir, { recursive: true, force: true }))
  assert.ok(openRecords(dir).accept(push('0', '1')))
  rmSync(join(dir, 'last-pushes.json'))
  const again = openRecords(dir)
  assert.equal(again.lastTold(push('', '')), '1')
  assert.equal(again.accept(push('0', '1')), undefined)
  assert.equal(again.pending().length, 1)
  assert.ok(again.accept(push('1', '2')))
  assert.equal(openRecords(dir).lastTold(push('', '')), '2')
})
