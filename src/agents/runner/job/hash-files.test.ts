import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { hashFiles } from './hash-files.ts'

function workspace(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-hash-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

const sha = (text: string | Buffer): Buffer => createHash('sha256').update(text).digest()

test('the hash is that of the hashes of all files that fit, by path', (t) => {
  const folder = workspace(t)
  mkdirSync(join(folder, 'b'))
  writeFileSync(join(folder, 'b', 'x.lock'), 'second')
  writeFileSync(join(folder, 'a.lock'), 'first')
  writeFileSync(join(folder, 'other'), 'no')
  symlinkSync('/etc/passwd', join(folder, 'link.lock'))
  const want = createHash('sha256').update(sha('first')).update(sha('second')).digest('hex')
  assert.equal(hashFiles(folder, ['**/*.lock']), want)
  assert.equal(hashFiles(folder, ['*.none']), '')
})

test('a file of many pieces is hashed whole', (t) => {
  const folder = workspace(t)
  const bytes = Buffer.alloc(3_500_000, 'abc')
  writeFileSync(join(folder, 'large'), bytes)
  assert.equal(hashFiles(folder, ['large']), createHash('sha256').update(sha(bytes)).digest('hex'))
})

test('a file of holes larger than all that may be read is refused at once, a pipe is not waited for', (t) => {
  const folder = workspace(t)
  execFileSync('mkfifo', [join(folder, 'pipe')])
  assert.equal(hashFiles(folder, ['**']), '')
  writeFileSync(join(folder, 'holes'), '')
  truncateSync(join(folder, 'holes'), 2 ** 40)
  assert.throws(() => hashFiles(folder, ['**']), { code: 'STEP_LIMIT' })
})
