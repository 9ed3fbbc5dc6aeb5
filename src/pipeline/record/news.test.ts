import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AppliedChange, FactBody } from './fact.ts'
import { foldFact } from './fold.ts'
import { emptyLedger } from './ledger.ts'
import { isNews } from './news.ts'

test('a commit that an automation makes twice of the same head is told once', () => {
  const ledger = emptyLedger()
  const image = { image: 'registry/web', tag: '1.2.0' }
  const policy: FactBody = { kind: 'policy', policy: 'default/web', ...image, considered: 1 }
  const written = (commit: string): FactBody => ({
    ...{ kind: 'write-back', automation: 'default/all', branch: 'main', commit, images: [image] },
  })
  foldFact(ledger, { at: '2026-01-01T00:00:00Z', ...policy })
  assert.equal(isNews(ledger, written('a1')), true)
  foldFact(ledger, { at: '2026-01-01T00:00:01Z', ...written('a1') })
  assert.equal(isNews(ledger, written('a1')), false)
  assert.equal(isNews(ledger, written('b2')), true)
})

test('what a Kustomization says at every interval is told once, until something comes between', () => {
  const ledger = emptyLedger()
  const of = { kustomization: 'flux-system/apps', revision: 'main@sha1:a1' } as const
  const web = { namespace: 'default', name: 'web', images: ['registry/web:1'] }
  const round: readonly FactBody[] = [
    { kind: 'build', ...of, ok: true, workloads: [web] },
    { kind: 'apply', ...of, ok: true, changes: [] },
    { kind: 'health', ...of, state: 'healthy' },
  ]
  let second = 0
  const tell = (facts: readonly FactBody[]): readonly boolean[] =>
    facts.map((fact) => {
      const news = isNews(ledger, fact)
      if (news) foldFact(ledger, { at: `2026-01-01T00:00:${String(second++).padStart(2, '0')}Z`, ...fact })
      return news
    })
  assert.deepEqual(tell(round), [true, true, true])
  assert.deepEqual(tell(round), [false, false, false])
  assert.deepEqual(tell([{ kind: 'health', ...of, state: 'unhealthy', cause: 'no pod is ready' }]), [true])
  assert.deepEqual(tell(round), [true, true, true])
  assert.deepEqual(tell(round), [false, false, false])
  const drift = { object: 'Deployment/default/web', action: 'configured', drift: true }
  const [, nothing, healthy] = round as [FactBody, FactBody, FactBody]
  assert.deepEqual(tell([{ kind: 'apply', ...of, ok: true, changes: [drift] }, healthy]), [true, true])
  assert.deepEqual(tell([nothing, healthy]), [false, false])
  const next = round.map((fact): FactBody => ({ ...fact, revision: 'main@sha1:b2' }) as FactBody)
  assert.deepEqual(tell(next), [true, true, true])
  assert.deepEqual(tell(round), [true, true, true], 'back at an old revision')
  assert.deepEqual(tell(next.slice(0, 1)), [true])
  assert.deepEqual(tell(round), [true, true, true], 'back before the newer one was healthy')
  assert.deepEqual(tell(round), [false, false, false])
  const other = { kind: 'build', ...of, ok: true, workloads: [{ ...web, images: ['registry/web:2'] }] } as const
  assert.deepEqual(tell([other]), [true], 'variables of the cluster may change what the same revision asks for')
})

test('a retry that is refused as before is told once, and again when anything about it is another', () => {
  const ledger = emptyLedger()
  const of = { kustomization: 'flux-system/apps', revision: 'main@sha1:a1' } as const
  const web = { namespace: 'default', name: 'web', images: ['registry/web:1'] }
  const built: FactBody = { kind: 'build', ...of, ok: true, workloads: [web] }
  const broken: FactBody = { kind: 'build', ...of, ok: false, cause: 'web.yaml:3: bad', workloads: [] }
  const refused: FactBody = { kind: 'apply', ...of, ok: false, cause: 'quota', changes: [] }
  let second = 0
  const tell = (...facts: readonly FactBody[]): readonly boolean[] =>
    facts.map((fact) => {
      const news = isNews(ledger, fact)
      if (news) foldFact(ledger, { at: `2026-01-01T00:00:${String(second++).padStart(2, '0')}Z`, ...fact })
      return news
    })
  assert.deepEqual(tell(broken, broken, broken), [true, false, false])
  assert.deepEqual(tell({ ...broken, cause: 'web.yaml:4: bad' }, broken), [true, true])
  assert.deepEqual(tell({ ...broken, revision: 'main@sha1:b2' }), [true])
  assert.deepEqual(tell(built, broken), [true, true], 'what was mended and broke again')
  assert.deepEqual(tell(built, refused, built, refused), [true, true, false, false])
  const changes = [{ object: 'Service/default/web', action: 'created' }]
  assert.deepEqual(tell({ ...refused, changes }, { ...refused, changes }), [true, false])
  assert.deepEqual(tell({ ...refused, changes, ok: true, intended: true }, { ...refused, changes }), [true, true])
  assert.deepEqual(tell({ kind: 'apply', ...of, ok: true, changes: [] }, refused), [true, true])
})

test('a retry that builds as before and is refused at its apply as before is told once, also with a delivery on its way', () => {
  const ledger = emptyLedger()
  const of = { kustomization: 'flux-system/apps', revision: 'main@sha1:a1' } as const
  const web = { namespace: 'default', name: 'web', images: ['registry/web:1'] }
  const chosen: FactBody = { kind: 'policy', policy: 'default/web', image: 'registry/web', tag: '1', considered: 1 }
  const built: FactBody = { kind: 'build', ...of, ok: true, workloads: [web] }
  const refused: FactBody = { kind: 'apply', ...of, ok: false, cause: 'quota', changes: [] }
  const applied: FactBody = { kind: 'apply', ...of, ok: true, changes: [] }
  let second = 0
  const tell = (...facts: readonly FactBody[]): readonly boolean[] =>
    facts.map((fact) => {
      const news = isNews(ledger, fact)
      if (news) foldFact(ledger, { at: `2026-01-01T00:00:${String(second++).padStart(2, '0')}Z`, ...fact })
      return news
    })
  assert.deepEqual(tell(chosen, built, refused, built, refused, built, refused), [
    true,
    true,
    true,
    ...Array(4).fill(false),
  ])
  const [delivery] = ledger.deliveries.open()
  assert.deepEqual(
    [delivery?.state, delivery?.cause],
    ['failed', 'apply: quota'],
    'a retry shows nothing else meanwhile',
  )
  const other: FactBody = { ...built, workloads: [{ ...web, images: ['registry/web:1', 'registry/helper:1'] }] }
  assert.deepEqual(tell(other, refused, { ...refused, cause: 'denied' }, other), [true, true, true, false])
  assert.deepEqual(tell(applied), [true])
  assert.deepEqual(
    [...ledger.deliveries.values()].map(({ state }) => state),
    ['running'],
  )
})

test('a Kustomization that is deleted is told once, and all of it is news when it is made again', () => {
  const ledger = emptyLedger()
  const of = { kustomization: 'flux-system/apps', revision: 'main@sha1:a1' } as const
  const web = { namespace: 'default', name: 'web', images: ['registry/web:1'] }
  const facts: readonly FactBody[] = [
    { kind: 'build', ...of, ok: true, workloads: [web] },
    { kind: 'apply', ...of, ok: true, changes: [] },
    { kind: 'health', ...of, state: 'healthy' },
    { kind: 'deletion', kustomization: of.kustomization },
    { kind: 'deletion', kustomization: of.kustomization },
  ]
  const tell = (): readonly boolean[] =>
    facts.map((fact) => {
      const news = isNews(ledger, fact)
      if (news) foldFact(ledger, { at: '2026-01-01T00:00:00Z', ...fact })
      return news
    })
  assert.deepEqual(tell(), [true, true, true, true, false])
  assert.deepEqual(tell(), [true, true, true, true, false])
})

test('an apply that changes nothing is told when it makes a workload its own, once', () => {
  const ledger = emptyLedger()
  const of = { kustomization: 'flux-system/apps', revision: 'main@sha1:a1' } as const
  const web = { namespace: 'default', name: 'web', images: ['registry/web:1'] }
  const facts: readonly FactBody[] = [
    { kind: 'build', ...of, ok: true, workloads: [web] },
    { kind: 'apply', ...of, ok: true, changes: [] },
    { kind: 'health', ...of, state: 'healthy' },
  ]
  for (const fact of facts) foldFact(ledger, { at: '2026-01-01T00:00:00Z', ...fact })
  const ofOlderVersion = { ...web, kustomization: of.kustomization }
  ledger.workloads.set('default/web', ofOlderVersion)
  assert.deepEqual(
    facts.map((fact) => isNews(ledger, fact)),
    [false, true, false],
  )
  for (const fact of facts) foldFact(ledger, { at: '2026-01-01T00:00:01Z', ...fact })
  assert.deepEqual(ledger.workloads.get('default/web'), { ...ofOlderVersion, isOwned: true })
  assert.deepEqual(
    facts.map((fact) => isNews(ledger, fact)),
    [false, false, false],
  )
})

test('what a retry is about to do is told once, as long as it is refused as before', () => {
  const ledger = emptyLedger()
  const of = { kustomization: 'flux-system/apps', revision: 'main@sha1:a1' } as const
  const web = { namespace: 'default', name: 'web', images: ['registry/web:1'] }
  const [made, denied, more] = ['Service/default/web', 'Deployment/default/web', 'ConfigMap/default/web'].map(
    (object) => ({ object, action: 'created' }),
  ) as [AppliedChange, AppliedChange, AppliedChange]
  const intend = (...changes: AppliedChange[]): FactBody => ({
    ...{ kind: 'apply', ...of, ok: true, intended: true },
    changes,
  })
  const refused = (...changes: AppliedChange[]): FactBody => ({
    ...{ kind: 'apply', ...of, ok: false, cause: 'quota' },
    changes,
  })
  let second = 0
  const tell = (...facts: readonly FactBody[]): readonly boolean[] =>
    facts.map((fact) => {
      const news = isNews(ledger, fact)
      if (news) foldFact(ledger, { at: `2026-01-01T00:00:${String(second++).padStart(2, '0')}Z`, ...fact })
      return news
    })
  assert.deepEqual(tell({ kind: 'build', ...of, ok: true, workloads: [web] }), [true])
  assert.deepEqual(tell(intend(made, denied), refused(made)), [true, true])
  assert.deepEqual(tell(intend(denied), refused(), intend(denied), refused()), [false, false, false, false])
  assert.deepEqual(tell(intend(denied, more), refused(more)), [true, true], 'it is about to do more')
  assert.deepEqual(tell(intend(denied), refused()), [false, false])
  assert.deepEqual(tell(intend({ ...denied, action: 'configured' }), refused()), [true, true])
  const [owed] = ledger.intended.applies.get(of.kustomization) ?? []
  assert.deepEqual(owed?.changes, [made, more], 'what earlier tries did')
  const done: FactBody = { kind: 'apply', ...of, ok: true, changes: [denied] }
  assert.deepEqual(tell(done), [true])
  const applied = ledger.passages.get(`${of.kustomization} a1`)?.borders.apply
  assert.deepEqual([applied?.detail, ledger.intended.applies.size], ['3 objects changed', 0])
})

test('what a policy that is deleted said is news no longer, of whatever service it was', () => {
  const ledger = emptyLedger()
  const cause = 'no tags'
  const none = (image: string): FactBody => ({
    ...{ kind: 'policy', policy: 'default/web', image, tag: '', considered: 0, cause },
  })
  const gone: FactBody = { kind: 'deletion', policy: 'default/web' }
  const at = '2026-01-01T00:00:00Z'
  assert.equal(isNews(ledger, gone), false)
  foldFact(ledger, { at, ...none('registry/web') })
  foldFact(ledger, { at, ...none('registry/shop') })
  assert.deepEqual([...ledger.policyCauses.keys()], ['default/shop'])
  assert.equal(isNews(ledger, gone), true)
  foldFact(ledger, { at, ...gone })
  assert.deepEqual([ledger.policyCauses.size, isNews(ledger, gone)], [0, false])
})

test('an automation that is deleted leaves nothing behind', () => {
  const ledger = emptyLedger()
  const at = '2026-01-01T00:00:00Z'
  const nothing: FactBody = { kind: 'markers', automation: 'default/all', choices: [] }
  assert.equal(isNews(ledger, nothing), false)
  foldFact(ledger, { at, ...nothing, cause: 'suspended' })
  assert.equal(isNews(ledger, nothing), true)
  foldFact(ledger, { at, ...nothing })
  assert.deepEqual([ledger.markers.size, isNews(ledger, nothing)], [0, false])
})
