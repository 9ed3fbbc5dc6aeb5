import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { type Change, type Journal, sqliteJournal } from './journal.ts'

const put = (id: number, version: number): Change => ({
  head: { id, version, key: '/configmaps', namespace: 'default', name: `c${id}` },
  text: `text ${version}`,
})
const gone = (id: number, version: number): Change => ({ ...put(id, version), text: undefined })

/** A file in a folder that goes with the test. */
function fileFor(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'kubed-journal-'))
  t.after(() => rmSync(dir, { recursive: true, force: true }))
  return join(dir, 'objects.db')
}

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
    const file = fileFor(t)
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

/** Of a page in the WAL: its content and its head. */
const FRAME_BYTES = 4096 + 24

test('a commit of a small object writes the page that it lies in and no other', (t) => {
  const file = fileFor(t)
  const journal = sqliteJournal(file)
  const walBytes = (): number => statSync(`${file}-wal`).size
  journal.commit([put(1, 1)])
  const before = walBytes()
  journal.commit([put(2, 2)])
  const written = walBytes() - before
  journal.close()
  assert.equal(written, FRAME_BYTES)
})

const lasts: readonly { it: string; commits: Change[][]; want: number }[] = [
  { it: 'that of the newest object', commits: [[put(1, 1), put(2, 2)], [put(1, 3)]], want: 3 },
  { it: 'that of what was deleted last', commits: [[put(1, 1)], [gone(1, 2)]], want: 2 },
  { it: 'that of an object made after it', commits: [[put(1, 1)], [gone(1, 2)], [put(3, 3)]], want: 3 },
  {
    it: 'that of the last of several deleted',
    commits: [
      [put(1, 1), put(2, 2)],
      [gone(1, 3), gone(2, 4)],
    ],
    want: 4,
  },
  { it: 'that of a deletion behind a change', commits: [[put(1, 1)], [put(2, 2), gone(1, 3)]], want: 3 },
  { it: 'that of a change behind a deletion', commits: [[put(1, 1)], [gone(1, 2), put(3, 3)], [gone(3, 4)]], want: 4 },
]
for (const { it, commits, want } of lasts)
  test(`the last version of a journal is ${it}`, (t) => {
    const file = fileFor(t)
    const journal = sqliteJournal(file)
    for (const changes of commits) journal.commit(changes)
    journal.close()
    const again = sqliteJournal(file)
    const last = again.load(() => undefined)
    again.close()
    assert.equal(last, want)
  })

test('a journal of more objects than are read at once is read whole', (t) => {
  const file = fileFor(t)
  const changes = Array.from({ length: 7 }, (_, index) => put(index + 1, index + 1))
  const journal = sqliteJournal(file)
  journal.commit(changes)
  journal.close()
  for (const rowsAtOnce of [1, 3, 7, 8]) {
    const again = sqliteJournal(file, rowsAtOnce)
    assert.deepEqual([...contentsOf(again).keys()], [1, 2, 3, 4, 5, 6, 7])
    again.close()
  }
})

test('a commit that fails leaves nothing behind, and the next one goes through', (t) => {
  const journal = sqliteJournal(fileFor(t))
  journal.commit([put(1, 1)])
  const broken = { ...put(3, 3), text: {} as string }
  assert.throws(() => journal.commit([gone(1, 2), broken]))
  assert.deepEqual([...contentsOf(journal).values()], ['c1 1 text 1'])
  journal.commit([gone(1, 2), put(3, 3)])
  assert.deepEqual([...contentsOf(journal).values()], ['c3 3 text 3'])
  journal.close()
})

test('many texts are read at once', (t) => {
  const journal = sqliteJournal(fileFor(t))
  journal.commit([put(1, 1), put(2, 2), put(3, 3)])
  const read = new Map<number, string>()
  journal.readMany([1, 3, 9], (id, text) => void read.set(id, text))
  journal.close()
  assert.deepEqual(
    read,
    new Map([
      [1, 'text 1'],
      [3, 'text 3'],
    ]),
  )
})
