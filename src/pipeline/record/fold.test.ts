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
  OLD,
  pod,
  policy,
  push,
  refused,
  run,
  source,
  W,
  whole,
  writeBack,
} from '../../../tests/support/delivery-facts.ts'
import { foldFacts } from '../../../tests/support/fold-facts.ts'
import type { FactBody } from './fact.ts'
import { foldFact } from './fold.ts'
import { askedOf } from './ledger.ts'
import { cellsOf, environmentName, historyOf, stoppedKustomizations, traceOf } from './query.ts'

test('a delivery of an image that is not the first of its pods arrives with them', () => {
  const beside = { ...pod('sha256:of-another-container'), others: [D], pod: 'web-2' }
  const [delivery] = historyOf(foldFacts(at([...applied, beside, health('healthy')])), { limit: 1 })
  assert.deepEqual([delivery?.state, delivery?.digest], ['done', D])
})

test('a commit is followed over every border to the pods that run its digest', () => {
  const [delivery, ...others] = historyOf(foldFacts(at(whole)), { limit: 10 })
  assert.deepEqual(others, [])
  assert.equal(delivery?.state, 'done')
  assert.equal(delivery.commit, C)
  assert.equal(delivery.configCommit, W)
  assert.equal(delivery.version, '1.1.0')
  assert.equal(Object.keys(delivery.borders).length, 9)
  assert.ok(Object.values(delivery.borders).every((border) => border.state === 'done'))
  assert.equal(environmentName(delivery), 'production')
})

const traces: [string, string][] = [
  ['the commit', C.slice(0, 7)],
  ['the write-back', W],
  ['the digest', D],
  ['the image', `${IMAGE}:1.1.0`],
  ['the short image', 'web:1.1.0'],
  ['the pod', 'web-11'],
]
for (const [name, what] of traces)
  test(`a delivery is found by ${name}`, () => assert.equal(traceOf(foldFacts(at(whole)), what).length, 1))

test('a delivery knows who pushed it beside who wrote it', () => {
  const pushed = (pusher: object): unknown => {
    const [first, ...rest] = [push(C, 'feat: x'), ...whole] as [FactBody, ...FactBody[]]
    return traceOf(foldFacts(at([{ ...first, ...pusher }, ...rest])), C)[0]?.borders.push
  }
  const border = { state: 'done', at: '2026-01-01T00:00:00Z', detail: 'ada: feat: x' }
  assert.deepEqual(pushed({ pusher: 'deploy-bot' }), { ...border, by: 'deploy-bot' })
  assert.deepEqual(pushed({}), border)
})

test('nothing is found by what nobody knows', () => assert.deepEqual(traceOf(foldFacts(at(whole)), 'eeee'), []))

test('a policy may choose an image before the run tells of it', () => {
  const early = [
    ...before,
    push(C, 'feat: x'),
    run('running'),
    policy('1.1.0'),
    image,
    run('succeeded'),
    ...whole.slice(6),
  ]
  const history = historyOf(foldFacts(at(early)), { limit: 10 })
  assert.equal(history.length, 1)
  assert.equal(history[0]?.commit, C)
  assert.equal(history[0].digest, D)
  assert.equal(history[0].state, 'done')
})

test('so it may when nobody knew of the environment when the run began', () => {
  const early = [
    push(C, 'feat: x'),
    run('running'),
    ...before,
    policy('1.1.0'),
    image,
    run('succeeded'),
    ...whole.slice(6),
  ]
  const history = historyOf(foldFacts(at(early)), { limit: 10 })
  assert.equal(history.length, 1)
  assert.equal(history[0]?.commit, C)
  assert.deepEqual(history[0].borders.ci?.state, 'done')
  assert.deepEqual(history[0].borders.push?.state, 'done')
})

test('health is not success while the pods run another digest', () => {
  const ledger = foldFacts(at([...applied, pod(OLD), health('healthy')]))
  assert.equal(historyOf(ledger, { limit: 1 })[0]?.state, 'running')
  foldFact(ledger, { at: '2026-01-01T00:01:00Z', ...pod(D) })
  assert.equal(historyOf(ledger, { limit: 1 })[0]?.state, 'done')
})

test('a health check that does not look at a workload is no success of it while it has no ready pod', () => {
  const needy = (fact: FactBody): FactBody =>
    fact.kind === 'build' ? { ...fact, workloads: fact.workloads.map((one) => ({ ...one, needsPods: true })) } : fact
  const unlooked = [...applied.map(needy), health('healthy')]
  const stateOf = (facts: readonly FactBody[]) => traceOf(foldFacts(at(facts)), C)[0]
  assert.deepEqual(
    [stateOf(unlooked)?.state, stateOf(unlooked)?.borders.health?.detail],
    ['running', `waiting for a ready pod that runs ${D}`],
  )
  assert.equal(stateOf([...unlooked, pod(D)])?.state, 'done')
  const placeholder = [...bothChanged.map(needy), health('healthy')]
  assert.deepEqual([...new Set(traceOf(foldFacts(at(placeholder)), C).map(({ state }) => state))], ['running'])
})

test('a run that was repeated may have pushed another digest: pods that run its first one have arrived', () => {
  const again: FactBody = { ...image, digest: `sha256:${'2'.repeat(64)}` } as FactBody
  const [delivery] = historyOf(foldFacts(at([...applied, again, pod(D), health('healthy')])), { limit: 1 })
  assert.deepEqual([delivery?.state, delivery?.digest], ['done', D])
  const other: FactBody = { ...again, runId: '2' } as FactBody
  const [moved] = historyOf(foldFacts(at([...applied, other, pod(D), health('healthy')])), { limit: 1 })
  assert.equal(moved?.state, 'running')
})

const stops: { it: string; facts: readonly FactBody[]; cause: RegExp }[] = [
  {
    it: 'the run',
    facts: [...before, push(C, 'x'), run('failed', 'step Test: exit code 1')],
    cause: /^ci: Build web: step Test/,
  },
  {
    it: 'health',
    facts: [...applied, health('unhealthy', 'Deployment/default/web: crash loop')],
    cause: /^health: Deployment/,
  },
  { it: 'the apply', facts: [...applied.slice(0, -1), refused], cause: /^apply: namespace "x" not found$/ },
]
for (const { it, facts, cause } of stops) {
  test(`a delivery that stops at ${it} says so`, () => {
    const [cell] = cellsOf(foldFacts(at(facts)))
    assert.match(cell?.cause ?? '', cause)
    assert.equal(cell?.delivery?.state, 'failed')
  })
}

/** A commit that changes two workloads, one of which names its image without a tag. */
const bothChanged: readonly FactBody[] = [
  {
    ...build('1.0.0', C),
    workloads: [
      { namespace: 'default', name: 'web', images: [`${IMAGE}:1.0.0`] },
      { namespace: 'default', name: 'api', images: ['h/api'] },
    ],
  } as FactBody,
  {
    ...apply(C),
    changes: ['web', 'api'].map((name) => ({ object: `Deployment/default/${name}`, action: 'configured' })),
  } as FactBody,
]

test('a health check that names a workload stops that one, and the others arrive', () => {
  const named = (object: string): FactBody[] => [
    ...bothChanged,
    { ...health('unhealthy', `timeout waiting for ${object}`), objects: [object] } as FactBody,
  ]
  const states = (facts: readonly FactBody[]): unknown =>
    cellsOf(foldFacts(at(facts))).map((cell) => [cell.service, cell.delivery?.state, cell.cause !== undefined])
  assert.deepEqual(states(named('Deployment/default/api')), [
    ['api', 'failed', true],
    ['web', 'done', false],
  ])
  assert.deepEqual(states(named('Job/default/migrate')), [
    ['api', 'failed', true],
    ['web', 'failed', true],
  ])
})

test('of several workloads that are not healthy each says its own cause, also at the retry', () => {
  const unhealthy: FactBody = {
    ...health('unhealthy', 'out of memory; no image\nfailed early due to stalled resources'),
    objects: ['Deployment/default/web', 'Deployment/default/api'],
    causes: [
      { workload: 'default/web', cause: 'out of memory' },
      { workload: 'default/api', cause: 'no image' },
    ],
  } as FactBody
  const [rebuilt] = bothChanged as [FactBody]
  for (const facts of [
    [...bothChanged, unhealthy],
    [...bothChanged, unhealthy, rebuilt, unhealthy],
  ]) {
    const ledger = foldFacts(at(facts))
    assert.deepEqual(
      cellsOf(ledger).map(({ service, cause, delivery }) => [service, cause, delivery?.state, delivery?.endedAt]),
      [
        ['api', 'health: no image', 'failed', undefined],
        ['web', 'health: out of memory', 'failed', undefined],
      ],
    )
    const [delivery] = traceOf(ledger, C)
    assert.equal(delivery?.borders.health?.detail, delivery?.cause?.replace('health: ', ''))
  }
})

test('a delivery that stopped and goes on is no longer stopped anywhere', () => {
  const [delivery] = historyOf(foldFacts(at([...applied, health('unhealthy', 'slow'), apply()])), { limit: 1 })
  assert.equal(delivery?.state, 'running')
  assert.deepEqual(delivery.borders.health, undefined)
})

test('a revert is a delivery of its own, and the change that it takes back stays failed', () => {
  const [bad, revert] = ['e'.repeat(40), 'f'.repeat(40)]
  const broken = [build('1.1.0', bad), apply(bad), health('unhealthy', 'not ready')]
  const history = historyOf(
    foldFacts(at([...whole, ...broken, build('1.1.0', revert), apply(revert), health('healthy')])),
    { limit: 2 },
  )
  assert.deepEqual(
    history.map((delivery) => [delivery.commit, delivery.state]),
    [
      [revert, 'done'],
      [bad, 'failed'],
    ],
  )
})

const backByHand: readonly { readonly it: string; readonly facts: readonly FactBody[]; readonly taken: string }[] = [
  { it: 'a rollout that failed', facts: [...applied, health('unhealthy', 'web-1: cannot start')], taken: 'failed' },
  { it: 'a rollout that is under way', facts: applied, taken: 'superseded' },
  {
    it: 'an image whose build broke',
    facts: [...applied, { ...build('1.1.0', 'b'.repeat(40)), ...{ ok: false, cause: 'bad' } } as FactBody],
    taken: 'failed',
  },
]
for (const { it, facts, taken } of backByHand)
  test(`a tag that is set back in Git is a delivery of its own, and takes the place of ${it}`, () => {
    const back = 'e'.repeat(40)
    const ledger = foldFacts(at([...facts, push(back, 'back to 1.0.0'), build('1.0.0', back), apply(back)]))
    const shown = () => historyOf(ledger, { limit: 9 }).map((one) => `${one.version} ${one.commit[0]} ${one.state}`)
    assert.deepEqual(shown().sort(), [`1.0.0 e running`, `1.1.0 c ${taken}`])
    foldFact(ledger, { at: '2026-01-01T00:01:00Z', ...health('healthy') })
    assert.deepEqual(shown().sort(), [`1.0.0 e done`, `1.1.0 c ${taken}`])
    const [cell] = cellsOf(ledger)
    assert.deepEqual([cell?.delivery?.version, cell?.running?.version, cell?.cause], ['1.0.0', '1.0.0', undefined])
  })

test('a delivery goes on when the commit that set its tag back was refused, and taken back', () => {
  const [back, again] = ['e'.repeat(40), 'f'.repeat(40)]
  const revision = `main@sha1:${back}`
  const facts = [...applied, build('1.0.0', back), { ...refused, revision } as FactBody, build('1.1.0', again)]
  const nothing = { ...apply(again), changes: [] } as FactBody
  const healthy = { ...health('healthy'), revision: `main@sha1:${again}` } as FactBody
  const ledger = foldFacts(at([...facts, nothing, pod(D), healthy]))
  assert.deepEqual(
    historyOf(ledger, { limit: 9 }).map(({ version, state }) => [version, state]),
    [['1.1.0', 'done']],
  )
})

for (const order of ['first', 'last'] as const)
  test(`a delivery to a Deployment is not ended by a CronJob of its name that stands ${order} in the build`, () => {
    const withJob = (commit?: string): FactBody => {
      const built = build('1.1.0', commit) as Extract<FactBody, { kind: 'build' }>
      const job = { namespace: 'default', name: 'web', images: ['registry.sluice.local/tool:1'] }
      return { ...built, workloads: order === 'first' ? [job, ...built.workloads] : [...built.workloads, job] }
    }
    const facts = [...applied.slice(0, -2), withJob(), apply(), withJob('e'.repeat(40)), pod(D), health('healthy')]
    const [delivery, ...more] = historyOf(foldFacts(at(facts)), { limit: 9 })
    assert.deepEqual([delivery?.version, delivery?.state, more], ['1.1.0', 'done', []])
  })

test('a delivery is not ended by the build of another environment that has a workload of its name', () => {
  const other = { ...build('1.0.0'), kustomization: 'flux-system/staging' } as FactBody
  const ledger = foldFacts(at([...applied, other, { ...apply(), kustomization: 'flux-system/staging' } as FactBody]))
  assert.equal(historyOf(ledger, { limit: 9 }).find(({ version }) => version === '1.1.0')?.state, 'running')
})

describeLeft('left to another Kustomization that applies another image', [
  { ...build('1.1.0'), workloads: [] } as FactBody,
  { ...build('1.0.0'), kustomization: 'flux-system/staging' } as FactBody,
  { ...apply(), kustomization: 'flux-system/staging' } as FactBody,
])
describeLeft('of a Kustomization that is deleted', [{ kind: 'deletion', kustomization: KUSTOMIZATION }])
describeLeft('that Git no longer asks for at all when all else is healthy', [
  { ...build('1.1.0'), workloads: [] } as FactBody,
  { ...apply(), changes: [] } as FactBody,
  health('healthy'),
])

function describeLeft(what: string, facts: readonly FactBody[]): void {
  test(`a delivery on its way ends, ${what}`, () => {
    const ledger = foldFacts(at([...applied, ...facts]))
    const delivery = historyOf(ledger, { limit: 9 }).find(({ version }) => version === '1.1.0')
    assert.deepEqual(
      [delivery?.state, ledger.deliveries.open().filter(({ version }) => version === '1.1.0')],
      ['superseded', []],
    )
  })
}

test('a Kustomization that is deleted asks for no images, and nothing stops it', () => {
  const broken = { ...build('1.1.0'), ok: false, cause: 'web.yaml:3: bad', workloads: [] } as FactBody
  const rival = { ...build('2.0.0'), kustomization: 'flux-system/staging' } as FactBody
  const ledger = foldFacts(at([...applied, rival, broken, { kind: 'deletion', kustomization: KUSTOMIZATION }]))
  assert.deepEqual(
    [stoppedKustomizations(ledger), askedOf(ledger).map(({ kustomization }) => kustomization)],
    [[], ['flux-system/staging']],
  )
  foldFact(ledger, { at: '2026-01-01T00:01:00Z', kind: 'deletion', kustomization: 'flux-system/staging' })
  assert.deepEqual(askedOf(ledger), [])
})

test('a first apply with a placeholder image is overtaken by the first real one', () => {
  const first = 'a'.repeat(40)
  const facts = [build('1.0.0', first), apply(first), ...whole.slice(1)]
  const states = historyOf(foldFacts(at(facts)), { limit: 9 }).map(
    (delivery) => `${delivery.version} ${delivery.state}`,
  )
  assert.deepEqual(states.sort(), ['1.0.0 superseded', '1.1.0 done'])
})

test('a policy that selects nothing is the cause of its service', () => {
  const [cell] = cellsOf(foldFacts(at([...before, policy('', 'none of 3 tags is a version')])))
  assert.equal(cell?.cause, 'policy default/web: none of 3 tags is a version')
})

test('a broken build is the cause of its environment, and goes when the next one is good', () => {
  const broken: FactBody = {
    kind: 'build',
    kustomization: KUSTOMIZATION,
    revision: 'main@sha1:e',
    ok: false,
    cause: 'web.yaml:3: bad',
    workloads: [],
  }
  const ledger = foldFacts(at([...whole, broken]))
  assert.equal(cellsOf(ledger)[0]?.cause, 'build: web.yaml:3: bad')
  assert.equal(cellsOf(ledger)[0]?.running?.version, '1.1.0')
  foldFact(ledger, { at: '2026-01-01T00:01:00Z', ...build('1.1.0') })
  assert.equal(cellsOf(ledger)[0]?.cause, undefined)
})

test('a newer image takes the place of one that has not arrived', () => {
  const history = historyOf(foldFacts(at([...built, policy('1.2.0')])), { limit: 10 })
  assert.deepEqual(history.map((delivery) => `${delivery.version} ${delivery.state}`).sort(), [
    '1.1.0 superseded',
    '1.2.0 running',
  ])
})

test('an image that arrives while a later push is being built takes nothing from that one, which takes its place then', () => {
  const later = 'e'.repeat(40)
  const runOf = (runId: string, commit: string, state: string) =>
    ({ ...run('running'), runId, commit, state }) as FactBody
  const imageOf = (runId: string, commit: string, tag: string) => ({ ...image, runId, commit, tag }) as FactBody
  const facts: readonly FactBody[] = [
    ...before,
    push(C, 'feat: one'),
    runOf('1', C, 'running'),
    push(later, 'feat: two'),
    runOf('2', later, 'running'),
    imageOf('1', C, '1.1.0'),
    policy('1.1.0'),
  ]
  const statesOf = (told: readonly FactBody[], commit: string): unknown =>
    historyOf(foldFacts(at(told)), { limit: 9 })
      .filter((delivery) => delivery.commit === commit)
      .map(({ state, version }) => [state, version])
  assert.deepEqual(statesOf(facts, later), [['running', '']])
  const chosen = [...facts, imageOf('2', later, '1.2.0'), policy('1.2.0')]
  assert.deepEqual(statesOf(chosen, later), [['running', '1.2.0']])
  assert.ok(!JSON.stringify(statesOf(chosen, C)).includes('running'))
})

test('a change of manifests only is a delivery of its own', () => {
  const commit = 'f'.repeat(40)
  const facts = [...whole, push(commit, 'more memory'), build('1.1.0', commit), apply(commit), health('healthy')]
  const [delivery] = historyOf(foldFacts(at(facts)), { limit: 1 })
  assert.equal(delivery?.kind, 'config')
  assert.equal(delivery.commit, commit)
  assert.equal(delivery.state, 'done')
})

test('a change of manifests that began later and ended sooner does not hide the image that came after it', () => {
  const F = 'f'.repeat(40)
  const between = [
    push(F, 'more memory'),
    build('1.0.0', F),
    apply(F),
    { ...health('healthy'), revision: `main@sha1:${F}` },
  ]
  const first = [...before, push(C, 'feat: x'), run('running'), ...between]
  const rest = [
    image,
    run('succeeded'),
    policy('1.1.0'),
    writeBack,
    source,
    build('1.1.0'),
    apply(),
    pod(D),
    health('healthy'),
  ]
  const ledger = foldFacts(at([...first, ...rest]))
  assert.deepEqual(
    historyOf(ledger, { limit: 10 }).map(({ kind, state }) => `${kind} ${state}`),
    ['config done', 'image done'],
  )
  const [cell] = cellsOf(ledger)
  assert.equal(cell?.delivery?.version, '1.1.0')
  assert.equal(cell.running?.version, '1.1.0')
})

test('corrected drift is recorded and takes nobody’s place', () => {
  const ledger = foldFacts(at([...whole, apply(W, true)]))
  assert.deepEqual(
    historyOf(ledger, { limit: 10 })
      .map((delivery) => delivery.kind)
      .sort(),
    ['drift', 'image'],
  )
  assert.equal(cellsOf(ledger)[0]?.delivery?.kind, 'image')
})

test('the same fact twice changes nothing', () => {
  const facts = at(whole)
  assert.deepEqual(foldFacts(facts.flatMap((fact) => [fact, fact])), foldFacts(facts))
})

test('an ended delivery never changes', () => {
  const ledger = foldFacts(at(whole))
  const [ended] = ledger.deliveries.values()
  for (const fact of at(whole)) foldFact(ledger, { ...fact, at: `2027${fact.at.slice(4)}` })
  assert.deepEqual(ledger.deliveries.get(ended?.id ?? ''), ended)
})

test('an environment whose manifests lost their namespace opens no cell of its own', () => {
  const lost: FactBody = {
    kind: 'build',
    kustomization: KUSTOMIZATION,
    revision: `main@sha1:${W}`,
    ok: true,
    workloads: [{ namespace: '', name: 'web', images: [`${IMAGE}:1.0.0`] }],
  }
  const ledger = foldFacts(at([build('1.0.0', C), lost]))
  assert.deepEqual(
    cellsOf(ledger).filter(({ environment }) => environment === ''),
    [],
  )
})

test('a workflow that cannot be read says its path once', () => {
  const path = '.github/workflows/web.yml'
  const broken: FactBody = {
    kind: 'run',
    runId: '9',
    workflow: path,
    event: 'push',
    ref: 'refs/heads/main',
    commit: W,
    state: 'failed',
    cause: `${path}:3:5: unexpected value`,
  }
  const ledger = foldFacts(at([build('1.0.0', C), broken]))
  assert.equal(cellsOf(ledger)[0]?.cause, `ci: ${path}:3:5: unexpected value`)
})

const OTHER = 'flux-system/other'
const byOther = (fact: FactBody): FactBody => ({ ...fact, kustomization: OTHER }) as FactBody
const secondOwner: FactBody = byOther({ ...refused, cause: 'Deployment/default/web belongs to production' } as FactBody)
const dropped: FactBody = { ...build('1.1.0'), workloads: [] } as FactBody
const claims: { it: string; facts: readonly FactBody[]; owner: string; state: string; cause: string | undefined }[] = [
  {
    it: 'of another Kustomization that is refused',
    facts: [...whole, byOther(build('9.9.9')), secondOwner, byOther(build('9.9.9')), secondOwner],
    ...{ owner: KUSTOMIZATION, state: '1.1.0 done', cause: undefined },
  },
  {
    it: 'of another Kustomization is in vain when the owner has built again, too',
    facts: [...whole, build('1.1.0'), byOther(build('9.9.9')), secondOwner],
    ...{ owner: KUSTOMIZATION, state: '1.1.0 done', cause: undefined },
  },
  {
    it: 'of another image does not take the place of what is on its way',
    facts: [...applied, byOther(build('9.9.9')), secondOwner],
    ...{ owner: KUSTOMIZATION, state: '1.1.0 running', cause: undefined },
  },
  {
    it: 'that came later, and both were new, is past when the other apply goes through',
    facts: [...applied.slice(0, -1), byOther(build('1.1.0')), secondOwner, apply(), pod(D), health('healthy')],
    ...{ owner: KUSTOMIZATION, state: '1.1.0 done', cause: undefined },
  },
  {
    it: 'while nobody owns the workload is that of the last build',
    facts: [...applied.slice(0, -1), byOther(build('1.1.0')), secondOwner],
    ...{ owner: OTHER, state: '1.1.0 failed', cause: 'apply: Deployment/default/web belongs to production' },
  },
  {
    it: 'becomes ownership when its apply goes through',
    facts: [...whole, byOther(build('1.1.0')), secondOwner, byOther(apply())],
    ...{ owner: OTHER, state: '1.1.0 running', cause: undefined },
  },
  {
    it: 'takes the place of an owner whose Git no longer has it',
    facts: [...whole, byOther(build('1.1.0')), secondOwner, dropped, byOther(build('1.1.0')), secondOwner],
    ...{ owner: OTHER, state: '1.1.0 done', cause: 'apply: Deployment/default/web belongs to production' },
  },
]
for (const { it, facts, owner, state, cause } of claims)
  test(`a claim ${it}`, () => {
    const [cell, ...more] = cellsOf(foldFacts(at(facts)))
    assert.deepEqual(more, [])
    const delivered = `${cell?.delivery?.version} ${cell?.delivery?.state}`
    assert.deepEqual([cell?.kustomization, delivered, cell?.cause], [owner, state, cause])
  })

const withoutWeb = (commit = W): FactBody => ({ ...build('', commit), workloads: [] }) as FactBody
const nothing: FactBody = { ...apply(), changes: [] } as FactBody
const gone: FactBody = { kind: 'deletion', kustomization: KUSTOMIZATION }
const [taken, put, well] = [build('1.1.0'), apply(), health('healthy')].map(byOther) as [FactBody, FactBody, FactBody]
const left = [withoutWeb(), nothing, health('healthy')]
const moves: { it: string; facts: readonly FactBody[]; ends: string }[] = [
  { it: 'builds it before the old one leaves it', facts: [taken, ...left, put, pod(D), well], ends: 'done other' },
  { it: 'builds it after the old one has left it', facts: [...left, taken, put, pod(D), well], ends: 'done other' },
  { it: 'is done before the old one leaves it', facts: [taken, put, pod(D), well, ...left], ends: 'done other' },
  {
    it: 'applies between the steps of the old one',
    facts: [withoutWeb(), taken, put, ...left, pod(D), well],
    ends: 'done other',
  },
  { it: 'builds it before the old one is deleted', facts: [taken, gone, put, pod(D), well], ends: 'done other' },
  { it: 'builds it after the old one was deleted', facts: [gone, taken, put, pod(D), well], ends: 'done other' },
  { it: 'takes what the old one failed with', facts: [refused, taken, ...left, put, pod(D), well], ends: 'done other' },
  {
    it: 'takes what the old one failed with at its end',
    facts: [refused, gone, taken, put, pod(D), well],
    ends: 'done other',
  },
  {
    it: 'is the old one made again',
    facts: [gone, build('1.1.0'), apply(), pod(D), health('healthy')],
    ends: 'done production',
  },
  { it: 'asks for another image', facts: [byOther(build('1.0.0')), ...left, put, well], ends: 'superseded production' },
  { it: 'never comes', facts: left, ends: 'superseded production' },
]
for (const { it, facts, ends } of moves)
  test(`of a delivery on its way, the Kustomization that its app moves to ${it}`, () => {
    const deliveries = [...foldFacts(at([...applied, ...facts])).deliveries.values()]
    const delivery = deliveries.find(({ version, kind }) => version === '1.1.0' && kind === 'image')
    assert.equal(delivery && `${delivery.state} ${environmentName(delivery)}`, ends)
    assert.equal(delivery?.endedAt === undefined, false)
  })

test('a delivery that was dropped does not come back when its image does after another', () => {
  const back = [...left, byOther(build('1.2.0')), put, well, taken, put, well]
  const states = [...foldFacts(at([...applied, ...back])).deliveries.values()].map(({ version, state }) => [
    version,
    state,
  ])
  assert.deepEqual(states[0], ['1.1.0', 'superseded'])
})

const next = { ...writeBack, commit: 'e'.repeat(40), images: [{ image: IMAGE, tag: '1.2.0' }] } as FactBody
const again = [build('1.1.0', 'f'.repeat(40)), { ...apply('f'.repeat(40)), changes: [] } as FactBody, health('healthy')]
const E = 'e'.repeat(40)
const toNext = [
  build('1.2.0', E),
  apply(E),
  { ...pod(D), image: `${IMAGE}:1.2.0`, pod: 'web-2' },
  { ...health('healthy'), revision: `main@sha1:${E}` },
]
const comebacks: { it: string; facts: readonly FactBody[]; ends: readonly string[] }[] = [
  {
    it: 'ends a newer one that Git asked for meanwhile, and no longer does',
    facts: [policy('1.2.0'), next, ...again],
    ends: ['1.1.0 done', '1.2.0 superseded'],
  },
  {
    it: 'ends it for as long as Git does not ask for it again',
    facts: [policy('1.2.0'), next, ...again.slice(0, 1), build('1.2.0'), apply()],
    ends: ['1.1.0 superseded', '1.2.0 running'],
  },
  {
    it: 'lets a newer one arrive after it whose commit the source had not yet',
    facts: [policy('1.2.0'), next, ...again, ...(toNext as FactBody[])],
    ends: ['1.1.0 done', '1.2.0 done'],
  },
  {
    it: 'leaves a newer one open that is still to be written back',
    facts: [policy('1.2.0'), ...again],
    ends: ['1.1.0 done', '1.2.0 running'],
  },
]
for (const { it, facts, ends } of comebacks)
  test(`a delivery that was dropped and goes on again ${it}`, () => {
    const deliveries = [...foldFacts(at([...applied, gone, ...facts])).deliveries.values()]
    const images = deliveries.filter(({ kind }) => kind === 'image')
    assert.deepEqual(images.map(({ version, state }) => `${version} ${state}`).sort(), ends)
  })

test('a delivery that no build has carried goes to who asks for its workload when its Kustomization is deleted', () => {
  const byBoth = [build('1.0.0'), apply(), byOther(build('1.0.0')), policy('1.1.0'), gone]
  const [delivery] = historyOf(foldFacts(at(byBoth)), { limit: 1 })
  assert.deepEqual([delivery?.state, delivery?.kustomization, delivery?.endedAt], ['running', OTHER, undefined])
})

test('a service that is gone from Git and was never delivered is shown no longer', () => {
  const ledger = foldFacts(at([build('1.0.0'), policy('1.1.0'), gone]))
  assert.deepEqual([cellsOf(ledger), historyOf(ledger, { limit: 9 }).map(({ state }) => state)], [[], ['superseded']])
})
