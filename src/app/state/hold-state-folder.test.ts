import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { holdStateFolder } from './hold-state-folder.ts'
import { identityOf } from './process-identity.ts'
import { holderOf } from './state-folder.ts'

const inFolder = (body: (dir: string) => void): void => {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-state-'))
  try {
    body(dir)
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

test('a second holder of a state folder is refused, with the first one named', () =>
  inFolder((dir) => {
    const first = holdStateFolder(dir)
    assert.throws(() => holdStateFolder(dir), { code: 'STATE_IN_USE', message: new RegExp(`process ${process.pid} `) })
    first.release()
    holdStateFolder(dir).release()
  }))

test('a lock left by a dead process is taken over', () =>
  inFolder((dir) => {
    writeFileSync(join(dir, 'lock.json'), JSON.stringify({ pid: process.pid, startedTicks: '1' }))
    assert.equal(holderOf(dir), undefined)
    const folder = holdStateFolder(dir)
    assert.equal(holderOf(dir)?.pid, process.pid)
    folder.release()
  }))

test(
  'a folder whose lock may not be written is refused',
  { skip: process.getuid?.() === 0 && 'root may write everything' },
  () =>
    inFolder((dir) => {
      writeFileSync(join(dir, 'lock.db'), '', { mode: 0o444 })
      assert.throws(() => holdStateFolder(dir), { code: 'STATE_UNWRITABLE', message: /lock\.db/ })
    }),
)

for (const left of ['{"pid":4194304,"startedTicks":"1"}', '{', undefined])
  test(`a folder that is held stays so though its lock.json says ${left ?? 'nothing'}`, () =>
    inFolder((dir) => {
      const first = holdStateFolder(dir)
      if (left === undefined) rmSync(join(dir, 'lock.json'))
      else writeFileSync(join(dir, 'lock.json'), left)
      assert.throws(() => holdStateFolder(dir), { code: 'STATE_IN_USE', message: /^another process / })
      first.release()
      holdStateFolder(dir).release()
    }))

test('a folder that a process of an older version holds, by lock.json alone, is refused', () =>
  inFolder((dir) => {
    writeFileSync(join(dir, 'lock.json'), JSON.stringify(identityOf(process.ppid)))
    assert.throws(() => holdStateFolder(dir), { code: 'STATE_IN_USE', message: new RegExp(`process ${process.ppid} `) })
    rmSync(join(dir, 'lock.json'))
    holdStateFolder(dir).release()
  }))

test('files are whole and private', () =>
  inFolder((dir) => {
    const folder = holdStateFolder(dir)
    folder.write('access.json', { token: 'x' })
    assert.equal(statSync(join(dir, 'access.json')).mode & 0o777, 0o600)
    assert.deepEqual(JSON.parse(readFileSync(join(dir, 'access.json'), 'utf8')), { token: 'x' })
    assert.deepEqual(folder.read('access.json'), { token: 'x' })
    assert.equal(folder.read('missing.json'), undefined)
    folder.release()
  }))

for (const dir of ['/dev/null/state', '/proc/sluice'])
  test(`a state folder that cannot be made (${dir}) says so and what to do`, () => {
    assert.throws(() => holdStateFolder(dir), { code: 'STATE_UNWRITABLE', hint: /--state/ })
  })
