import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, openSync, closeSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, test } from 'node:test'
import { until } from '../support/wait.ts'

const bundle = resolve('dist/sluice.mjs')
const folder = mkdtempSync(join(tmpdir(), 'sluice-output-'))
after(() => rmSync(folder, { recursive: true, force: true }))

test('a command whose output has room for a part says so and fails', { skip: process.platform === 'win32' }, () => {
  const file = join(folder, 'help.txt')
  const output = openSync(file, 'w')
  // no file may become longer than a block
  const argv = ['-c', 'ulimit -f 1; exec "$0" "$1" --help', process.execPath, bundle]
  const { status, stderr } = spawnSync('sh', argv, { stdio: ['ignore', output, 'pipe'], encoding: 'utf8' })
  closeSync(output)
  assert.deepEqual([status, stderr], [3, 'error: the output cannot be written: EFBIG: file too large, write\n'])
  assert.ok(statSync(file).size <= 1024)
})

test('a server whose log has no room works on', { skip: !existsSync('/dev/full') }, async () => {
  const state = join(folder, 'state')
  const full = openSync('/dev/full', 'w')
  const argv = [bundle, 'serve', 'gitd', '--state', state, '--port', '0']
  const child = spawn(process.execPath, argv, { stdio: ['ignore', full, 'pipe'] })
  closeSync(full)
  const ended = once(child, 'exit')
  try {
    await until('the server has begun', () => existsSync(join(state, 'lock.json')) || child.exitCode !== null)
    // what it says first comes then; where that ended it, the signal finds nobody
    await Promise.race([ended, new Promise((later) => setTimeout(later, 1_000))])
    child.kill('SIGTERM')
    assert.deepEqual(await ended, [0, null])
  } finally {
    child.kill('SIGKILL')
  }
})
