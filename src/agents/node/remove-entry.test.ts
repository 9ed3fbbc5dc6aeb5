import assert from 'node:assert/strict'
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { removeEntry } from './remove-entry.ts'

const entries: { it: string; make: (path: string) => void }[] = [
  { it: 'a file', make: (path) => writeFileSync(path, '') },
  { it: 'a folder with files', make: (path) => (mkdirSync(path), writeFileSync(join(path, 'file'), '')) },
  { it: 'a link that points nowhere', make: (path) => symlinkSync('nowhere', path) },
  { it: 'a link to a folder, which stays', make: (path) => symlinkSync('kept', path) },
  { it: 'nothing', make: () => undefined },
]
for (const { it, make } of entries)
  test(`removes ${it}`, (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'remove-'))
    t.after(() => rmSync(folder, { recursive: true, force: true }))
    mkdirSync(join(folder, 'kept'))
    const path = join(folder, 'entry')
    make(path)
    removeEntry(path)
    assert.equal(lstatSync(path, { throwIfNoEntry: false }), undefined)
    assert.deepEqual(readdirSync(folder), ['kept'])
  })
