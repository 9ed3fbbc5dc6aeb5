import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { openMirror } from './mirror.ts'

test('of a tree that git cannot read nothing is told, least of all that there is nothing in it', async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'sluice-mirror-'))
  const mirror = openMirror(root, 'app')
  t.after(() => {
    mirror.close()
    rmSync(root, { recursive: true, force: true })
  })
  const commit = '1'.repeat(40)
  assert.equal(await mirror.has(commit), false)
  for (const ask of [mirror.files, mirror.gitlinks]) await assert.rejects(ask(commit), { code: 'GIT_REMOTE' })
  for (const path of ['a/b', '../a', '']) assert.equal(await mirror.linkOn(commit, path), undefined)
})

test('a mirror that could not be made is made when there is room for it', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-mirror-'))
  const root = join(folder, 'mirrors')
  const mirror = openMirror(root, 'app')
  t.after(() => {
    mirror.close()
    rmSync(folder, { recursive: true, force: true })
  })
  writeFileSync(root, 'in the way')
  await assert.rejects(mirror.has('1'.repeat(40)))
  rmSync(root)
  assert.equal(await mirror.has('1'.repeat(40)), false)
})
