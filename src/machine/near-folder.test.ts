import assert from 'node:assert/strict'
import { chmodSync, chownSync, mkdirSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { after, beforeEach, test } from 'node:test'
import { nearFolder } from './near-folder.ts'

const state = `/a/${'long/'.repeat(20)}${process.pid}`
const folder = nearFolder('sluice-test', state)
const remove = (): void => rmSync(folder, { recursive: true, force: true })
beforeEach(remove)
after(remove)

test('a near folder is this user’s alone, and the same every time', () => {
  assert.equal(nearFolder('sluice-test', state), folder)
  assert.equal(nearFolder('sluice-test', state), folder)
  assert.equal(statSync(folder).mode & 0o777, 0o700)
})

const others: [it: string, make: () => void][] = [
  ['into which others may go', () => (mkdirSync(folder), chmodSync(folder, 0o755))],
  ['that is a link', () => symlinkSync(tmpdir(), folder)],
]
for (const [it, make] of others)
  test(`a folder ${it} is refused`, () => {
    make()
    assert.throws(() => nearFolder('sluice-test', state), { code: 'NODE_DRIVER', where: folder })
  })

test(
  'the folder of another user is refused',
  { skip: process.getuid?.() !== 0 && 'only root may give folders away' },
  () => {
    mkdirSync(folder, { mode: 0o700 })
    chownSync(folder, 12_345, 12_345)
    assert.throws(() => nearFolder('sluice-test', state), { code: 'NODE_DRIVER' })
  },
)
