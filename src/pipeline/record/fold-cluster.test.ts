import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  applied,
  apply,
  at,
  before,
  build,
  built,
  C,
  D,
  health,
  IMAGE,
  image,
  KUSTOMIZATION,
  pod,
  push,
  run,
  source,
  W,
  whole,
  writeBack,
} from '../../../tests/support/delivery-facts.ts'
import { foldFacts } from '../../../tests/support/fold-facts.ts'
import type { AppliedChange, FactBody } from './fact.ts'
import { cellsOf, commitTraceOf, historyOf } from './query.ts'

const deliveryOf = (facts: readonly FactBody[]) => historyOf(foldFacts(at(facts)), { limit: 1 })[0]
const intended = (fact: FactBody): FactBody => ({ ...fact, intended: true }) as FactBody
const changed = (...changes: readonly AppliedChange[]): FactBody => ({ ...apply(), changes }) as FactBody
const of = (fact: FactBody, workload: object): FactBody =>
  fact.kind === 'build' ? { ...fact, workloads: fact.workloads.map((one) => ({ ...one, ...workload })) } : fact

test('a source is a border of the deliveries of its commit alone', () => {
  const borderOf = (fact: FactBody) => deliveryOf([...built, writeBack, fact])?.borders.source?.detail
  assert.equal(borderOf(source), `flux-system/git is at main@sha1:${W}`)
  assert.equal(borderOf({ ...source, commit: C } as FactBody), undefined)
})

const job = { namespace: 'default', name: 'web', images: ['h/tool:1'] }
for (const order of ['first', 'last'] as const)
  test(`a Deployment needs its pods though a CronJob of its name stands ${order} in the build`, () => {
    const built = of(build('1.1.0'), { needsPods: true }) as Extract<FactBody, { kind: 'build' }>
    const both = { ...built, workloads: order === 'first' ? [job, ...built.workloads] : [...built.workloads, job] }
    const state = deliveryOf([...applied.slice(0, -2), both, apply(), health('healthy')])?.state
    assert.equal(state, 'running')
  })

test('a service whose pods nothing needs is healthy without any', () => {
  assert.equal(deliveryOf([...applied, health('healthy')])?.borders.health?.detail, 'healthy')
  assert.equal(deliveryOf(whole)?.borders.health?.detail, 'healthy, 1 pod on this digest')
  const two = { ...pod(D), pod: 'web-2' } as FactBody
  assert.equal(
    deliveryOf([...applied, pod(D), two, health('healthy')])?.borders.health?.detail,
    'healthy, 2 pods on this digest',
  )
})

test('a pod that is not ready is none that a delivery waits for', () => {
  const needy = applied.map((fact) => of(fact, { needsPods: true }))
  const unready = { ...pod(D), ready: false } as FactBody
  assert.equal(deliveryOf([...needy, health('healthy'), unready])?.state, 'running')
})

for (const { it, told, digest } of [
  { it: 'proves an image that was about to be pushed, and', told: [intended(image)], digest: D },
  { it: 'of an image that nobody told of', told: [], digest: undefined },
])
  test(`what Git shows ${it} goes on with the delivery of its run`, () => {
    const facts = [...before, push(C, 'x'), run('running'), ...told, intended(writeBack), build('1.1.0')]
    const [delivery, ...more] = historyOf(foldFacts(at(facts)), { limit: 9 })
    assert.deepEqual(more, [])
    assert.deepEqual(
      [delivery?.runId, delivery?.digest, delivery?.version, delivery?.borders.build?.state, delivery?.configCommit],
      ['1', digest, '1.1.0', 'done', W],
    )
  })

test('an apply that was intended for an earlier revision was done when a later one went through', () => {
  const V = 'e'.repeat(40)
  const facts = [build('1.0.0', V), intended(apply(V)), build('1.0.0', W), changed()]
  assert.deepEqual(
    historyOf(foldFacts(at(facts)), { limit: 9 }).map(({ commit, kind }) => [commit, kind]),
    [[V, 'config']],
  )
})

test('an apply that was intended by a Kustomization that was deleted is done by none of its name', () => {
  const gone: FactBody = { kind: 'deletion', kustomization: KUSTOMIZATION }
  const facts = [build('1.0.0'), intended(apply()), gone, build('1.0.0'), changed()]
  assert.deepEqual(historyOf(foldFacts(at(facts)), { limit: 9 }), [])
})

const POLICY = 'ImagePolicy/default/web'
const policies: { it: string; change: AppliedChange; want: string | undefined }[] = [
  { it: 'that it changed', change: { object: POLICY, action: 'configured' }, want: W },
  { it: 'that it left as it was', change: { object: POLICY, action: 'unchanged' }, want: undefined },
  { it: 'that it set back to Git', change: { object: POLICY, action: 'configured', drift: true }, want: undefined },
  { it: 'of another kind', change: { object: 'Service/default/web', action: 'configured' }, want: undefined },
]
for (const { it, change, want } of policies)
  test(`a commit is ${want === undefined ? 'not ' : ''}the cause of what a policy selects ${it}`, () =>
    assert.equal(foldFacts(at([build('1.0.0'), changed(change)])).policyCommits.get('default/web'), want))

const details: { it: string; changes: readonly AppliedChange[]; passage: string; delivery: string }[] = [
  { it: 'nothing', changes: [], passage: 'nothing to change', delivery: '' },
  {
    it: 'one object',
    changes: [
      { object: 'Deployment/default/web', action: 'configured' },
      { object: 'Service/default/web', action: 'unchanged' },
    ],
    passage: '1 object changed',
    delivery: 'Deployment/default/web configured',
  },
  {
    it: 'two objects, and leaves a third to others',
    changes: [
      { object: 'Deployment/default/web', action: 'configured' },
      { object: 'Service/default/web', action: 'created' },
      { object: 'Secret/default/web', action: 'skipped' },
    ],
    passage: '2 objects changed',
    delivery: 'Deployment/default/web configured, Service/default/web created, Secret/default/web skipped',
  },
]
for (const { it, changes, passage, delivery } of details)
  test(`an apply that changes ${it} says so`, () => {
    const ledger = foldFacts(at([...applied.slice(0, -1), changed(...changes)]))
    assert.equal(historyOf(ledger, { limit: 1 })[0]?.borders.apply?.detail, delivery)
    assert.equal([...ledger.passages.values()].at(-1)?.borders.apply?.detail, passage)
  })

const noChange: { it: string; change: AppliedChange }[] = [
  { it: 'is as it was', change: { object: 'Deployment/default/web', action: 'unchanged' } },
  { it: 'is left to others', change: { object: 'Deployment/default/web', action: 'skipped' } },
  { it: 'is none of the Kustomization', change: { object: 'Deployment/default/api', action: 'configured' } },
  { it: 'is a policy of its name', change: { object: POLICY, action: 'configured' } },
]
for (const { it, change } of noChange)
  test(`a workload that ${it} is no delivery`, () =>
    assert.equal(deliveryOf([build('1.0.0'), changed(change)]), undefined))

const both = {
  ...build('1.1.0'),
  workloads: ['web', 'api'].map((name) => ({ ...job, name, images: [`${IMAGE}:1.1.0`] })),
} as FactBody
const unwell = (...objects: readonly string[]): FactBody => ({ ...health('unhealthy', 'timeout'), objects }) as FactBody
const named: { it: string; objects: readonly string[]; web: string; api: string }[] = [
  { it: 'a workload stops that one', objects: ['Deployment/default/api'], web: 'none', api: 'health: timeout' },
  {
    it: 'a workload and something else stops them all',
    objects: ['Deployment/default/api', 'Job/default/migrate'],
    ...{ web: 'health: timeout', api: 'health: timeout' },
  },
  { it: 'something else stops them all', objects: ['Job/default/x'], web: 'health: timeout', api: 'health: timeout' },
]
for (const { it, objects, web, api } of named)
  test(`a health check that names ${it}`, () => {
    const cells = cellsOf(foldFacts(at([both, apply(), unwell(...objects)])))
    assert.deepEqual(
      cells.map(({ service, cause = 'none' }) => [service, cause]),
      [
        ['api', api],
        ['web', web],
      ],
    )
  })

test('a delivery whose pods are still to come is not stopped by another workload that is not healthy', () => {
  const facts = [...applied.slice(0, -2), both, apply(), pod(`sha256:${'0'.repeat(64)}`)]
  assert.equal(deliveryOf([...facts, unwell('Deployment/default/api')])?.state, 'running')
  assert.equal(deliveryOf([...facts, unwell('Deployment/default/web')])?.state, 'failed')
})

const ready: { it: string; facts: readonly FactBody[]; want: string | undefined }[] = [
  { it: 'told so', facts: whole, want: `main@sha1:${W}` },
  { it: 'told so and built again', facts: [...whole, build('1.1.0')], want: `main@sha1:${W}` },
  { it: 'told so and applied again without a change', facts: [...whole, changed()], want: `main@sha1:${W}` },
  { it: 'changed since', facts: [...whole, apply()], want: undefined },
  { it: 'followed by another', facts: [...whole, build('1.1.0', C)], want: undefined },
]
for (const { it, facts, want } of ready)
  test(`a revision is ${want === undefined ? 'not ' : ''}known to be healthy that was ${it}`, () =>
    assert.equal(foldFacts(at(facts)).environments.get(KUSTOMIZATION)?.healthyAt, want))

test('the way of a commit that changes no service begins at its source', () => {
  const broken = { ...build('', C), ok: false, cause: 'bad', workloads: [] } as FactBody
  const bordersOf = (fact: FactBody): object[] =>
    commitTraceOf(foldFacts(at([fact])), C).passages.map(({ borders }) =>
      Object.fromEntries(Object.entries(borders).map(([name, { state, detail }]) => [name, `${state}: ${detail}`])),
    )
  const revision = `done: revision main@sha1:${C}`
  assert.deepEqual(bordersOf(build('1.0.0', C)), [{ source: revision, build: revision }])
  assert.deepEqual(bordersOf(broken), [{ source: revision, build: 'failed: bad' }])
  const unwell = { ...health('unhealthy', 'bad'), revision: `main@sha1:${C}` } as FactBody
  assert.deepEqual(bordersOf(unwell), [{ health: 'failed: bad' }])
})

test('drift that was corrected says what was, and has arrived', () => {
  const drift = deliveryOf([...whole, apply(W, true)])
  assert.deepEqual(
    [drift?.kind, drift?.state, drift?.cause, drift?.borders],
    [
      'drift',
      'done',
      'changed by hand, set back to Git',
      {
        apply: { ...drift?.borders.apply, state: 'done', detail: 'drift corrected: Deployment/default/web configured' },
      },
    ],
  )
})

test('the images of a build are those that Git asks for', () =>
  assert.deepEqual(foldFacts(at(applied)).workloads.get('default/web'), {
    ...{ namespace: 'default', name: 'web', images: [`${IMAGE}:1.1.0`] },
    ...{ kustomization: KUSTOMIZATION, isOwned: true },
  }))
