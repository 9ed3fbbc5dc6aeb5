import assert from 'node:assert/strict'
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { digestOf } from '../../lib/oci/digest.ts'
import { type Change, createCatalog } from './catalog.ts'
import { openJournal, readJournal, rewriteJournal } from './journal.ts'
import { parseRoute } from './route.ts'
import { openStore } from './store.ts'

const routes: [string, unknown][] = [
  ['/v2/', { at: 'ping' }],
  ['/v2/_catalog', { at: 'catalog' }],
  ['/v2/a/b/manifests/1.0', { at: 'manifests', repository: 'a/b', version: '1.0' }],
  ['/v2/a/blobs/sha256:x', { at: 'blobs', repository: 'a', digest: 'sha256:x' }],
  ['/v2/a/blobs/uploads/', { at: 'uploads', repository: 'a', id: undefined }],
  ['/v2/a/blobs/uploads', { at: 'uploads', repository: 'a', id: undefined }],
  ['/v2/a/b/blobs/uploads/1.x', { at: 'uploads', repository: 'a/b', id: '1.x' }],
  ['/v2/manifests/tags/list', { at: 'tags', repository: 'manifests' }],
  ['/v2/a/referrers/sha256:x', { at: 'referrers', repository: 'a', digest: 'sha256:x' }],
  ['/v2/manifests/x', undefined],
  ['/v1/a', undefined],
]
for (const [path, want] of routes) test(`${path} is understood`, () => assert.deepEqual(parseRoute(path), want))

const [one, two] = [digestOf('1'), digestOf('2')]
const entry = (digest: string, subject?: string) => ({
  digest,
  mediaType: 'm',
  size: 1,
  ...(subject ? { subject } : {}),
})

const history: Change[] = [
  { do: 'blob', in: 'a', digest: one },
  { do: 'blob', in: 'b', digest: one },
  { do: 'manifest', in: 'a', entry: entry(two) },
  { do: 'tag', in: 'a', tag: 'z', digest: two },
  { do: 'tag', in: 'a', tag: 'b', digest: two },
  { do: 'tag', in: 'a', tag: 'gone', digest: two },
  { do: 'drop-tag', in: 'a', tag: 'gone' },
  { do: 'drop-blob', in: 'b', digest: one },
]

test('the catalog answers from its changes, and its changes make it again', () => {
  const catalog = createCatalog()
  for (const change of history) catalog.apply(change)
  assert.deepEqual(catalog.tags('a'), ['b', 'z'])
  catalog.apply({ do: 'tag', in: 'a', tag: 'm', digest: two })
  assert.deepEqual(catalog.tags('a'), ['b', 'm', 'z'])
  assert.equal(catalog.digestOfTag('a', 'z'), two)
  assert.equal(catalog.hasBlob('b', one), false)
  assert.equal(catalog.holderOf(one), 'a')
  assert.equal(catalog.isUsed(one), true)
  assert.equal(catalog.tags('nope'), undefined)
  const again = createCatalog()
  for (const change of catalog.changes()) again.apply(change)
  assert.deepEqual(again.changes(), catalog.changes())
})

test('a manifest that goes is no referrer any more, and its content is unused', () => {
  const catalog = createCatalog()
  catalog.apply({ do: 'manifest', in: 'a', entry: entry(two, one) })
  assert.deepEqual(
    catalog.referrers('a', one).map(({ digest }) => digest),
    [two],
  )
  catalog.apply({ do: 'drop-manifest', in: 'a', digest: two })
  assert.deepEqual(catalog.referrers('a', one), [])
  assert.equal(catalog.isUsed(two), false)
})

test('a journal that was cut by a crash goes on after its last whole line', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-journal-'))
  const path = join(folder, 'names.jsonl')
  try {
    const first = openJournal(path)
    await Promise.all(history.map((change) => first.append([change])))
    await first.close()
    appendFileSync(path, '[{"do":"tag","in":"a","tag":"torn')
    assert.deepEqual(readJournal(path).changes, history)
    const second = openJournal(path)
    await second.append([{ do: 'tag', in: 'a', tag: 'after', digest: two }])
    await second.close()
    assert.deepEqual(readJournal(path).changes, [...history, { do: 'tag', in: 'a', tag: 'after', digest: two }])
    rewriteJournal(path, history.slice(0, 1))
    assert.equal(readFileSync(path, 'utf8'), `${JSON.stringify(history.slice(0, 1))}\n`)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

test('a line that lost only its newline is no line: what is read is what stays', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-journal-'))
  const path = join(folder, 'names.jsonl')
  try {
    writeFileSync(path, `${JSON.stringify(history)}\n${JSON.stringify([history[0]])}`)
    const before = readJournal(path).changes
    await openJournal(path).close()
    assert.deepEqual(before, history)
    assert.deepEqual(readJournal(path).changes, history)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

test('what is damaged in the middle of a journal costs what stood there, and is told and kept aside', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-journal-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const path = join(folder, 'names.jsonl')
  const line = (...changes: object[]): string => `${JSON.stringify(changes)}\n`
  const tag = (name: string): object => ({ do: 'tag', in: 'a', tag: name, digest: one })
  const manifest = { do: 'manifest', in: 'a', entry: entry(one) }
  const damages = [
    '\0\0\0\n',
    line({ do: 'tag', in: 'a', tag: 'x', digest: '../../etc' }),
    line({ do: 'fly', in: 'a' }),
  ]
  for (const [index, damage] of damages.entries()) {
    const text = `${line(manifest, tag('before'))}${damage}${line(tag('after'))}[{"do":"tag"`
    writeFileSync(path, text)
    const told: string[] = []
    const store = openStore(folder, (message) => told.push(message))
    assert.deepEqual(store.catalog.tags('a'), ['after', 'before'])
    await store.commit([{ do: 'tag', in: 'a', tag: 'later', digest: one }])
    await store.close()
    assert.match(told.join('\n'), /names\.jsonl cannot be read at line 2: /)
    assert.equal(readFileSync(`${path}.damaged-${index + 1}`, 'utf8'), text)
    const again = openStore(folder, (message) => told.push(message))
    assert.deepEqual(again.catalog.tags('a'), ['after', 'before', 'later'])
    await again.close()
    assert.equal(told.length, 1)
  }
})

test('a journal whose end is damaged and readable no further is cut there, in silence', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-journal-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const path = join(folder, 'names.jsonl')
  for (const end of ['\0\0\n', '\0\n\0\n[{"do"', '\n\n', '']) {
    writeFileSync(path, `${JSON.stringify(history)}\n${end}`)
    const told: string[] = []
    await openStore(folder, (message) => told.push(message)).close()
    assert.deepEqual(told, [])
    assert.equal(readFileSync(path, 'utf8'), `${JSON.stringify(history)}\n`)
  }
})
