import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { resolve } from 'node:path'
import { test } from 'node:test'

test('the servers start from the code that V8 has compiled', () => {
  // a process of its own, because V8 takes no code that was compiled under other flags
  const program = `process.stdout.write(String(require(${JSON.stringify(resolve('dist/sluice-servers.cjs'))}).script.cachedDataRejected))`
  assert.equal(execFileSync(process.execPath, ['-e', program], { encoding: 'utf8' }), 'false')
})
