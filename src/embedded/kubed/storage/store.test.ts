import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import Database from 'libsql'
import type { Obj } from '../object.ts'
import { untilShowable } from './durable.ts'
import { type Journal, sqliteJournal } from './journal.ts'
import { openStore, type Store } from './store.ts'

const KEY = '/configmaps'

function inFolder(run: (file: string) => Promise<void>): () => Promise<void> {
  return async () => {
    const dir = mkdtempSync(join(tmpdir(), 'kubed-store-'))
    await run(join(dir, 'objects.db')).finally(() => rmSync(dir, { recursive: true, force: true }))
  }
}

const open = (file: string, nowMs = (): number => 0): Store =>
  openStore(sqliteJournal(file), { nowMs, failed: (error) => assert.fail(String(error)) })

const map = (namespace: string, name: string, value: string, labels: Record<string, string> = {}): Obj => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace, uid: `${namespace}-${name}`, labels },
  data: { value },
})

/** Random numbers that a seed repeats. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed * 2654435761 + 1
  return (below) => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) >>> 0
    return (state >>> 8) % below
  }
}

const valuesOf = (store: Store, range: Parameters<Store['select']>[1]): string[] => {
  const selected = store.select(KEY, range)
  assert.ok(selected)
  return selected.places.flatMap((place) => {
    const stored = selected.at(place)
    return stored === undefined ? [] : [`${place}=${String((stored.object.data as { value: string }).value)}`]
  })
}

test(
  'the store is what a plain map would be, at every version it remembers, and after a restart',
  inFolder(async (file) => {
    for (let seed = 1; seed <= 12; seed++) {
      const random = randomFrom(seed)
      let store = open(`${file}${seed}`)
      const model = new Map<string, { value: string; label: string }>()
      const states: { version: number; model: Map<string, { value: string; label: string }> }[] = []
      const shown = (of: typeof model, namespace = '', after = '', label = ''): string[] =>
        [...of]
          .filter(([place]) => place.startsWith(namespace === '' ? '' : `${namespace}/`) && place > after)
          .filter(([, each]) => label === '' || each.label === label)
          .map(([place, { value }]) => `${place}=${value}`)
          .sort()
      for (let step = 0; step < 150; step++) {
        const namespace = ['a', 'a-b', 'b'][random(3)] ?? 'a'
        const name = `m${random(8)}`
        const label = `l${random(3)}`
        const before = store.get(KEY, namespace, name)
        if (random(4) === 0) {
          if (before !== undefined) store.remove(KEY, structuredClone(before))
          model.delete(`${namespace}/${name}`)
        } else {
          store.put(KEY, map(namespace, name, String(step), { label }))
          model.set(`${namespace}/${name}`, { value: String(step), label })
        }
        assert.equal(store.isEmpty(KEY), model.size === 0)
        states.push({ version: store.version(), model: new Map(model) })
        const past = states[random(states.length)]
        assert.ok(past)
        const after = random(2) === 0 ? '' : `a/m${random(8)}`
        assert.deepEqual(
          valuesOf(store, { namespace: 'a', after, version: past.version }),
          shown(past.model, 'a', after),
        )
        assert.deepEqual(valuesOf(store, { after }), shown(model, '', after))
        if (random(3) === 0) {
          const labels = [['label', label]] as const
          assert.deepEqual(valuesOf(store, { namespace, labels }), shown(model, namespace, '', label))
          assert.deepEqual(valuesOf(store, { labels, after }), shown(model, '', after, label))
        }
        if (random(10) === 0) await store.settled()
        if (random(50) > 0) continue
        await store.close()
        store = open(`${file}${seed}`)
        states.length = 0
        assert.equal(store.isEmpty(KEY), model.size === 0)
        assert.deepEqual(valuesOf(store, {}), shown(model))
        assert.equal(store.select(KEY, { version: store.version() - 1 }), undefined)
      }
      await store.close()
    }
  }),
)

test(
  'watchers hear of every change once, in order, when it is durable',
  inFolder(async (file) => {
    const store = open(file)
    const heard: string[] = []
    store.watch(KEY, { namespace: 'a', name: '' }, ({ version, type, stored }) =>
      heard.push(`${version} ${type} ${stored.head.name}`),
    )
    store.watch(KEY, { namespace: 'a', name: 'y' }, ({ version }) => heard.push(`${version} for y alone`))
    store.put(KEY, map('a', 'x', '1'))
    store.put(KEY, map('b', 'x', '1'))
    store.put(KEY, map('a', 'y', '1'))
    assert.deepEqual([heard, store.durable()], [[], 0])
    store.remove(KEY, structuredClone(store.put(KEY, map('a', 'x', '2'))))
    await store.settled()
    assert.deepEqual(heard, ['1 ADDED x', '3 ADDED y', '3 for y alone', '4 MODIFIED x', '5 DELETED x'])
    assert.deepEqual([store.durable(), store.since(KEY, 3)?.map(({ version }) => version)], [5, [4, 5]])
    await store.close()
  }),
)

test(
  'history keeps a thousand changes however old, more of them for five minutes',
  inFolder(async (file) => {
    let nowMs = 0
    const store = open(file, () => nowMs)
    const write = async (count: number): Promise<void> => {
      for (let index = 0; index < count; index++) store.put(KEY, map('a', 'x', String(index)))
      await store.settled()
    }
    await write(3000)
    assert.equal(store.since(KEY, 0)?.length, 3000)
    nowMs = 6 * 60_000
    await write(1)
    assert.equal(store.since(KEY, 0), undefined)
    assert.equal(store.since(KEY, store.version() - 1024)?.length, 1024)
    await store.close()
  }),
)

test(
  'after a start a name is found in all namespaces, and what is found or written first stays what it is',
  inFolder(async (file) => {
    let store = open(file)
    const odd = ['x', 'a]b', '[1,"x",2', 'q"x",', 'é', 'a']
    for (const namespace of ['a', 'b', 'x'])
      for (const name of odd) store.put(KEY, map(namespace, name, `${namespace}${name}`))
    await store.settled()
    await store.close()
    for (const name of odd) {
      store = open(file)
      const wanted = ['a', 'b', 'x'].map((namespace) => `${namespace}/${name}=${namespace}${name}`)
      assert.deepEqual(valuesOf(store, { name }), wanted)
      assert.deepEqual(valuesOf(store, { name: 'none' }), [])
      store.remove(KEY, map('a', name, ''))
      store.put(KEY, map('b', name, 'new'))
      assert.deepEqual(valuesOf(store, { name }), [`b/${name}=new`, wanted[2]])
      assert.equal(valuesOf(store, {}).length, 3 * odd.length - 1)
      store.put(KEY, map('a', name, `a${name}`))
      store.put(KEY, map('b', name, `b${name}`))
      await store.settled()
      await store.close()
    }
  }),
)

const FORMER_TABLES: Readonly<Record<string, readonly [table: string, row: string]>> = {
  'by name': [
    'objects(key text, namespace text, name text, version integer, body text, primary key(key, namespace, name)) without rowid',
    "('/configmaps', 'a', :name, 7, :body)",
  ],
  'with owners': [
    'objects(id integer primary key, key text, namespace text, name text, version integer, uid text, owners text, body text)',
    "(null, '/configmaps', 'a', :name, 7, 'uid', '', :body)",
  ],
}

for (const [what, [table, row]] of Object.entries(FORMER_TABLES))
  test(
    `a folder of an earlier version is taken over: ${what}`,
    inFolder(async (file) => {
      const former = new Database(file)
      former.exec(`create table ${table};
        create table counter(id integer primary key, version integer); insert into counter values(1, 9)`)
      const put = former.prepare(`insert into objects values${row}`)
      for (const object of [map('a', 'x', '1'), map('a', 'y', '2')])
        put.run({ name: object.metadata.name, body: JSON.stringify(object) })
      former.close()
      let store = open(file)
      assert.deepEqual(valuesOf(store, {}), ['a/x=1', 'a/y=2'])
      assert.equal(store.put(KEY, map('a', 'x', '3')).metadata.resourceVersion, '10')
      await store.close()
      store = open(file)
      assert.deepEqual(valuesOf(store, {}), ['a/x=3', 'a/y=2'])
      await store.close()
    }),
  )

const turn = (): Promise<void> => new Promise((done) => setImmediate(() => setImmediate(done)))

/** A journal in memory that keeps nothing. */
const paper = (more: Partial<Journal> = {}): Journal => ({
  ...{ load: () => 0, read: () => '', readMany: () => undefined, commit: () => undefined },
  ...{ sync: async () => undefined, close: () => undefined },
  ...more,
})

test('what is written while the disk is busy waits for it, is part of the past that a list shows, and goes to it together', async () => {
  const commits: string[][] = []
  const syncs: (() => void)[] = []
  const disk = paper({
    commit: (changes) => void commits.push(changes.map(({ head }) => head.name)),
    sync: () => new Promise((done) => syncs.push(done)),
  })
  const store = openStore(disk, { nowMs: () => 0, failed: (error) => assert.fail(String(error)) })
  let settled = 0
  const settle = (): Promise<number> => store.settled().then(() => settled++)
  const { version } = store
  store.put(KEY, map('a', 'x', '1'))
  await turn()
  const first = settle()
  const empty = version()
  store.put(KEY, map('a', 'x', '2'))
  store.put(KEY, map('a', 'y', '1'))
  const second = settle()
  await turn()
  assert.deepEqual([commits, settled, store.durable()], [[['x']], 0, 0])
  assert.deepEqual(valuesOf(store, { version: empty - 1 }), [])
  assert.deepEqual(valuesOf(store, { version: empty }), ['a/x=1'])
  syncs.shift()?.()
  await first
  await turn()
  assert.deepEqual([commits, settled, store.durable()], [[['x'], ['x', 'y']], 1, 1])
  assert.deepEqual(valuesOf(store, { version: empty }), ['a/x=1'])
  syncs.shift()?.()
  await second
  assert.equal(store.durable(), 3)
  await store.close()
})

test('a list shows no past of more than five minutes, even where its changes are known', async () => {
  let nowMs = 0
  const store = openStore(paper(), { nowMs: () => nowMs, failed: (error) => assert.fail(String(error)) })
  for (const value of ['1', '2', '3']) {
    store.put(KEY, map('a', 'x', value))
    nowMs += 2 * 60_000
  }
  await store.settled()
  assert.deepEqual(valuesOf(store, { version: 2 }), ['a/x=2'])
  nowMs += 4 * 60_000
  assert.equal(store.select(KEY, { version: 1 }), undefined)
  assert.deepEqual(valuesOf(store, { version: 3 }), ['a/x=3'])
  await store.close()
})

test('a store whose disk is full ends all the same, and closes its journal', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  let closed = 0
  const disk = paper({
    commit() {
      throw new Error('database or disk is full')
    },
    close: () => void closed++,
  })
  const told: unknown[] = []
  const store = openStore(disk, { nowMs: () => 0, failed: (error) => told.push(error) })
  store.put(KEY, map('a', 'x', '1'))
  await turn()
  assert.equal(told.length, 1)
  const end = store.close()
  t.mock.timers.tick(1_000)
  await end
  assert.deepEqual([closed, told.length], [1, 1])
})

test('what a full disk refuses is neither acknowledged nor shown nor lost, and goes through once there is room', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const names: string[] = []
  let isFull = true
  const disk = paper({
    commit(changes) {
      if (isFull) throw new Error('database or disk is full')
      names.push(...changes.map(({ head }) => head.name))
    },
  })
  const told: unknown[] = []
  const store = openStore(disk, { nowMs: () => 0, failed: (error) => told.push(error) })
  const seen: string[] = []
  store.watch(KEY, { namespace: '', name: '' }, ({ stored }) => seen.push(stored.head.name))
  let isSettled = false
  store.put(KEY, map('a', 'one', '1'))
  const first = store.settled().then(() => (isSettled = true))
  const read = assert.rejects(
    untilShowable(store),
    /the state of the server cannot be written .database or disk is full/,
  )
  await turn()
  store.put(KEY, map('a', 'two', '2'))
  t.mock.timers.tick(1_000)
  await turn()
  assert.deepEqual([store.fault(), isSettled, seen, told.length], ['database or disk is full', false, [], 1])
  await read // which began in the same turn as the write

  isFull = false
  t.mock.timers.tick(1_000)
  await first
  await store.settled()
  assert.deepEqual([store.fault(), names, seen], [undefined, ['one', 'two'], ['one', 'two']])
  await untilShowable(store)
  await store.close()
})

test(
  'an object is kept decoded as long as it is there, until memory is given back',
  inFolder(async (file) => {
    const store = open(file)
    const first = store.put(KEY, map('default', 'a', 'first'))
    const second = store.put(KEY, map('default', 'a', 'second'))
    const other = store.put(KEY, map('default', 'b', 'other'))
    await store.settled()
    assert.ok(store.get(KEY, 'default', 'a') === second && store.get(KEY, 'default', 'b') === other)
    const gone = store.remove(KEY, map('default', 'b', 'gone'))
    await store.settled()
    const old = store.since(KEY, 0)?.map(({ stored }) => stored.object)
    assert.deepEqual(old, [first, second, other, gone])
    assert.deepEqual(
      old?.map((each, index) => each === [first, second, other, gone][index]),
      [false, true, false, false],
    )
    store.release()
    assert.ok(store.get(KEY, 'default', 'a') !== second)
    assert.deepEqual(store.get(KEY, 'default', 'a'), second)
    await store.close()
  }),
)

test(
  'each write and each deletion of a kind is counted at once',
  inFolder(async (file) => {
    const store = open(file)
    const counts = [store.changes(KEY)]
    for (const write of [store.put, store.put, store.remove]) {
      write(KEY, map('default', 'a', 'b'))
      counts.push(store.changes(KEY), store.changes('/secrets'))
    }
    assert.deepEqual(counts, [0, 1, 0, 2, 0, 3, 0])
    await store.close()
  }),
)
