import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NO_HELPERS } from '../../../tests/support/no-helpers.ts'
import { foldFacts } from '../../../tests/support/fold-facts.ts'
import type { FactBody } from '../../pipeline/record/fact.ts'
import { historyViews, traceViews } from './trace-view.ts'

const [BAD, FIX] = ['bad0001', 'f1f0002']
const of = (commit: string) => ({ kustomization: 'flux-system/staging', revision: `main@sha1:${commit}` })
const push = (commit: string): FactBody => ({
  ...{ kind: 'push', repository: 'vps', ref: 'refs/heads/main', commit, before: '', author: 'ada' },
  ...{ message: 'x', committedAt: '' },
})
const workloads = [{ namespace: 'staging', name: 'web', images: ['r/web:1'] }]
const build = (commit: string): FactBody => ({ kind: 'build', ...of(commit), ok: true, workloads })
const broken = (commit: string): FactBody => ({
  ...{ kind: 'build', ...of(commit), ok: false, cause: 'web.yaml:3: bad', workloads: [] },
})
const changes = [{ object: 'Deployment/staging/web', action: 'configured' }]
const planned = (commit: string): FactBody => ({ kind: 'apply', ...of(commit), ok: true, changes, intended: true })
const refused = (commit: string): FactBody => ({
  ...{ kind: 'apply', ...of(commit), ok: false, cause: 'unknown field', changes: [] },
})
const unchanged = (commit: string): FactBody => ({ kind: 'apply', ...of(commit), ok: true, changes: [] })
const healthy = (commit: string): FactBody => ({ kind: 'health', ...of(commit), state: 'healthy' })
const run = (state: 'running' | 'failed' | 'succeeded'): FactBody => ({
  ...{ kind: 'run', runId: '1', workflow: 'Lint', event: 'push', ref: 'refs/heads/x', commit: BAD, state },
  ...(state === 'failed' ? { cause: 'step Lint: exit code 1' } : {}),
})
const filtered = (commit: string): FactBody => ({
  ...{ kind: 'apply', ...of(commit), ok: true },
  changes: [{ object: 'ImagePolicy/staging/web', action: 'configured' }],
})
const policy = (cause?: string): FactBody => ({
  ...{ kind: 'policy', policy: 'staging/web', image: 'r/web', tag: cause === undefined ? '1' : '', considered: 2 },
  ...(cause === undefined ? {} : { cause }),
})
const fixed = [push(FIX), build(FIX), unchanged(FIX), healthy(FIX)]
const refusedOnce = [push(BAD), build(BAD), planned(BAD), refused(BAD)]

const ledgerOf = (facts: readonly FactBody[]) =>
  foldFacts(facts.map((fact, index) => ({ at: `2026-01-01T00:00:${String(index).padStart(2, '0')}Z`, ...fact })))

const cases: { it: string; facts: readonly FactBody[]; what?: string; want: string[] }[] = [
  {
    it: 'a build failed on',
    facts: [push(BAD), broken(BAD)],
    want: [
      'staging failed build: web.yaml:3: bad: push done, source done, build failed, apply waiting, health waiting',
    ],
  },
  {
    it: 'was refused, and stays so when a later commit heals it',
    facts: [...refusedOnce, ...fixed],
    want: ['staging failed apply: unknown field: push done, source done, build done, apply failed, health waiting'],
  },
  {
    it: 'healed another one and changes nothing that runs',
    facts: [...refusedOnce, ...fixed],
    what: FIX,
    want: ['staging done changes no service: push done, source done, build done, apply done, health done'],
  },
  {
    it: 'was refused until the cluster had what it needs',
    facts: [...refusedOnce, build(BAD), unchanged(BAD), healthy(BAD)],
    want: ['staging done changes no service: push done, source done, build done, apply done, health done'],
  },
  {
    it: 'no Kustomization has met',
    facts: [push(BAD)],
    want: [' done pushed; it has changed no service so far: push done'],
  },
  {
    it: 'only set off a run that failed',
    facts: [push(BAD), run('failed')],
    want: [' failed ci: Lint failed: step Lint: exit code 1: push done, ci failed'],
  },
  {
    it: 'left a policy without a tag that it takes',
    facts: [
      ...[push(BAD), build(BAD), filtered(BAD), policy('none of 2 tags qualifies'), healthy(BAD)],
      ...[push(FIX), build(FIX), unchanged(FIX)],
    ],
    want: [
      'staging failed policy staging/web: none of 2 tags qualifies: push done, policy failed, write-back waiting, source waiting, build waiting, apply waiting, health waiting',
      'staging done changes no service: push done, source done, build done, apply done, health done',
    ],
  },
  {
    it: 'mended a policy',
    facts: [push(BAD), build(BAD), filtered(BAD), policy('no'), push(FIX), build(FIX), filtered(FIX), policy()],
    what: FIX,
    want: ['staging running undefined: push done, source done, build done, apply done, health waiting'],
  },
  { it: 'nobody knows', facts: [push(FIX)], want: [] },
]
for (const { it, facts, what = BAD, want } of cases)
  test(`trace tells of a commit that ${it}`, () => {
    const said = traceViews(ledgerOf(facts), what.slice(0, 5), NO_HELPERS).map(
      ({ environment, state, cause, borders }) =>
        `${environment} ${state} ${cause}: ${borders.map((border) => `${border.name} ${border.state}`).join(', ')}`,
    )
    assert.deepEqual(said, want)
  })

test('history lists what was refused, and does not call it healthy after it was taken back', () => {
  const said = historyViews(ledgerOf([...refusedOnce, ...fixed]), { limit: 9 }, NO_HELPERS)
  assert.deepEqual(
    said.map(({ commit, state }) => [commit, state]),
    [[BAD, 'failed']],
  )
})

test('trace of a service is its last delivery in each environment; what was overtaken comes last', () => {
  const applied = (commit: string): FactBody => ({ kind: 'apply', ...of(commit), ok: true, changes })
  const ledger = ledgerOf([push(BAD), build(BAD), applied(BAD), push(FIX), build(FIX), applied(FIX), healthy(FIX)])
  const said = (what: string) => traceViews(ledger, what, NO_HELPERS).map(({ commit, state }) => [commit, state])
  assert.deepEqual(said('web'), [[FIX, 'done']])
  assert.deepEqual(said('wep'), [])
  assert.deepEqual(
    historyViews(ledger, { limit: 9 }, NO_HELPERS).map(({ commit, state }) => [commit, state]),
    [
      [FIX, 'done'],
      [BAD, 'superseded'],
    ],
  )
})
