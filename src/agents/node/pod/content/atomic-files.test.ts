import assert from 'node:assert/strict'
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { showFiles, type VolumeFile } from './atomic-files.ts'

const file = (path: string, text: string, mode = 0o644): VolumeFile => ({ path, content: Buffer.from(text), mode })

test('files of a volume change all at once, and only when something changed', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'atomic-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const data = (): string => readlinkSync(join(folder, '..data'))
  const visible = (): string[] => readdirSync(folder).filter((name) => !name.startsWith('..'))

  showFiles(folder, [file('a', '1', 0o400), file('deep/er/b', '2')], undefined)
  assert.deepEqual(visible(), ['a', 'deep'])
  assert.equal(readFileSync(join(folder, 'deep/er/b'), 'utf8'), '2')
  assert.equal(statSync(join(folder, 'a')).mode & 0o777, 0o400)
  assert.ok(lstatSync(join(folder, 'a')).isSymbolicLink())

  const first = data()
  showFiles(folder, [file('a', '1', 0o400), file('deep/er/b', '2')], undefined)
  assert.equal(data(), first)

  showFiles(folder, [file('a', '1', 0o400), file('c', '3')], undefined)
  assert.notEqual(data(), first)
  assert.deepEqual(visible(), ['a', 'c'])
  assert.equal(readdirSync(folder).includes(first), false)
})

test('the group of a pod may read what the API fills', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'atomic-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  showFiles(folder, [file('a/b', '1', 0o400)], process.getgid?.() ?? 0)
  assert.equal(statSync(join(folder, 'a/b')).mode & 0o777, 0o440)
  assert.equal(statSync(join(folder, 'a')).mode & 0o2050, 0o2050)
})

const cuts: { it: string; left: (folder: string) => void }[] = [
  { it: 'before it pointed to the new files', left: (folder) => symlinkSync('..new', join(folder, '..data_tmp')) },
  { it: 'before every name was there', left: (folder) => rmSync(join(folder, 'b')) },
  { it: 'before the new files were whole', left: (folder) => mkdirSync(join(folder, '..2026_11_28.x')) },
]
for (const { it, left } of cuts)
  test(`a volume whose maker was killed ${it} becomes whole`, (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'atomic-'))
    t.after(() => rmSync(folder, { recursive: true, force: true }))
    showFiles(folder, [file('a', '1'), file('b', '2')], undefined)
    left(folder)
    for (const text of ['2', '3']) {
      showFiles(folder, [file('a', '1'), file('b', text)], undefined)
      assert.equal(readFileSync(join(folder, 'b'), 'utf8'), text)
    }
    assert.deepEqual(
      readdirSync(folder).filter((name) => name !== readlinkSync(join(folder, '..data'))),
      ['..data', 'a', 'b'],
    )
  })
