import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { makeScratch, removeAbandonedScratch } from './scratch.ts'

test('folders of processes that are gone are removed; ours, and what only looks alike, stays', (t) => {
  const before = process.env['TMPDIR']
  const room = mkdtempSync(join(tmpdir(), 'sluice-scratch-'))
  process.env['TMPDIR'] = room
  t.after(() => {
    if (before === undefined) delete process.env['TMPDIR']
    else process.env['TMPDIR'] = before
    rmSync(room, { recursive: true, force: true })
  })
  const gone = spawnSync('true').pid
  const mine = makeScratch('git')
  assert.equal(statSync(mine).mode & 0o777, 0o700)
  const abandoned = join(room, `sluice-${gone}-git-a1B2c3`)
  const alike = [`sluice-${gone}-notes`, `sluice-git-a1B2c3`, `other-${gone}-git-a1B2c3`].map((name) =>
    join(room, name),
  )
  for (const folder of [abandoned, ...alike]) {
    mkdirSync(folder)
    writeFileSync(join(folder, 'key'), 'secret')
  }
  removeAbandonedScratch()
  assert.deepEqual(
    [abandoned, mine, ...alike].map((path) => existsSync(path)),
    [false, true, true, true, true],
  )
})
