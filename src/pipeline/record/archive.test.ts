import assert from 'node:assert/strict'
import { test } from 'node:test'
import { foldFacts } from '../../../tests/support/fold-facts.ts'
import { archiveRef } from './archive-keys.ts'
import { planArchive, withArchived, withoutArchived } from './archive.ts'
import type { Fact, FactBody } from './fact.ts'
import { cellsOf } from './query.ts'
import { readLedger, writeLedger } from './snapshot.ts'

const BOUNDS = { most: 3, keep: 2, ofService: 1 }
const commitOf = (number: number): string => String(number).padEnd(40, 'a')

/** A commit of `web`, built, chosen and, unless it is to stay on its way, running. */
function delivery(number: number, isOpen = false, service = 'web'): readonly FactBody[] {
  const [commit, config] = [commitOf(number), commitOf(number).replaceAll('a', 'b')]
  const run = { kind: 'run', runId: `r${number}`, workflow: service, event: 'push', ref: 'refs/heads/main' } as const
  const image = { image: `r/${service}`, tag: `1.${number}` }
  const of = { kustomization: 'flux-system/shop', revision: `main@sha1:${config}` }
  return [
    { kind: 'push', repository: 'r', ref: 'main', commit, before: '', author: 'a', message: 'm', committedAt: '' },
    { kind: 'image', ...image, digest: `sha256:${number}`, commit, runId: `r${number}` },
    { ...run, commit, state: 'succeeded' },
    { kind: 'policy', policy: `shop/${service}`, ...image, considered: 1 },
    ...(isOpen
      ? []
      : ([
          {
            kind: 'build',
            ...of,
            ok: true,
            workloads: [{ namespace: 'shop', name: service, images: [`r/${service}:1.${number}`] }],
          },
          { kind: 'apply', ...of, ok: true, changes: [{ object: `Deployment/shop/${service}`, action: 'configured' }] },
          { kind: 'health', ...of, state: 'healthy' },
        ] as const)),
  ]
}

const ledgerOf = (...told: readonly (readonly FactBody[])[]) =>
  foldFacts(told.flat().map((fact, index): Fact => ({ at: new Date(index * 1000).toISOString(), ...fact })))
const refsOf = (ledger: ReturnType<typeof ledgerOf>): readonly string[] =>
  planArchive(ledger, BOUNDS).map(archiveRef).sort()

test('nothing is past while there are few deliveries', () => {
  assert.deepEqual(refsOf(ledgerOf(delivery(1), delivery(2), delivery(3))), [])
})

test('the oldest deliveries leave with their push, run, image and passage', () => {
  const rollbacks = Array.from({ length: 10 }, (_, index) => delivery(index + 3))
  assert.deepEqual(refsOf(ledgerOf(delivery(1), delivery(2), ...rollbacks)), [
    ...['delivery shop/web/image/r/web:1.1', 'delivery shop/web/image/r/web:1.2'],
    ...['image r/web:1.1', 'image r/web:1.2'],
    ...[1, 2].map((number) => `passage flux-system/shop ${commitOf(number).replaceAll('a', 'b')}`),
    ...[1, 2].map((number) => `push ${commitOf(number)}`),
    ...['run r1', 'run r2'],
  ])
})

test('what is on its way stays, and so does what its origin is told by', () => {
  const rest = Array.from({ length: 12 }, (_, index) => delivery(index + 2))
  const ledger = ledgerOf(delivery(1, true, 'jobs'), ...rest)
  const refs = refsOf(ledger)
  assert.ok(refs.includes('delivery shop/web/image/r/web:1.2'))
  for (const ref of ['delivery shop/jobs/image/r/jobs:1.1', 'image r/jobs:1.1', 'run r1', `push ${commitOf(1)}`])
    assert.ok(!refs.includes(ref), ref)
})

test('a ledger as text is the same ledger, and what left it can come back', () => {
  const ledger = ledgerOf(...Array.from({ length: 15 }, (_, index) => delivery(index + 1)))
  const archived = planArchive(ledger, BOUNDS)
  const rest = readLedger(writeLedger(withoutArchived(ledger, archived)))
  assert.ok(rest)
  assert.deepEqual(
    [...rest.archivedEnds],
    [['shop/web/done', archived.filter(({ kind }) => kind === 'delivery').length]],
  )
  const whole = withArchived(rest, archived)
  assert.equal(whole.archivedEnds.get('shop/web/done'), 0)
  for (const part of ['deliveries', 'pushes', 'runs', 'images', 'passages', 'digests', 'pods', 'workloads'] as const)
    assert.deepEqual(JSON.parse(JSON.stringify([...whole[part]])), JSON.parse(JSON.stringify([...ledger[part]])), part)
  assert.deepEqual(JSON.stringify(cellsOf(whole)), JSON.stringify(cellsOf(ledger)))
})

test('a ledger of a later version is refused, not begun anew', () => {
  assert.throws(() => readLedger('{"version":2,"ledger":{}}'), { code: 'STATE_NEWER' })
})

test('pods that are gone leave without a delivery', () => {
  const pods = Array.from({ length: 9 }, (_, index): FactBody => {
    const of = { namespace: 'shop', workload: 'job', image: 'r/job', digest: 'sha256:1' }
    return { kind: 'pod', ...of, pod: `job-${index}`, ready: false, ...(index < 8 ? { gone: true } : {}) }
  })
  assert.deepEqual(
    refsOf(ledgerOf(pods)),
    [0, 1, 2, 3, 4, 5].map((index) => `pod shop/job-${index}`),
  )
})
