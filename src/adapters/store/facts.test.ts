import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import Database from 'libsql'
import type { Fact } from '../../pipeline/record/fact.ts'
import { openFactStore } from './facts.ts'

const fact = (commit: string): Fact => ({
  at: '2026-01-01T00:00:00Z',
  kind: 'source',
  source: 'a/b',
  revision: 'r',
  commit,
})

test('facts come back in their order after a restart', () => {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-facts-'))
  const path = join(dir, 'sub', 'record.db')
  const first = openFactStore(path)
  for (const commit of ['1', '2', '3']) first.append(fact(commit))
  first.close()
  const second = openFactStore(path)
  assert.deepEqual(second.kept().facts, [fact('1'), fact('2'), fact('3')])
  second.close()
  rmSync(dir, { recursive: true })
})

test('whoever waits for a fact hears of it when the store is closed', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-facts-'))
  const store = openFactStore(join(dir, 'record.db'))
  const kept = store.append(fact('1'))
  store.close()
  await kept
  rmSync(dir, { recursive: true })
})

test('a fact that comes after the close is no fault of the disk', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-facts-'))
  const store = openFactStore(join(dir, 'record.db'), ({ refusal }) => assert.fail(refusal?.message))
  store.close()
  await store.append(fact('1'))
  rmSync(dir, { recursive: true })
})

test('a disk that refuses the last facts is told as one at the end, too', () => {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-facts-'))
  const path = join(dir, 'record.db')
  const store = openFactStore(path)
  const other = new Database(path)
  other.exec('BEGIN IMMEDIATE')
  void store.append(fact('1'))
  assert.throws(() => store.close(), { code: 'STORE_FULL', where: path })
  other.close()
  rmSync(dir, { recursive: true })
})

test('a fact that was kept survives kill -9', () => {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-facts-'))
  const path = join(dir, 'record.db')
  const script = `
    import { openFactStore } from ${JSON.stringify(resolve('src/adapters/store/facts.ts'))}
    await openFactStore(${JSON.stringify(path)}).append(${JSON.stringify(fact('9'))})
    process.kill(process.pid, 'SIGKILL')`
  const { signal, stderr } = spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script])
  assert.equal(signal, 'SIGKILL', String(stderr))
  const store = openFactStore(path)
  assert.deepEqual(store.kept().facts, [fact('9')])
  store.close()
  rmSync(dir, { recursive: true })
})

test('a disk that refuses facts is told of once, and once when it takes them again', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-facts-'))
  const path = join(dir, 'record.db')
  const told: string[] = []
  const { promise: healed, resolve: heal } = withResolvers()
  const store = openFactStore(
    path,
    ({ refusal }) => {
      told.push(refusal?.code ?? 'healed')
      if (!refusal) heal()
    },
    { retryMs: 1 },
  )
  const awake = setInterval(() => undefined, 60_000) // the store's own timers let a process end
  const other = new Database(path)
  other.exec('BEGIN IMMEDIATE')
  for (const commit of ['1', '2', '3', '4']) await store.append(fact(commit))
  assert.deepEqual(told, ['STORE_FULL'])
  other.exec('ROLLBACK')
  await healed
  assert.deepEqual(told, ['STORE_FULL', 'healed'])
  assert.deepEqual(
    store.kept().facts,
    ['1', '2', '3', '4'].map((commit) => fact(commit)),
  )
  clearInterval(awake)
  other.close()
  store.close()
  rmSync(dir, { recursive: true })
})

test('facts that no longer fit into memory while the disk refuses them are counted as lost, those before them are kept', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-facts-'))
  const path = join(dir, 'record.db')
  const told: string[] = []
  const { promise: healed, resolve: heal } = withResolvers()
  const { promise: overflowed, resolve: overflow } = withResolvers()
  const mostWaitingChars = 2 * JSON.stringify(fact('1')).length
  const store = openFactStore(
    path,
    ({ refusal, lostFacts }) => {
      told.push(refusal === undefined ? `healed, ${lostFacts} lost` : refusal.message.replace(/.*, and/, 'and'))
      if (lostFacts > 0) overflow()
      if (!refusal) heal()
    },
    { retryMs: 1, mostWaitingChars },
  )
  const awake = setInterval(() => undefined, 60_000)
  const other = new Database(path)
  other.exec('BEGIN IMMEDIATE')
  await store.append(fact('1'))
  for (const commit of ['2', '3', '4']) await store.append(fact(commit))
  await overflowed
  other.exec('ROLLBACK')
  await healed
  await store.append(fact('5'))
  assert.equal(told.length, 3)
  assert.deepEqual(told.slice(1), [
    'and what waits no longer fits into memory: what happens from now on is missing in it',
    'healed, 2 lost',
  ])
  assert.deepEqual(
    store.kept().facts,
    ['1', '2', '5'].map((commit) => fact(commit)),
  )
  clearInterval(awake)
  other.close()
  store.close()
  rmSync(dir, { recursive: true })
})

test('a checkpoint is whole or none: facts stay while the disk refuses it', () => {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-facts-'))
  const path = join(dir, 'record.db')
  const told: string[] = []
  const store = openFactStore(path, ({ refusal }) => told.push(refusal?.code ?? 'healed'))
  const push = { kind: 'push', at: '2026-01-01T00:00:00Z', repository: 'r', ref: 'main', commit: 'c0ffee' } as const
  const archived = [{ kind: 'push', is: { ...push, before: '', author: '', message: '', committedAt: '' } }] as const
  for (let number = 0; number < 600; number++) void store.append(fact(String(number)))
  const other = new Database(path)
  other.exec('BEGIN IMMEDIATE')
  assert.equal(store.checkpoint('{}', archived), false)
  assert.deepEqual(told, ['STORE_FULL'])
  other.exec('ROLLBACK')
  assert.deepEqual(store.find([{ key: 'commit:c0', isPrefix: true }]), [])
  assert.equal(store.checkpoint('{}', archived), true)
  assert.deepEqual(store.find([{ key: 'commit:c0', isPrefix: true }]), archived)
  assert.deepEqual(store.find([{ key: 'commit:c0' }]), [])
  void store.append(fact('600'))
  store.close()
  const again = openFactStore(path)
  const { snapshot, facts, before } = again.kept()
  assert.deepEqual([snapshot, facts, before.length, before[0]], ['{}', [fact('600')], 500, fact('100')])
  again.close()
  other.close()
  rmSync(dir, { recursive: true })
})

function withResolvers(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => undefined
  const promise = new Promise<void>((done) => (resolve = done))
  return { promise, resolve }
}
