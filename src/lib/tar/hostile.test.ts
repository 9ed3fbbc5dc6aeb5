import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SluiceError } from '../error/sluice-error.ts'
import { readTar } from './read.ts'
import { packTar } from './write.ts'

test('whatever bytes are damaged, an archive is read or refused', async () => {
  const good = packTar([
    { path: 'ä'.repeat(80), type: 'file', content: Buffer.from('hello') },
    { path: 'link', type: 'symlink', linkPath: 'x'.repeat(150) },
    { path: 'd', type: 'directory' },
  ])
  let seed = 3
  const random = (below: number): number => (seed = (seed * 1103515245 + 12345) % 2147483648) % below
  for (let turn = 0; turn < 500; turn++) {
    const bytes = Buffer.from(good)
    for (let damage = random(4) + 1; damage > 0; damage--) bytes[random(bytes.length)] = random(256)
    try {
      for await (const entry of readTar(chunks(bytes, random(900) + 100), {
        name: 't',
        limits: { entries: 9, totalBytes: 1e5 },
      }))
        assert.ok(entry.sizeBytes <= 1e5)
    } catch (error) {
      assert.ok(error instanceof SluiceError, String(error))
    }
  }
})

async function* chunks(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}
