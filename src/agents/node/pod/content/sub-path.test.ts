import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { makeIn } from './sub-path.ts'

test('a folder of a volume is made where the volume is, and nowhere that a link leads', (t) => {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'sluice-sub-path-')))
  t.after(() => rmSync(root, { recursive: true }))
  const at = (...parts: string[]): string => join(root, ...parts)
  mkdirSync(at('outside'))
  mkdirSync(at('volume'))
  makeIn(at('volume'), 'part', 0o42777)
  assert.equal(statSync(at('volume', 'part')).mode & 0o7777, 0o2777)
  // somebody was faster
  chmodSync(at('volume', 'part'), 0o700)
  makeIn(at('volume'), 'part', 0o777)
  assert.equal(statSync(at('volume', 'part')).mode & 0o777, 0o700)
  // somebody has put a link in the place of the folder, or of one on the way to it
  symlinkSync(at('outside'), at('volume', 'link'))
  assert.throws(() => makeIn(at('volume', 'link'), 'made', 0o777))
  mkdirSync(at('outside', 'inner'))
  assert.throws(() => makeIn(at('volume', 'link', 'inner'), 'made', 0o777), /not where it was/)
  assert.ok(!existsSync(at('outside', 'made')) && !existsSync(at('outside', 'inner', 'made')))
})
