import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { NO_HELPERS } from '../../../tests/support/no-helpers.ts'
import { seededRandom } from '../../../tests/support/seeded-random.ts'
import { openFactStore, type FactStore } from '../../adapters/store/facts.ts'
import type { FactBody } from '../../pipeline/record/fact.ts'
import { foldFact } from '../../pipeline/record/fold.ts'
import { baseName } from '../../pipeline/record/names.ts'
import type { Ledger } from '../../pipeline/record/ledger.ts'
import { neededImages } from '../../pipeline/record/needed-images.ts'
import { isNews } from '../../pipeline/record/news.ts'
import { cellsOf, type HistoryQuery } from '../../pipeline/record/query.ts'
import type { DeliveryView } from '../page-view.ts'
import { renderMetrics } from './metrics-text.ts'
import type { LedgerLimits } from './living-ledger.ts'
import { keepRecord, type RecordKeeper } from './record-keeper.ts'
import { historyViews, traceViews } from './trace-view.ts'

// Random histories of three services in two environments, told to a record that archives all the time and starts again and again,
// and to one that never does: whatever is asked, both answer the same.
const HOST = 'registry.test'
const FIGURES = { residentBytes: 0, startedAtSeconds: 0, isDiskFull: false }
const SERVICES = ['api', 'jobs', 'web']
const ENVIRONMENTS = ['production', 'staging']
const NEVER: LedgerLimits = { most: 1e9, keep: 1e9, ofService: 10, facts: 1e9, every: 1 }
const ALWAYS: LedgerLimits = { most: 8, keep: 4, ofService: 10, facts: 25, every: 3 }
const STEPS = 60

for (let seed = 1; seed <= 10; seed++)
  test(`a record whose past is in the archive answers as one that has forgotten nothing, history ${seed}`, (t) => {
    const random = seededRandom(seed)
    const [past, whole] = [openWorld(ALWAYS), openWorld(NEVER)]
    t.after(() => [past, whole].forEach((world) => world.close()))
    const told = new Set<FactBody>()
    let known = 0
    const say = (fact: FactBody): void => {
      told.add(fact)
      if (isKnown(whole.keeper().ledger(), fact)) known++
      past.keeper().report(fact)
      whole.keeper().report(fact)
    }
    const git = { current: new Map(ENVIRONMENTS.map((each) => [each, new Map<string, string>()])), commits: 0 }
    for (let step = 0; step < STEPS; step++) {
      happen(random, git, say)
      if (random() < 0.1) past.restart()
      if (random() < 0.1) for (const fact of lastOfRuns(told)) say(fact)
      if (random() < 0.3) for (const fact of nothingNew(told)) say(fact)
    }
    assert.ok(known > 0, 'something was no news')
    const words = [...new Set([...told].flatMap(wordsOf))]
    assert.ok(
      past.keeper().ledger().deliveries.size < whole.keeper().ledger().deliveries.size,
      'something was archived',
    )
    assertSame(answersOf(past.keeper(), words), answersOf(whole.keeper(), words))
    past.restart()
    assertSame(answersOf(past.keeper(), words), answersOf(whole.keeper(), words))
  })

test('an old image that is pushed and chosen again opens no delivery, though its push is told between two checkpoints', () => {
  const world = openWorld({ most: 1, keep: 1, ofService: 0, facts: 1, every: 1 })
  const git = { current: new Map([['staging', new Map<string, string>()]]), commits: 0 }
  const [first, ...others] = Array.from({ length: 12 }, (_, index) => deliveryOf(index + 1))
  for (const scene of [first!, ...others])
    for (const fact of [...begun(scene), ...reconciled(scene, git, () => 1)]) world.keeper().report(fact)
  const { image, tag, commit } = first!
  world.keeper().report({ kind: 'image', image, tag, digest: digestOf(tag), commit, runId: 'again', intended: true })
  world.keeper().report({ kind: 'policy', policy: 'staging/web', image, tag, considered: 12 })
  assert.deepEqual(world.keeper().ledger().deliveries.open(), [])
  world.close()
})

function deliveryOf(number: number): Scene {
  return {
    ...{ deed: 'deliver', number, service: 'web', environment: 'staging', image: `${HOST}/web` },
    ...{ before: `1.${number - 1}`, tag: `1.${number}`, commit: commitOf(number, 'a'), config: commitOf(number, 'b') },
  }
}

/** What is told at every interval of a Kustomization that does well. */
function nothingNew(told: ReadonlySet<FactBody>): readonly FactBody[] {
  const builds = [...told].flatMap((fact) => (fact.kind === 'build' && fact.ok ? [fact] : []))
  return [...new Map(builds.map((fact) => [fact.kustomization, fact])).values()].flatMap((build) => {
    const { kustomization, revision } = build
    const of = { kustomization, revision }
    return [build, { kind: 'apply', ...of, ok: true, changes: [] }, { kind: 'health', ...of, state: 'healthy' }]
  })
}

/** Whether a step of a Kustomization is no news; then to fold it must change nothing. */
function isKnown(ledger: Ledger, fact: FactBody): boolean {
  if (!['build', 'apply', 'health'].includes(fact.kind) || isNews(ledger, fact)) return false
  const before = linesOf(ledger)
  foldFact(ledger, { at: '2099-01-01T00:00:00.000Z', ...fact })
  assert.deepEqual(linesOf(ledger), before)
  return true
}

function linesOf(ledger: Ledger): readonly string[] {
  return Object.entries(ledger).flatMap(([part, of]) =>
    of instanceof Map ? [...of].map((one) => `${part} ${textOf(one)}`).sort() : [`${part} ${textOf(of)}`],
  )
}

/** How each run ended, which is told again at every start. */
function lastOfRuns(told: ReadonlySet<FactBody>): readonly FactBody[] {
  const runs = new Map([...told].flatMap((fact) => (fact.kind === 'run' ? [[fact.runId, fact] as const] : [])))
  return [...runs.values()]
}

/** All answers as texts, in no order: what began in the same moment stands in none. */
function answersOf(keeper: RecordKeeper, words: readonly string[]): ReadonlySet<string> {
  const history = (query: HistoryQuery): readonly DeliveryView[] =>
    historyViews(keeper.ledgerOfHistory(query), query, NO_HELPERS)
  const limited = { service: 'web', environment: 'staging', limit: 7 }
  const all: readonly (readonly [string, readonly unknown[]])[] = [
    ['cell', cellsOf(keeper.ledger())],
    ['pin', neededImages(keeper.ledger(), HOST)],
    ['metrics', renderMetrics(keeper.ledger(), NO_HELPERS, FIGURES).split('\n')],
    ['history', history({ limit: 1e6 })],
    ['newest', history({ limit: 20 }).map(({ startedAt }) => startedAt)],
    ['of a service', history(limited)],
    ...words.map((word) => [word, traceViews(keeper.ledgerOfTrace(word), word, NO_HELPERS)] as const),
    ['push', words.filter((word) => keeper.knowsPush(word))],
  ]
  return new Set(all.flatMap(([name, answers]) => answers.map((answer) => `${name}: ${textOf(answer)}`)))
}

/** What was on disk tells neither the order of fields nor one that is absent from one that is undefined. */
function textOf(answer: unknown): string {
  return JSON.stringify(answer, (_key, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort())
      : value,
  )
}

function assertSame(past: ReadonlySet<string>, whole: ReadonlySet<string>): void {
  const missing = [...whole].filter((answer) => !past.has(answer))
  const surplus = [...past].filter((answer) => !whole.has(answer))
  assert.deepEqual({ missing, surplus }, { missing: [], surplus: [] })
}

function wordsOf(fact: FactBody): readonly string[] {
  if (fact.kind === 'image') return [fact.digest, `${fact.image}:${fact.tag}`, `${baseName(fact.image)}:${fact.tag}`]
  if (fact.kind === 'pod') return [fact.pod, `${fact.namespace}/${fact.pod}`]
  return 'commit' in fact ? [fact.commit, fact.commit.slice(0, 8)] : []
}

type World = { readonly keeper: () => RecordKeeper; readonly restart: () => void; readonly close: () => void }

function openWorld(limits: LedgerLimits): World {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-archive-'))
  let nowMs = Date.UTC(2026, 0, 1)
  const clock = { nowMs: () => (nowMs += 1000) }
  const open = (): FactStore => openFactStore(join(dir, 'record.db'))
  let store = open()
  let keeper = keepRecord(store, clock, limits)
  return {
    keeper: () => keeper,
    restart() {
      store.close()
      store = open()
      keeper = keepRecord(store, clock, limits)
    },
    close() {
      store.close()
      rmSync(dir, { recursive: true })
    },
  }
}

type Git = { readonly current: ReadonlyMap<string, Map<string, string>>; commits: number }
type Say = (fact: FactBody) => void
type Random = () => number

/** Built by nobody here. */
const SIDECAR = 'mirror.test/proxy:1.25'
const DEEDS = [
  'deliver',
  'deliver',
  'deliver',
  'configure',
  'roll back',
  'drift',
  'refuse',
  'fail',
  'choose',
  'choose nothing',
  'go back',
  'remove',
  'delete',
] as const
type Deed = (typeof DEEDS)[number]
type Scene = {
  readonly deed: Deed
  readonly number: number
  readonly service: string
  readonly environment: string
  readonly image: string
  /** What ran before, and what is to run. */
  readonly before: string
  readonly tag: string
  /** Of the program, and of the manifests. */
  readonly commit: string
  readonly config: string
}

/** One thing that somebody does, as far as it comes. */
function happen(random: Random, git: Git, say: Say): void {
  const scene = sceneOf(random, git)
  const facts = [...begun(scene), ...reconciled(scene, git, random)]
  const isCutShort = random() < 0.2
  for (const fact of facts.slice(0, isCutShort ? Math.floor(random() * facts.length) : facts.length)) say(fact)
}

function sceneOf(random: Random, git: Git): Scene {
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!
  const [deed, service, environment] = [pick(DEEDS), pick(SERVICES), pick(ENVIRONMENTS)]
  const number = ++git.commits
  const before = git.current.get(environment)?.get(service) ?? '1.0'
  const old = `1.${Math.floor(random() * number)}`
  const configOf = deed === 'go back' ? 1 + Math.floor(random() * number) : number
  return {
    ...{ deed, number, service, environment, before, image: `${HOST}/${service}` },
    tag: deed === 'deliver' ? `1.${number}` : deed === 'roll back' || deed === 'choose' ? old : before,
    commit: commitOf(number, 'a'),
    config: commitOf(configOf, 'b'),
  }
}

function commitOf(number: number, filler: string): string {
  return number.toString(16).padStart(8, '0').padEnd(40, filler)
}

/** Up to the commit that Git has in the end. */
function begun({ deed, number, service, environment, image, tag, commit, config }: Scene): readonly FactBody[] {
  const push = (of: string): FactBody => ({
    ...{ kind: 'push', repository: 'vps', ref: 'refs/heads/main', commit: of, before: '' },
    ...{ author: 'ada', message: 'change', committedAt: '' },
  })
  const run = (state: 'running' | 'succeeded' | 'failed'): FactBody => ({
    ...{ kind: 'run', runId: `r${number}`, workflow: `build ${service}`, event: 'push', ref: 'refs/heads/main' },
    ...{ commit, state },
  })
  const policy: FactBody = { kind: 'policy', policy: `${environment}/${service}`, image, tag, considered: number }
  if (deed === 'fail') return [push(commit), run('running'), run('failed')]
  if (deed === 'choose') return [policy]
  if (deed === 'choose nothing') return [{ ...policy, tag: '', considered: 0, cause: 'no tag matches' }]
  if (deed !== 'deliver') return [push(config)]
  const built = { kind: 'image', image, tag, digest: digestOf(tag), commit, runId: `r${number}` } as const
  const written = { kind: 'write-back', automation: `${environment}/all`, branch: 'main', commit: config } as const
  const images = [{ image, tag }]
  return [
    ...[push(commit), run('running'), { ...built, intended: true } as const, built, run('succeeded'), policy],
    ...[{ ...written, images, intended: true } as const, { ...written, images }],
  ]
}

/** What an environment makes of its commit. */
function reconciled(scene: Scene, git: Git, random: Random): readonly FactBody[] {
  const { deed, service, environment, image, tag, before, config } = scene
  if (['fail', 'choose', 'choose nothing'].includes(deed)) return []
  const of = { kustomization: `flux-system/${environment}`, revision: `main@sha1:${config}` } as const
  const source: FactBody = { kind: 'source', source: 'flux-system/vps', revision: of.revision, commit: config }
  if (deed === 'refuse') return [source, { kind: 'build', ...of, ok: false, cause: 'no such file', workloads: [] }]
  if (deed === 'delete') return [{ kind: 'deletion', kustomization: of.kustomization }]
  const running = git.current.get(environment)!.set(service, tag)
  if (deed === 'remove') running.delete(service)
  const workloads = [...running].map(([name, version]) => ({
    ...{ namespace: environment, name, images: [`${HOST}/${name}:${version}`, SIDECAR] },
  }))
  const isDrift = deed === 'drift'
  const change = {
    object: `Deployment/${environment}/${service}`,
    action: 'configured',
    ...(isDrift ? { drift: true } : {}),
  }
  const pod = (version: string, rest: object): FactBody =>
    ({
      ...{ kind: 'pod', namespace: environment, workload: service, pod: `${service}-${version}`, image },
      ...{ digest: digestOf(version), ...rest },
    }) as FactBody
  const isIll = random() < 0.15
  return [
    ...[source, { kind: 'build', ...of, ok: true, workloads } as const],
    ...[{ kind: 'apply', ...of, ok: true, changes: [change] } as const, pod(tag, { ready: !isIll })],
    ...(before === tag ? [] : [pod(before, { ready: false, gone: true })]),
    { kind: 'health', ...of, state: isIll ? 'unhealthy' : 'healthy', ...(isIll ? { cause: 'no pod is ready' } : {}) },
  ]
}

function digestOf(tag: string): string {
  return `sha256:${tag.slice(2).padStart(64, '0')}`
}
