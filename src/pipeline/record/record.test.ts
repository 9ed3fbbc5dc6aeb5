import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Fact } from './fact.ts'
import { foldFacts } from './fold.ts'
import { history, statusTable, trace } from './queries.ts'

const C = 'c'.repeat(40)
const W = 'd'.repeat(40)
const D = `sha256:${'1'.repeat(64)}`
const image = 'registry.sluice.local/web'
const at = (second: number): string => new Date(second * 1000).toISOString()

const way: readonly Fact[] = [
  {
    at: at(1),
    kind: 'push',
    repository: 'vps',
    ref: 'refs/heads/main',
    commit: C,
    before: '',
    author: 'Ann',
    message: 'fix it',
    committedAt: at(0),
  },
  {
    at: at(2),
    kind: 'run',
    runId: '7',
    workflow: 'web build',
    event: 'push',
    ref: 'refs/heads/main',
    commit: C,
    state: 'running',
  },
  { at: at(3), kind: 'image', image, tag: '1.1.0-main.7', digest: D, commit: C, runId: '7' },
  {
    at: at(4),
    kind: 'run',
    runId: '7',
    workflow: 'web build',
    event: 'push',
    ref: 'refs/heads/main',
    commit: C,
    state: 'succeeded',
  },
  { at: at(5), kind: 'policy', policy: 'default/web', image, tag: '1.1.0-main.7', considered: 3 },
  {
    at: at(6),
    kind: 'write-back',
    automation: 'default/auto',
    branch: 'main',
    commit: W,
    images: [{ image, tag: '1.1.0-main.7' }],
  },
  {
    at: at(6),
    kind: 'push',
    repository: 'vps',
    ref: 'refs/heads/main',
    commit: W,
    before: C,
    author: 'Flux',
    message: 'update',
    committedAt: at(6),
  },
  { at: at(7), kind: 'source', source: 'flux-system/flux-system', revision: `main@sha1:${W}`, commit: W },
  {
    at: at(8),
    kind: 'build',
    kustomization: 'flux-system/production',
    revision: `main@sha1:${W}`,
    ok: true,
    workloads: [{ namespace: 'default', name: 'web', images: [`${image}:1.1.0-main.7`] }],
  },
  {
    at: at(9),
    kind: 'apply',
    kustomization: 'flux-system/production',
    revision: `main@sha1:${W}`,
    ok: true,
    changes: [{ object: 'Deployment/default/web', action: 'configured' }],
  },
  { at: at(10), kind: 'health', kustomization: 'flux-system/production', revision: `main@sha1:${W}`, state: 'healthy' },
  {
    at: at(10),
    kind: 'pod',
    namespace: 'default',
    workload: 'Deployment/web',
    pod: 'web-1',
    image: `${image}:1.1.0-main.7`,
    digest: D,
    ready: true,
  },
]
const until = (second: number): Fact[] => way.filter((fact) => fact.at <= at(second))
const only = (facts: Iterable<Fact>) => {
  const { deliveries } = foldFacts(facts)
  assert.equal(deliveries.length, 1)
  return deliveries[0]!
}
const statesOf = (facts: Iterable<Fact>): string =>
  only(facts)
    .borders.map((one) => one.state[0])
    .join('')

const steps: readonly [it: string, seconds: number, states: string, state: string][] = [
  ['runs in CI', 2, 'drwwwwwww', 'running'],
  ['has its image', 4, 'dddwwwwww', 'waiting'],
  ['is chosen', 5, 'ddddwwwww', 'waiting'],
  ['is written back', 6, 'dddddwwww', 'waiting'],
  ['is built', 8, 'dddddddww', 'waiting'],
  ['is healthy', 10, 'ddddddddd', 'done'],
]
for (const [it, seconds, states, state] of steps)
  test(`a delivery that ${it} stands at ${states}`, () => {
    assert.equal(statesOf(until(seconds)), states)
    assert.equal(only(until(seconds)).state, state)
  })

test('a delivery is joined from commit to pod and found by each of them', () => {
  const record = foldFacts(way)
  const delivery = only(way)
  assert.deepEqual(
    [
      delivery.service,
      delivery.environment,
      delivery.version,
      delivery.commit,
      delivery.configCommit,
      delivery.endedAt,
    ],
    ['web', 'production', '1.1.0-main.7', C, W, at(10)],
  )
  for (const what of [
    C.slice(0, 7),
    W,
    D,
    '1'.repeat(64),
    'web-1',
    'default/web-1',
    '1.1.0-main.7',
    `${image}:1.1.0-main.7`,
    'web:1.1.0-main.7',
  ])
    assert.deepEqual(trace(record, what), [delivery], what)
  assert.deepEqual(trace(record, 'nope'), [])
  assert.deepEqual(history(record, { service: 'web' }), [delivery])
  assert.deepEqual(history(record, { service: 'other' }), [])
})

test('the status table shows what runs now', () => {
  const [cell, ...more] = statusTable(foldFacts(way))
  assert.deepEqual(more, [])
  assert.deepEqual(
    [cell?.service, cell?.environment, cell?.version, cell?.commit, cell?.state],
    ['web', 'production', '1.1.0-main.7', C, 'done'],
  )
  const other = way.map((fact): Fact => (fact.kind === 'pod' ? { ...fact, digest: 'sha256:other' } : fact))
  assert.equal(statusTable(foldFacts(other))[0]?.state, 'running')
})

test('a failure stops a delivery with its cause, and a later success lets it go on', () => {
  const sick: Fact = {
    at: at(10),
    kind: 'health',
    kustomization: 'flux-system/production',
    revision: `main@sha1:${W}`,
    state: 'unhealthy',
    cause: 'Deployment/default/web: back-off',
  }
  const stopped = only([...until(9), sick])
  assert.deepEqual([stopped.state, stopped.cause], ['failed', 'Deployment/default/web: back-off'])
  assert.equal(statusTable(foldFacts([...until(9), sick]))[0]?.cause, 'Deployment/default/web: back-off')
  const healthy: Fact = { ...sick, at: at(11), state: 'healthy', cause: undefined } as Fact
  assert.equal(only([...until(9), sick, healthy]).state, 'done')
})

test('a delivery that ended stays as it ended', () => {
  const later: Fact = {
    at: at(99),
    kind: 'health',
    kustomization: 'flux-system/production',
    revision: `main@sha1:${W}`,
    state: 'unhealthy',
    cause: 'later',
  }
  const drift: Fact = {
    at: at(99),
    kind: 'apply',
    kustomization: 'flux-system/production',
    revision: `main@sha1:${W}`,
    ok: true,
    changes: [{ object: 'Deployment/default/web', action: 'configured', drift: true }],
  }
  assert.deepEqual(only([...way, later, drift]), only(way))
})

test('failed CI ends a delivery at CI; a pull request is named as one', () => {
  const run: Fact = {
    at: at(3),
    kind: 'run',
    runId: '7',
    workflow: 'web build',
    event: 'push',
    ref: 'refs/heads/main',
    commit: C,
    state: 'failed',
    cause: 'step test: exit code 1',
  }
  const failed = only([...until(1), run])
  assert.deepEqual([failed.state, failed.cause], ['failed', 'web build failed: step test: exit code 1'])
  const request: Fact = { ...run, event: 'pull_request', state: 'running', cause: undefined } as Fact
  assert.equal(only([...until(1), request]).environment, 'pull request to main')
})

test('a commit of manifests only is delivered without an image', () => {
  const facts = way.filter(
    (fact) =>
      !['image', 'run', 'policy', 'write-back', 'pod'].includes(fact.kind) &&
      !(fact.kind === 'push' && fact.commit === C),
  )
  const delivery = only(facts)
  assert.deepEqual([delivery.commit, delivery.service, delivery.version, delivery.state], [W, 'web', '', 'done'])
})

test('a policy that selects nothing is the cause', () => {
  const none: Fact = {
    at: at(5),
    kind: 'policy',
    policy: 'default/web',
    image,
    tag: '',
    considered: 3,
    cause: 'none of 3 tags qualifies',
  }
  assert.equal(only([...until(4), none]).cause, 'default/web: none of 3 tags qualifies')
})

test('folding is the same for any order of arrival and for repeated facts', () => {
  const want = foldFacts(way)
  let seed = 7
  for (let round = 0; round < 200; round++) {
    const facts = [...way, ...way.filter((_, i) => (i * 31 + round) % 3 === 0)]
    for (let i = facts.length - 1; i > 0; i--) {
      seed = (seed * 1103515245 + 12345) % 2147483648
      const j = seed % (i + 1)
      ;[facts[i], facts[j]] = [facts[j]!, facts[i]!]
    }
    assert.deepEqual(foldFacts(facts), want)
  }
})
