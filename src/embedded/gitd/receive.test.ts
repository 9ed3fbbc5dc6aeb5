import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { currentRefs } from './receive.ts'

test('of a repository that git cannot read no ref counts as gone', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-refs-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  await assert.rejects(currentRefs(folder), { code: 'GIT_FAILED', message: /not a git repository/ })
})
