import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
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

test(
  'a command that does not listen is ended by a later SIGHUP',
  { timeout: LONG_MS, skip: process.platform !== 'linux' },
  async () => {
    // waits for its input without end
    const child = spawn(process.execPath, [resolve('dist/sluice.mjs'), 'envsubst'], {
      stdio: ['pipe', 'ignore', 'ignore'],
    })
    try {
      const ended = once(child, 'exit')
      const caught = (): string =>
        /^SigCgt:\s*(\w+)/m.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1] ?? '0'
      while (!(BigInt(`0x${caught()}`) & 1n)) await wait(20)
      while (child.exitCode === null && child.kill('SIGHUP')) await wait(300)
      assert.deepEqual(await ended, [129, null])
    } finally {
      child.kill('SIGKILL')
    }
  },
)
