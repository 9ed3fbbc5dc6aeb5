import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { openObjectReader } from './cat-file.ts'
import { runGit } from './git-process.ts'
import { tidyMirror } from './tidy-mirror.ts'

test('many packs and loose objects become one pack without names, under an open reader, and nothing is lost', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-tidy-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const signal = new AbortController().signal
  await runGit(folder, ['init', '--quiet', '--bare'])
  const put = async (bytes: Buffer): Promise<string> =>
    (await runGit(folder, ['hash-object', '-w', '--stdin'], { input: bytes })).stdout.toString().trim()
  const shared = await put(randomBytes(10_000))
  const hashes = [shared]
  for (let at = 0; at < 32; at++) {
    const own = await put(randomBytes(100))
    hashes.push(own)
    await runGit(folder, ['pack-objects', '-q', 'objects/pack/pack'], { input: `${shared}\n${own}\n` })
    if (at === 30) assert.equal(await tidyMirror(folder, signal), false)
  }
  const reader = openObjectReader(folder)
  assert.ok(await reader.read(shared))
  assert.equal(await tidyMirror(folder, signal), true)
  const names = readdirSync(join(folder, 'objects', 'pack')).filter((name) => name.endsWith('.pack'))
  assert.equal(names.length, 1)
  for (const hash of hashes) assert.ok(await reader.read(hash), hash)
  reader.close()
  assert.equal(await tidyMirror(folder, signal), false)
})
