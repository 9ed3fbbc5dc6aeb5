import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { openMirror } from '../git/mirror.ts'
import type { EngineContext } from './context.ts'
import { mirrorsOf } from './mirrors.ts'

const URL = 'https://git.example.com/app.git'

test('what an older version kept for all logins together is read by nobody, and removed', async (t) => {
  const stateDir = mkdtempSync(join(tmpdir(), 'sluice-mirrors-'))
  t.after(() => rmSync(stateDir, { recursive: true }))
  mkdirSync(join(stateDir, 'mirrors'))
  const old = openMirror(join(stateDir, 'mirrors'), URL)
  await old.has('')
  old.close()
  assert.ok(existsSync(old.folder))
  const mirrors = mirrorsOf({ stateDir } as EngineContext)
  t.after(mirrors.close)
  const mirror = mirrors.of(URL, { namespace: 'ns', secretName: undefined })
  assert.notEqual(mirror.folder, old.folder)
  assert.ok(!existsSync(old.folder))
})

test('mirrors are kept over a restart, one for each login and one for those without', async (t) => {
  const stateDir = mkdtempSync(join(tmpdir(), 'sluice-mirrors-'))
  t.after(() => rmSync(stateDir, { recursive: true }))
  const folders = async (): Promise<readonly string[]> => {
    const mirrors = mirrorsOf({ stateDir } as EngineContext)
    const readers = [undefined, undefined, 'login', 'other'].map((secretName) =>
      mirrors.of(URL, { namespace: 'ns', secretName }),
    )
    for (const reader of readers) await reader.has('')
    mirrors.close()
    return readers.map(({ folder }) => folder)
  }
  const before = await folders()
  assert.equal(new Set(before).size, 3)
  assert.deepEqual(await folders(), before)
  assert.ok(before.every((folder) => existsSync(folder)))
})
