import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { makeFolder } from './make-folder.ts'

const root = mkdtempSync(join(tmpdir(), 'sluice-make-folder-'))
after(() => rmSync(root, { recursive: true, force: true }))
writeFileSync(join(root, 'file'), '')
symlinkSync(join(root, 'nowhere'), join(root, 'dangling'))
symlinkSync(root, join(root, 'link'))

test('a folder is made with those above it, once', () => {
  assert.equal(makeFolder(join(root, 'a/b/c'), 0o700), true)
  assert.equal(makeFolder(join(root, 'a/b/c'), 0o700), false)
  assert.equal(statSync(join(root, 'a/b')).mode & 0o777, 0o700)
  assert.equal(makeFolder(join(root, 'link')), false)
  assert.equal(makeFolder('/'), false)
})

const refused: { it: string; path: string; want: string }[] = [
  { it: 'below a folder in which there can be none', path: '/proc/sluice/x', want: 'ENOENT' },
  { it: 'in a folder in which there can be none', path: '/proc/sluice', want: 'ENOENT' },
  { it: 'below a file', path: join(root, 'file/x/y'), want: 'ENOTDIR' },
  { it: 'in the place of a file', path: join(root, 'file'), want: 'EEXIST' },
  { it: 'in the place of a link that leads nowhere', path: join(root, 'dangling'), want: 'EEXIST' },
]
for (const { it, path, want } of refused)
  test(`no folder is made ${it}, and it is said`, { skip: path.startsWith('/proc') && !existsSync('/proc') }, () => {
    assert.throws(() => makeFolder(path), { code: want })
  })
