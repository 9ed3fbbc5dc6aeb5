import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { prepareTools, replaceFile } from './tools.ts'

const skip = process.platform === 'linux' ? {} : { skip: 'no Linux' }

function scratch(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-tools-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

test('a second start prepares the tools anew; what runs by those of the first goes on', skip, async (t) => {
  const folder = scratch(t)
  const [tools, hold] = [join(folder, 'tools'), join(folder, 'hold')]
  prepareTools(tools, hold)
  const before = readdirSync(hold)
  const script = 'echo ready; read -r word; echo "$word"'
  const argv = ['--library-path', hold, join(hold, 'sh'), '-c', script]
  const child = spawn(join(hold, 'ld'), argv, { stdio: ['pipe', 'pipe', 'inherit'] })
  t.after(() => child.kill('SIGKILL'))
  const ended = once(child, 'exit')
  await once(child.stdout, 'data')
  prepareTools(tools, hold)
  child.stdin.end('alive\n')
  assert.equal(String((await once(child.stdout, 'data'))[0]), 'alive\n')
  assert.deepEqual(await ended, [0, null])
  assert.deepEqual(readdirSync(hold), before)
})

test('of a file that cannot be replaced nothing stays beside it', (t) => {
  const folder = scratch(t)
  mkdirSync(join(folder, 'tool'))
  assert.throws(() => replaceFile(join(folder, 'tool'), (next) => writeFileSync(next, '')))
  assert.deepEqual(readdirSync(folder), ['tool'])
})

test('what a start that was killed left beside a file is not written to', (t) => {
  const folder = scratch(t)
  const [tool, other] = [join(folder, 'tool'), join(folder, 'other')]
  writeFileSync(other, 'other')
  symlinkSync(other, `${tool}.next`)
  replaceFile(tool, (next) => writeFileSync(next, 'tool'))
  assert.deepEqual(
    [tool, other].map((path) => readFileSync(path, 'utf8')),
    ['tool', 'other'],
  )
  assert.deepEqual(readdirSync(folder), ['other', 'tool'])
})
