import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { LONG_MS } from '../support/wait.ts'

test(
  'a server whose terminal is closed ends as by SIGTERM, however often it is told',
  { timeout: LONG_MS },
  async () => {
    const state = mkdtempSync(join(tmpdir(), 'sluice-hang-up-'))
    const argv = [resolve('dist/sluice.mjs'), 'serve', 'gitd', '--state', state, '--port', '0']
    const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'ignore'] })
    try {
      await once(child.stdout, 'data')
      const ended = once(child, 'exit')
      child.kill('SIGHUP')
      child.kill('SIGHUP')
      assert.deepEqual(await ended, [0, null])
    } finally {
      child.kill('SIGKILL')
      rmSync(state, { recursive: true })
    }
  },
)
