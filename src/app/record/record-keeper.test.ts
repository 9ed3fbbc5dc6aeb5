import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Fact, FactBody } from '../../pipeline/record/fact.ts'
import { type FactLog, keepRecord } from './record-keeper.ts'

/** A log in memory that is never so long that anything of it is past. */
const logOf = (kept: Fact[], before: readonly Fact[] = []): FactLog => ({
  append: (fact) => void kept.push(fact),
  kept: () => ({ snapshot: undefined, facts: before, before: [] }),
  checkpoint: () => false,
  find: () => [],
  newest: () => [],
})

const clock = { nowMs: () => 1_000 }
const source = (commit: string): FactBody => ({
  kind: 'source',
  source: 'a/b',
  revision: `main@sha1:${commit}`,
  commit,
})

test('facts are kept in order, each later than the last, also when the clock stands still or went back', () => {
  const kept: Fact[] = [{ at: '1970-01-01T00:00:05.000Z', ...source('0') }]
  const keeper = keepRecord(logOf(kept, [...kept]), clock)
  const told: string[] = []
  keeper.subscribe((fact) => told.push(fact.at))
  keeper.report(source('1'))
  keeper.report(source('2'))
  assert.deepEqual(told, ['1970-01-01T00:00:05.001Z', '1970-01-01T00:00:05.002Z'])
  assert.deepEqual(
    keeper.recent().map((fact) => fact.at),
    kept.map((fact) => fact.at),
  )
})

test('what a start tells again is kept once', () => {
  const kept: Fact[] = []
  const keeper = keepRecord(logOf(kept), clock)
  const run = { kind: 'run', runId: '1', workflow: 'w', event: 'push', ref: 'refs/heads/main', commit: 'c' } as const
  const pod = { kind: 'pod', namespace: 'a', workload: 'w', pod: 'w-1', image: 'i', digest: 'sha256:1' } as const
  const told: readonly FactBody[] = [
    { ...run, state: 'succeeded' },
    { ...pod, ready: true },
  ]
  for (const fact of [...told, ...told]) void keeper.report(fact)
  assert.equal(kept.length, 2)
  void keeper.report({ ...pod, ready: false })
  assert.equal(kept.length, 3)
})

test('the push of an image comes before the policy that selects it, and is told once, whoever tells first', () => {
  const kept: Fact[] = []
  const keeper = keepRecord(logOf(kept), clock)
  const image = { kind: 'image', image: 'r/web', tag: '1', digest: 'sha256:1', commit: 'c', runId: '1' } as const
  void keeper.report({ ...image, intended: true })
  void keeper.report({ kind: 'policy', policy: 'default/web', image: 'r/web', tag: '1', considered: 1 })
  void keeper.report(image)
  void keeper.report(image)
  assert.deepEqual(
    kept.map((fact) => ('intended' in fact ? `${fact.kind} intended` : fact.kind)),
    ['image intended', 'image', 'policy'],
  )
})

const later = { at: '2026-01-01T00:00:00.000Z', kind: 'promotion' } as unknown as Fact
for (const { where, kept } of [
  { where: 'to fold', kept: { facts: [later], before: [] } },
  { where: 'behind a checkpoint', kept: { facts: [], before: [later] } },
])
  test(`a fact of a kind that a later version tells is refused by name among those ${where}`, () => {
    const log = { ...logOf([]), kept: () => ({ snapshot: undefined, ...kept }) }
    assert.throws(() => keepRecord(log, clock), { code: 'STATE_NEWER', message: /of the kind promotion/ })
  })
