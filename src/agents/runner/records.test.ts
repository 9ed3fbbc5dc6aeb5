import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { openRecords, type RunRecord } from './records.ts'

const push = (before: string, after: string) => ({
  repository: 'app',
  ref: 'refs/heads/main',
  before,
  after,
  user: 'a',
})

test('a push is taken once, also when the process ended before it had written that it took it', (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-records-'))
  t.after(() => rmSync(dir, { recursive: true, force: true }))
  assert.ok(openRecords(dir).accept(push('0', '1')))
  rmSync(join(dir, 'last-pushes.json'))
  const again = openRecords(dir)
  assert.equal(again.lastTold(push('', '')), '1')
  assert.equal(again.accept(push('0', '1')), undefined)
  assert.equal(again.pending().length, 1)
  assert.ok(again.accept(push('1', '2')))
  assert.equal(openRecords(dir).lastTold(push('', '')), '2')
})

test('a branch that was deleted is forgotten at the next push, and may come again', (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-records-'))
  t.after(() => rmSync(dir, { recursive: true, force: true }))
  const none = '0'.repeat(40)
  const topic = (before: string, after: string) => ({ ...push(before, after), ref: 'refs/heads/topic' })
  const records = openRecords(dir)
  for (const one of [topic(none, '1'), topic('1', none)]) assert.ok(records.accept(one))
  assert.equal(records.accept(topic('1', none)), undefined, 'told again')
  assert.ok(records.accept(push('0', '1')))
  assert.deepEqual(Object.keys(JSON.parse(readFileSync(join(dir, 'last-pushes.json'), 'utf8')) as object), [
    'app refs/heads/main ',
  ])
  assert.ok(openRecords(dir).accept(topic(none, '1')))
})

test('runs that ended long ago are forgotten with their logs, but for the last of each workflow and ref', (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-records-'))
  t.after(() => rmSync(dir, { recursive: true, force: true }))
  const records = openRecords(dir)
  const event: RunRecord['event'] = {
    ...{ name: 'push', ref: 'refs/heads/main', commit: 'c', before: 'b', actor: 'a', message: 'm', changedPaths: [] },
  }
  const run = (id: string, more: Partial<RunRecord> = {}): RunRecord => ({
    ...{ id, number: 1, attempt: 1, repository: 'app', workflow: 'CI', path: 'ci.yml', event, state: 'succeeded' },
    ...{ queuedAtMs: 1, endedAtMs: 2 },
    ...more,
  })
  const all = [run('old'), run('active', { state: 'running' }), run('last'), run('other', { path: 'other.yml' })]
  for (const one of all) {
    records.save(one)
    mkdirSync(records.logFolder(one.id))
  }
  assert.deepEqual(records.forget(2, { dryRun: false }), [])
  assert.deepEqual(
    records.forget(3, { dryRun: true }).map(({ id }) => id),
    ['old'],
  )
  assert.equal(records.list().length, 4)
  records.forget(3, { dryRun: false })
  assert.deepEqual(
    records.list().map(({ id }) => id),
    ['active', 'last', 'other'],
  )
  assert.equal(existsSync(records.logFolder('old')), false)
  assert.deepEqual(openRecords(dir).get('old'), undefined)
})
