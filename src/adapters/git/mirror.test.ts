import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
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
  for (const ask of [mirror.files, mirror.gitlinks, (at: string) => mirror.linkOn(at, 'a/b')])
    await assert.rejects(ask(commit), { code: 'GIT_REMOTE' })
})
