import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { openLog } from './log.ts'

const folder = mkdtempSync(join(tmpdir(), 'sluice-log-'))
after(() => rmSync(folder, { recursive: true, force: true }))

function linesOf(path: string): string[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.replace(/^\S+Z /, ''))
}

test('a log keeps lines whole, whatever the chunks they come in', () => {
  const path = join(folder, 'chunks')
  const log = openLog(path, 1_000_000)
  const text = Buffer.from('grüß\nzweite\nohne Ende')
  for (let at = 0; at < text.length; at += 3) log.write('stdout', text.subarray(at, at + 3))
  log.write('stderr', Buffer.from('daneben\n'))
  log.end()
  assert.deepEqual(linesOf(path), ['stdout F grüß', 'stdout F zweite', 'stderr F daneben', 'stdout P ohne Ende'])
})

test('a line without an end is kept in parts', () => {
  const path = join(folder, 'long')
  const log = openLog(path, 1_000_000)
  log.write('stdout', Buffer.from('x'.repeat(40_000)))
  log.end()
  assert.deepEqual(
    linesOf(path).map((line) => [line.slice(0, 9), line.length - 9]),
    [
      ['stdout P ', 16_384],
      ['stdout P ', 16_384],
      ['stdout P ', 7_232],
    ],
  )
})

test('a flood keeps two files of bounded size, the newest lines in them', () => {
  const path = join(folder, 'flood')
  const log = openLog(path, 100_000)
  for (let i = 0; i < 1_000; i++) log.write('stdout', Buffer.from(`${i} ${'x'.repeat(1000)}\n`.repeat(3)))
  log.end()
  for (const file of [path, `${path}.1`]) assert.ok(statSync(file).size <= 100_000)
  assert.match(linesOf(path).at(-1) ?? '', /^stdout F 999 x/)
})

test('a log that cannot be begun anew writes into no file of somebody else', () => {
  const inside = mkdtempSync(join(folder, 'gone-'))
  const log = openLog(join(inside, 'log'), 100)
  log.write('stdout', Buffer.from(`${'x'.repeat(90)}\n`))
  rmSync(inside, { recursive: true })
  log.write('stdout', Buffer.from('lost\n'))
  const other = join(folder, 'other')
  const file = openSync(other, 'w')
  log.write('stdout', Buffer.from('lost too\n'))
  log.end()
  assert.equal(writeSync(file, 'mine'), 4)
  closeSync(file)
  assert.equal(readFileSync(other, 'utf8'), 'mine')
})

test('a line that a full disk tore does not go on in the next one', { skip: process.platform === 'win32' }, () => {
  const path = join(folder, 'full')
  // a file may have a block at most, until there is room again
  const code = `
    const __name = (value) => value
    ${openLog.toString()}
    const log = openLog(${JSON.stringify(path)}, 1_000_000)
    for (const letter of 'ab') log.write('stdout', Buffer.from(letter.repeat(700) + '\\n'), 'T')
    require('node:fs').truncateSync(${JSON.stringify(path)}, 100)
    log.write('stdout', Buffer.from('c\\n'), 'T')`
  execFileSync('sh', ['-c', 'ulimit -f 2; exec "$0" -e "$1"', process.execPath, code])
  const lines = readFileSync(path, 'utf8').split('\n')
  assert.deepEqual(lines, [`T stdout F ${'a'.repeat(89)}`, 'T stdout F c', ''])
})
