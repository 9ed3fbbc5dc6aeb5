import assert from 'node:assert/strict'
import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { readLog, readOn } from './read-log.ts'

const line = (text: string): string => `2026-11-28T00:00:00.000000000Z stdout F ${text}\n`

const courses: { it: string; writes: readonly (readonly string[])[]; want: string }[] = [
  { it: 'is read on', writes: [['b'], ['c']], want: 'abc' },
  { it: 'is begun anew', writes: [['b', '/', 'c'], ['d']], want: 'abcd' },
  { it: 'is begun anew at once', writes: [['/', 'b']], want: 'ab' },
  { it: 'is longer than before when it was begun anew', writes: [['b', '/', 'c', 'd', 'e', 'f']], want: 'abcdef' },
  { it: 'is begun anew twice: one file is lost', writes: [['b', '/', 'c', 'd', '/', 'e']], want: 'acde' },
]
for (const { it, writes, want } of courses)
  test(`a log that is followed ${it}`, (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-log-'))
    t.after(() => rmSync(folder, { recursive: true }))
    const path = join(folder, 'log')
    writeFileSync(path, line('a'))
    const first = readLog(path, { timestamps: false })
    let { position } = first
    let said = first.text.trim()
    for (const round of writes) {
      for (const what of round)
        if (what === '/') {
          renameSync(path, `${path}.1`)
          writeFileSync(path, '')
        } else appendFileSync(path, line(what))
      position = readOn(path, position, (text) => (said += text.at(-1)))
    }
    assert.equal(said, want)
  })

test('both files of a log are read, the older first', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-log-'))
  t.after(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'log.1'), line('a'))
  writeFileSync(join(folder, 'log'), line('b'))
  assert.equal(readLog(join(folder, 'log'), { timestamps: false }).text, 'a\nb\n')
})
