import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '../../../tests/support/seeded-random.ts'
import type { FactBody } from './fact.ts'
import { foldFact } from './fold.ts'
import { emptyLedger } from './ledger.ts'
import { historyOf } from './query.ts'

// A process that ends at any point of a delivery, loses what it had not flushed, and starts again: whatever the order in which
// the stages then tell what their stores show, the record ends as if nothing had happened.
const [C, W, FIRST] = ['c'.repeat(40), 'd'.repeat(40), 'a'.repeat(40)]
const D = `sha256:${'1'.repeat(64)}`
const OLD = `sha256:${'0'.repeat(64)}`
const IMAGE = 'registry.sluice.local/web'
const KUSTOMIZATION = 'flux-system/production'

type Deed = 'push' | 'registry' | 'run' | 'commit' | 'apply' | 'rollout'
type World = Set<Deed>
type Step = { readonly deed: Deed } | { readonly fact: FactBody }

const push: FactBody = {
  ...{ kind: 'push', repository: 'vps', ref: 'refs/heads/main', commit: C, before: '', author: 'ada' },
  ...{ message: 'feat: x', committedAt: '' },
}
const run = (state: 'queued' | 'running' | 'succeeded'): FactBody => ({
  ...{ kind: 'run', runId: '1', workflow: 'Build web', event: 'push', ref: 'refs/heads/main', commit: C, state },
})
const image: FactBody = { kind: 'image', image: IMAGE, tag: '1.1.0', digest: D, commit: C, runId: '1' }
const policy: FactBody = { kind: 'policy', policy: 'default/web', image: IMAGE, tag: '1.1.0', considered: 3 }
const writeBack: FactBody = {
  ...{ kind: 'write-back', automation: 'default/production', branch: 'main', commit: W },
  images: [{ image: IMAGE, tag: '1.1.0' }],
}
const source: FactBody = { kind: 'source', source: 'flux-system/git', revision: `main@sha1:${W}`, commit: W }
const build = (tag: string, commit: string): FactBody => ({
  ...{ kind: 'build', kustomization: KUSTOMIZATION, revision: `main@sha1:${commit}`, ok: true },
  workloads: [{ namespace: 'default', name: 'web', images: [`${IMAGE}:${tag}`] }],
})
const apply = (action?: string): FactBody => ({
  ...{ kind: 'apply', kustomization: KUSTOMIZATION, revision: `main@sha1:${W}`, ok: true },
  changes: action === undefined ? [] : [{ object: 'Deployment/default/web', action }],
})
const health: FactBody = { kind: 'health', kustomization: KUSTOMIZATION, revision: `main@sha1:${W}`, state: 'healthy' }
const pod = (digest: string, ready: boolean): FactBody => ({
  ...{ kind: 'pod', namespace: 'default', workload: 'web', pod: `web-${digest.slice(7, 9)}`, image: IMAGE },
  ...{ digest, ready },
})
const intend = (fact: FactBody): FactBody => ({ ...fact, intended: true }) as FactBody

const before: readonly FactBody[] = [build('1.0.0', FIRST), pod(OLD, true)]
const way: readonly Step[] = [
  ...[{ deed: 'push' } as const, { fact: push }, { fact: run('queued') }, { fact: run('running') }],
  ...[{ fact: intend(image) }, { deed: 'registry' } as const, { fact: image }],
  ...[{ deed: 'run' } as const, { fact: run('succeeded') }, { fact: policy }],
  ...[{ fact: intend(writeBack) }, { deed: 'commit' } as const, { fact: writeBack }],
  ...[{ fact: source }, { fact: build('1.1.0', W) }],
  ...[{ fact: intend(apply('configured')) }, { deed: 'apply' } as const, { fact: apply('configured') }],
  ...[{ deed: 'rollout' } as const, { fact: pod(D, true) }, { fact: pod(OLD, false) }, { fact: health }],
]

/** What one part does after the start, step by step; `wait` lets others go first. */
type Part = Generator<FactBody | 'wait', void>

function* until(world: World, deed: Deed): Part {
  while (!world.has(deed)) yield 'wait'
}

function* runner(world: World): Part {
  if (world.has('run')) return
  yield run('running')
  yield intend(image)
  world.add('registry')
  yield image
  world.add('run')
  yield run('succeeded')
}

function* images(world: World): Part {
  yield* until(world, 'registry')
  yield policy
  if (world.has('commit')) return
  yield intend(writeBack)
  world.add('commit')
  yield writeBack
}

function* applies(world: World): Part {
  if (!world.has('commit')) {
    yield build('1.0.0', FIRST)
    yield* until(world, 'commit')
  }
  yield source
  yield build('1.1.0', W)
  if (world.has('apply')) yield apply()
  else {
    yield intend(apply('configured'))
    world.add('apply')
    yield apply('configured')
  }
  yield* until(world, 'rollout')
  yield health
}

function* pods(world: World): Part {
  if (world.has('rollout')) return
  yield* until(world, 'apply')
  world.add('rollout')
  yield pod(D, true)
  yield pod(OLD, false)
}

/** What is told at once at every start, from what the stores hold. */
function reconciled(world: World): readonly FactBody[] {
  const now = world.has('rollout') ? [pod(D, true), pod(OLD, false)] : [pod(OLD, true)]
  return [push, ...(world.has('run') ? [run('succeeded')] : []), ...now]
}

function restart(world: World, random: () => number): readonly FactBody[] {
  const parts = [runner(world), images(world), applies(world), pods(world)]
  const told = [...reconciled(world)]
  while (parts.length > 0) {
    const at = Math.floor(random() * parts.length)
    const next = parts[at]!.next()
    if (next.done) parts.splice(at, 1)
    else if (next.value !== 'wait') told.push(next.value)
  }
  return told
}

const isIntent = (step: Step): boolean => 'fact' in step && 'intended' in step.fact
const ORDERS = 12

/** Every point of a way at which a process may end, and every number of facts that may be on disk then. */
function* cuts(steps: readonly Step[]): Generator<{ readonly world: World; readonly kept: readonly FactBody[] }> {
  for (let done = 0; done < steps.length; done++) {
    const executed = steps.slice(0, done + 1)
    for (let last = executed.findLastIndex(isIntent); last <= done; last++)
      yield {
        world: new Set(executed.flatMap((step) => ('deed' in step ? [step.deed] : []))),
        kept: executed.slice(0, last + 1).flatMap((step) => ('fact' in step ? [step.fact] : [])),
      }
  }
}

/** The deliveries that were not overtaken, after these facts. */
function arrived(facts: readonly FactBody[]): readonly object[] {
  const ledger = emptyLedger()
  facts.forEach((fact, index) => foldFact(ledger, { at: new Date(index * 1000).toISOString(), ...fact }))
  return historyOf(ledger, { limit: 10 })
    .filter(({ state }) => state !== 'superseded')
    .map(({ commit, configCommit, digest, version, state, borders }) => ({
      ...{ commit, configCommit, digest, version, state },
      borders: Object.values(borders).map((border) => border.state),
    }))
}

const names = (facts: readonly FactBody[]): string =>
  facts.map((fact) => `${fact.kind}${'intended' in fact ? ' intended' : ''}`).join(', ')

for (const [what, past] of [
  ['a delivery', before],
  ['the first delivery', []],
] as const)
  test(`${what} that is cut off anywhere ends as if nothing had happened`, () => {
    const borders: readonly string[] = Array(9).fill('done')
    const wanted = { commit: C, configCommit: W, digest: D, version: '1.1.0', state: 'done', borders }
    for (const { world, kept } of cuts(way))
      for (let seed = 1; seed <= ORDERS; seed++) {
        const facts = [...past, ...kept, ...restart(new Set(world), seededRandom(seed))]
        assert.deepEqual(arrived(facts), [wanted], names(facts))
      }
  })

for (const isDrift of [false, true])
  test(`${isDrift ? 'corrected drift' : 'a change of manifests'} that is cut off anywhere is in the record`, () => {
    const changes = [{ object: 'Deployment/default/web', action: 'configured', ...(isDrift ? { drift: true } : {}) }]
    const change: FactBody = { ...apply(), changes } as FactBody
    const steps: readonly Step[] = [
      ...[{ fact: build('1.0.0', W) }, { fact: intend(change) }, { deed: 'apply' } as const, { fact: change }],
      ...[{ deed: 'rollout' } as const, { fact: health }],
    ]
    for (const { world, kept } of cuts(steps)) {
      const isApplied = world.has('apply')
      const rest: readonly FactBody[] = isApplied ? [apply()] : [intend(change), change]
      const facts: readonly FactBody[] = [...before, ...kept, pod(OLD, true), build('1.0.0', W), ...rest, health]
      const seen: readonly unknown[] = arrived(facts).map((delivery) => ('state' in delivery ? delivery.state : ''))
      assert.deepEqual(seen, ['done'], names(facts))
    }
  })
