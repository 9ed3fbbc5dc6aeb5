import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isWriteRefusal, saysDiskIsFull } from './full-disk.ts'

const cases: readonly { readonly it: string; readonly text: string; readonly want: boolean }[] = [
  { it: 'node', text: 'ENOSPC: no space left on device, write', want: true },
  { it: 'git', text: 'git fetch failed: fatal: write error: No space left on device', want: true },
  { it: 'our registry', text: 'the disk of the registry is full: free some space and push again', want: true },
  { it: 'SQLite', text: 'database or disk is full', want: true },
  { it: 'a quota', text: 'write: Disk quota exceeded', want: true },
  { it: 'watchers', text: 'ENOSPC: System limit for number of file watchers reached', want: false },
  { it: 'a test that fails', text: 'the step ended with exit code 1: not ok 3 - greets', want: false },
]

for (const { it, text, want } of cases)
  test(`a full disk in the words of ${it}: ${want}`, () => assert.equal(saysDiskIsFull(text), want))

test('a write that is refused is told by its code', () => {
  assert.ok(isWriteRefusal(Object.assign(new Error(), { code: 'EROFS' })))
  assert.ok(!isWriteRefusal(Object.assign(new Error(), { code: 'ENOENT' })))
  assert.ok(!isWriteRefusal('ENOSPC'))
})
