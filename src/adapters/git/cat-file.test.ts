import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { openObjectReader } from './cat-file.ts'

function repository(t: TestContext): { readonly folder: string; readonly put: (bytes: Buffer) => string } {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-objects-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  execFileSync('git', ['init', '-q', '--bare', folder])
  const put = (input: Buffer): string =>
    execFileSync('git', ['-C', folder, 'hash-object', '-w', '--stdin'], { input, encoding: 'utf8' }).trim()
  return { folder, put }
}

test('what is too large is refused with its size, and what is asked before and behind it is read', async (t) => {
  const { folder, put } = repository(t)
  const reader = openObjectReader(folder, 100_000)
  t.after(() => reader.close())
  // around the limit, and many times what comes in one piece
  const sizes = [0, 1, 99_999, 100_000, 100_001, 5_000_000, 17]
  const hashes = sizes.map((size, index) => put(Buffer.alloc(size, index + 65)))
  const answers = await Promise.allSettled(hashes.map((hash) => reader.read(hash)))
  for (const [index, size] of sizes.entries()) {
    const answer = answers[index]
    if (size <= 100_000) {
      assert.equal(answer?.status, 'fulfilled')
      assert.deepEqual(answer.value?.bytes, Buffer.alloc(size, index + 65))
    } else {
      assert.equal(answer?.status, 'rejected')
      assert.match(String(answer.reason), new RegExp(`${hashes[index]} of the repository has ${size} bytes`))
    }
  }
  assert.equal(await reader.read('0'.repeat(40)), undefined)
})
