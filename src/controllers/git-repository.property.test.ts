import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FINALIZER } from '../kinds/flux-object.ts'
import { parseGitRepository } from '../kinds/git-repository.ts'
import { seededRandom } from '../engine/seeded-random.ts'
import { decideGitRepository, type GitRepositorySeen } from './git-repository.ts'
import type { LookOutcome } from './source.ts'

type Meta = { readonly generation: number; readonly finalizers: readonly string[]; readonly deletionTimestamp?: string }

/** All there is: the remote, the cluster's object, what is stored, and what the engine remembers (lost in a crash). */
type World = {
  readonly random: () => number
  nowMs: number
  /** Share of acts that fail or are interrupted. */
  trouble: number
  commit: string
  meta: Meta
  status: Record<string, unknown>
  stored: Set<string>
  memory: { nextLookMs: number; failures: number; handledGeneration: number; outcome?: LookOutcome }
  writes: number
}

class Crash extends Error {}

const forgotten = (): World['memory'] => ({ nextLookMs: 0, failures: 0, handledGeneration: -1 })
const SEEDS = 500

function anyWorld(seed: number): World {
  const random = seededRandom(seed)
  const old = `c${Math.floor(random() * 3)}`
  const artifact = { digest: `d-${old}`, revision: `main@sha1:${old}`, path: old, url: '', lastUpdateTime: '', size: 1 }
  const hasArtifact = random() < 0.5
  return {
    random,
    nowMs: 0,
    trouble: 0.3,
    commit: `c${Math.floor(random() * 3)}`,
    meta: {
      generation: 1 + Math.floor(random() * 3),
      ...(random() < 0.15
        ? { finalizers: [FINALIZER], deletionTimestamp: 'x' }
        : { finalizers: random() < 0.5 ? [FINALIZER] : [] }),
    },
    status: hasArtifact ? { artifact, observedGeneration: Math.floor(random() * 3) } : {},
    stored: new Set(hasArtifact && random() < 0.5 ? [old] : []),
    memory: forgotten(),
    writes: 0,
  }
}

function observe(world: World): GitRepositorySeen {
  const { meta, status, memory, nowMs, random } = world
  const repository = parseGitRepository({
    apiVersion: 'source.toolkit.fluxcd.io/v1',
    kind: 'GitRepository',
    metadata: { name: 'app', namespace: 'ns', ...meta },
    spec: { url: 'http://git/app.git', interval: '10m', ref: { branch: 'main' } },
    status,
  })
  const isAsked = meta.generation !== memory.handledGeneration
  return {
    source: repository,
    nowMs,
    random: random(),
    dueInMs: isAsked ? 0 : memory.nextLookMs - nowMs,
    failures: memory.failures,
    ...(memory.outcome ? { outcome: memory.outcome } : {}),
  }
}

function look(world: World, seen: GitRepositorySeen): LookOutcome {
  const { commit, stored } = world
  if (world.random() < world.trouble)
    return { kind: 'failed', reason: 'GitOperationFailed', message: 'no route', condition: 'FetchFailed' }
  const revision = `main@sha1:${commit}`
  if (seen.source.artifact?.revision === revision && stored.has(commit)) return { kind: 'unchanged', revision }
  stored.add(commit)
  world.writes++
  const artifact = { digest: `d-${commit}`, revision, path: commit, url: '', lastUpdateTime: '', size: 1 }
  return { kind: 'stored', artifact, included: [], news: 'change' }
}

function act(world: World, change: string, seen: GitRepositorySeen): void {
  if (world.random() < world.trouble) throw new Crash()
  const { memory, meta } = world
  if (change === 'look at the remote') {
    memory.outcome = look(world, seen)
    memory.handledGeneration = meta.generation
    memory.failures = memory.outcome.kind === 'failed' ? memory.failures + 1 : 0
  } else {
    const isAdding = change === 'add finalizer'
    if (!isAdding) world.stored.clear()
    world.meta = { ...meta, finalizers: isAdding ? [FINALIZER] : [] }
    world.writes++
  }
  if (world.random() < world.trouble) throw new Crash()
}

/** One wake: the engine's loop until the object is settled. Answers when it wants to come again. */
function reconcile(world: World): number | undefined {
  for (let round = 0; round < 64; round++) {
    const seen = observe(world)
    const decision = decideGitRepository(seen)
    if (decision.kind === 'act') {
      for (const change of decision.changes) act(world, change, seen)
      continue
    }
    const { status, nextLookInMs } = decision.status
    delete world.memory.outcome
    if (nextLookInMs !== undefined) world.memory.nextLookMs = world.nowMs + nextLookInMs
    if (status !== undefined && JSON.stringify(status) !== JSON.stringify(world.status)) {
      world.status = JSON.parse(JSON.stringify(status)) as Record<string, unknown>
      world.writes++
    }
    return decision.kind === 'wait' ? decision.afterMs : decision.againAfterMs
  }
  throw new Error('it spins')
}

/** Interruptions, failures, moves of the remote and changes of the object, then calm. */
function live(world: World): void {
  for (let turn = 0; turn < 30; turn++) {
    if (turn === 20) world.trouble = 0
    if (turn < 20 && world.random() < 0.2) world.commit = `c${Math.floor(world.random() * 5)}`
    if (turn < 20 && world.random() < 0.1) world.meta = { ...world.meta, generation: world.meta.generation + 1 }
    try {
      world.nowMs += reconcile(world) ?? 0
    } catch (error) {
      if (!(error instanceof Crash)) throw error
      world.memory = forgotten()
    }
  }
}

test(`a GitRepository offers what the remote has, from any of ${SEEDS} states, and then writes nothing`, () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const world = anyWorld(seed)
    live(world)
    const { artifact, observedGeneration } = parseStatus(world)
    if (world.meta.deletionTimestamp !== undefined) {
      assert.deepEqual([world.meta.finalizers, world.stored.size], [[], 0], `seed ${seed}: gone`)
    } else {
      assert.equal(artifact, `main@sha1:${world.commit}`, `seed ${seed}: revision`)
      assert.ok(world.stored.has(world.commit), `seed ${seed}: stored`)
      assert.equal(observedGeneration, world.meta.generation, `seed ${seed}: generation`)
    }
    const before = world.writes
    reconcile(world)
    world.memory = forgotten()
    reconcile(world)
    assert.equal(world.writes, before, `seed ${seed}: a second run, and one after a restart, write nothing`)
  }
})

function parseStatus({ status }: World): { readonly artifact: unknown; readonly observedGeneration: unknown } {
  const artifact = status['artifact'] as { readonly revision?: string } | undefined
  return { artifact: artifact?.revision, observedGeneration: status['observedGeneration'] }
}
