import assert from 'node:assert/strict'
import { tmpdir } from 'node:os'
import { test } from 'node:test'
import { feel } from './pressure.ts'
import { measureMachine } from './watch-pressure.ts'

test('memory is measured where the system says what could be had of it', async () => {
  const onLinux = await measureMachine(tmpdir(), 'linux')
  assert.ok(Number.isSafeInteger(onLinux.memoryBytes))
  const elsewhere = await measureMachine(tmpdir(), 'darwin')
  assert.ok(!feel([], elsewhere, 0).some(({ pressure }) => pressure === 'MemoryPressure'))
  assert.equal(elsewhere.memoryBytes, Infinity)
})
