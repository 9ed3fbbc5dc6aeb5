import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { removeStaleLocks } from './stale-locks.ts'

test('locks of killed git processes go, everything else stays', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-locks-'))
  mkdirSync(join(folder, 'refs', 'heads', 'team'), { recursive: true })
  const locks = ['packed-refs.lock', 'shallow.lock', 'refs/heads/main.lock', 'refs/heads/team/x.lock']
  for (const name of [...locks, 'HEAD', 'refs/heads/main']) writeFileSync(join(folder, name), '')
  removeStaleLocks(folder)
  assert.deepEqual(
    locks.filter((name) => existsSync(join(folder, name))),
    [],
  )
  assert.ok(existsSync(join(folder, 'HEAD')) && existsSync(join(folder, 'refs/heads/main')))
  removeStaleLocks(join(folder, 'missing'))
  rmSync(folder, { recursive: true })
})
