import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { type Change, type Journal, sqliteJournal } from './journal.ts'

const put = (id: number, version: number): Change => ({
  head: { id, version, key: '/configmaps', namespace: 'default', name: `c${id}` },
  text: `text ${version}`,
})
const gone = (id: number, version: number): Change => ({ ...put(id, version), text: undefined })

/** What a journal holds: versions and texts by id. */
function contentsOf(journal: Journal): Map<number, string> {
  const found = new Map<number, string>()
  journal.load((_key, heads) => {
    for (const { id, version, name } of heads.all()) found.set(id, `${name} ${version} ${journal.read(id)}`)
  })
  return found
}

for (const count of [1, 3, 4, 15, 16, 17, 37])
  test(`a commit of ${count} changes, some of the same object, is all of them in their order`, (t) => {
    const dir = mkdtempSync(join(tmpdir(), 'kubed-journal-'))
    t.after(() => rmSync(dir, { recursive: true, force: true }))
    const file = join(dir, 'objects.db')
    const journal = sqliteJournal(file)
    const changes: Change[] = []
    for (let version = 1; version <= count; version++) {
      const id = version % 5 === 0 ? version - 1 : version
      changes.push(version % 7 === 0 ? gone(version - 2, version) : put(id, version))
    }
    journal.commit(changes)
    journal.close()
    const want = new Map<number, string>()
    for (const { head, text } of changes)
      if (text === undefined) want.delete(head.id)
      else want.set(head.id, `${head.name} ${head.version} ${text}`)
    const again = sqliteJournal(file)
    assert.deepEqual(contentsOf(again), want)
    assert.equal(
      again.load(() => undefined),
      count,
    )
    again.close()
  })
