import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { putExchangeFile, takeExchangeFile } from './exchange-file.ts'

const folder = mkdtempSync(join(tmpdir(), 'sluice-exchange-'))
test.after(() => rmSync(folder, { recursive: true, force: true }))
const elsewhere = join(folder, 'elsewhere')

/** What a step may leave in the place of its file, and what is read of it. */
const left: readonly { readonly it: string; readonly make: (path: string) => unknown; readonly want: string }[] = [
  { it: 'a file', make: (path) => writeFileSync(path, 'a=b\n'), want: 'a=b\n' },
  { it: 'nothing', make: () => undefined, want: '' },
  { it: 'a pipe', make: (path) => execFileSync('mkfifo', [path]), want: '' },
  { it: 'a link', make: (path) => symlinkSync(elsewhere, path), want: '' },
]
for (const [index, { it, make, want }] of left.entries())
  test(`${it} is read as "${want.trim()}" and gives way to the next step's file`, () => {
    writeFileSync(elsewhere, 'secret')
    const path = join(folder, String(index))
    make(path)
    assert.equal(takeExchangeFile(path), want)
    putExchangeFile(path, 'new')
    assert.equal(readFileSync(path, 'utf8'), 'new')
    assert.equal(readFileSync(elsewhere, 'utf8'), 'secret')
  })

test('a folder is no file, and an endless one is not read', () => {
  const path = join(folder, 'folder')
  mkdirSync(path)
  assert.equal(takeExchangeFile(path), '')
  assert.throws(() => putExchangeFile(path, 'x'))
  const holes = join(folder, 'holes')
  writeFileSync(holes, '')
  truncateSync(holes, 2 ** 40)
  assert.throws(() => takeExchangeFile(holes), { code: 'STEP_LIMIT' })
})
