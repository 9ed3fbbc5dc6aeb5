import assert from 'node:assert/strict'
import { test } from 'node:test'
import { manualClock } from '../../../../tests/support/manual-clock.ts'
import { archiveEntry, ARCHIVE_END } from '../../../pipeline/source/archive.ts'
import type { EngineContext } from '../context.ts'
import { openArchiveSnapshot } from './archive-snapshot.ts'

const file = { path: 'a.yaml', hash: 'h', isExecutable: false }
const archive = Buffer.concat([...archiveEntry({ ...file, bytes: Buffer.from('a: 1') }), ARCHIVE_END])

test('a fault of the disk is not told again once it has passed, however soon somebody asks', async () => {
  const clock = manualClock()
  let reads = 0
  const read = async (): Promise<Buffer> => {
    if (++reads === 2) throw new Error('too many open files')
    return archive
  }
  const context = { artifacts: { read }, clock } as unknown as EngineContext
  const snapshot = await openArchiveSnapshot(context, { key: 'k', revision: 'r', path: 'p' })
  const [first] = snapshot.files.values()
  assert.ok(first)
  clock.advance(60_000)
  await assert.rejects(snapshot.read(first), /too many open files/)
  assert.equal((await snapshot.read(first)).toString(), 'a: 1')
  assert.equal(reads, 3)
})
