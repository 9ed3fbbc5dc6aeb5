import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { endLeftovers } from './leftovers.ts'

const placeOf = (uid: string) => ({ uid, ip: '' })

test('what is left of former pods is ended, whatever becomes of one of them', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'leftovers-'))
  t.after(() => rmSync(folder, { recursive: true }))
  for (const uid of ['here', 'folder']) mkdirSync(join(folder, uid))
  const known = new Set(['here'])
  const said: string[] = []
  const removed: string[] = []
  const driver = {
    podFolder: (uid: string) => join(folder, uid),
    async list() {
      // comes while the driver answers, and has its place already
      known.add('new')
      return { sandboxes: ['here', 'stuck', 'new', 'gone'].map(placeOf), containers: [] }
    },
    async removeSandbox(uid: string) {
      if (uid === 'stuck') throw new Error('busy')
      removed.push(uid)
    },
  }
  await endLeftovers(
    driver,
    (uid) => known.has(uid),
    (line) => void said.push(line),
  )
  assert.deepEqual(removed, ['gone', 'folder'])
  assert.deepEqual(said, ['node: what is left of pod stuck cannot be ended: busy'])
})

test('a driver that cannot say what is left of former pods stops nothing', async () => {
  const said: string[] = []
  const driver = {
    podFolder: (uid: string) => `/nonexistent/${uid}`,
    list: () => Promise.reject(new Error('no answer')),
    removeSandbox: () => Promise.resolve(),
  }
  await endLeftovers(
    driver,
    () => false,
    (line) => void said.push(line),
  )
  assert.deepEqual(said, ['node: what is left of former pods cannot be ended: no answer'])
})
