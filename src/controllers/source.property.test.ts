import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FINALIZER } from '../kinds/flux-object.ts'
import { parseBucket } from '../kinds/bucket.ts'
import { parseGitRepository } from '../kinds/git-repository.ts'
import { parseOciRepository } from '../kinds/oci-repository.ts'
import type { SourceObject } from '../kinds/source.ts'
import { seededRandom } from '../../tests/support/seeded-random.ts'
import type { KubeObject } from '../lib/kube/object.ts'
import { BUCKET_WORDS } from './bucket.ts'
import { WORDS as GIT_WORDS } from './git-repository.ts'
import { OCI_WORDS } from './oci-repository.ts'
import { decideSource, type LookOutcome, type SourceSeen, type SourceWords } from './source.ts'

/** Where the kinds of sources differ. */
type Kind<Source extends SourceObject> = {
  readonly kind: string
  readonly parse: (object: KubeObject) => Source
  readonly words: SourceWords<Source>
  readonly spec: Readonly<Record<string, unknown>>
  readonly revisionOf: (content: string) => string
}

type Meta = { readonly generation: number; readonly finalizers: readonly string[]; readonly deletionTimestamp?: string }

/** All there is: the remote, the cluster's object, what is stored, and what the engine remembers (lost in a crash). */
type World = {
  /** `spec.ignore`, which goes into the artifact and is noted beside it. */
  ignore: string | undefined
  readonly random: () => number
  nowMs: number
  /** Share of acts that fail or are interrupted. */
  trouble: number
  commit: string
  meta: Meta
  status: Record<string, unknown>
  stored: Set<string>
  memory: {
    nextLookMs: number
    failures: number
    handledGeneration: number
    outcome?: LookOutcome
    /** A status that the API server refused: the engine's loop writes it before it looks again. */
    unsettled?: Readonly<Record<string, unknown>>
  }
  writes: number
}

class Crash extends Error {}

/** The API server refused a write; the engine lives on and tries again. */
class Refused extends Error {}

const forgotten = (): World['memory'] => ({ nextLookMs: 0, failures: 0, handledGeneration: -1 })
const SEEDS = 500

function anyWorld<Source extends SourceObject>(seed: number, { revisionOf }: Kind<Source>): World {
  const random = seededRandom(seed)
  const old = `c${Math.floor(random() * 3)}`
  const artifact = { digest: `d-${old}`, revision: revisionOf(old), path: old, url: '', lastUpdateTime: '', size: 1 }
  const hasArtifact = random() < 0.5
  return {
    random,
    ignore: random() < 0.5 ? '/docs' : undefined,
    nowMs: 0,
    trouble: 0.3,
    commit: `c${Math.floor(random() * 3)}`,
    meta: {
      generation: 1 + Math.floor(random() * 3),
      ...(random() < 0.15
        ? { finalizers: [FINALIZER], deletionTimestamp: 'x' }
        : { finalizers: random() < 0.5 ? [FINALIZER] : [] }),
    },
    status: hasArtifact
      ? {
          artifact,
          observedGeneration: Math.floor(random() * 3),
          ...(random() < 0.3 ? { observedIgnore: '/old' } : {}),
        }
      : {},
    stored: new Set(hasArtifact && random() < 0.5 ? [old] : []),
    memory: forgotten(),
    writes: 0,
  }
}

function observe<Source extends SourceObject>(world: World, { kind, parse, spec }: Kind<Source>): SourceSeen<Source> {
  const { meta, status, memory, nowMs, random, ignore } = world
  const source = parse({
    apiVersion: 'source.toolkit.fluxcd.io/v1',
    kind,
    metadata: { name: 'app', namespace: 'ns', ...meta },
    spec: { interval: '10m', ...spec, ...(ignore === undefined ? {} : { ignore }) },
    status,
  } as KubeObject)
  const isAsked = meta.generation !== memory.handledGeneration
  return {
    source,
    nowMs,
    random: random(),
    dueInMs: isAsked ? 0 : memory.nextLookMs - nowMs,
    failures: memory.failures,
    knownMs: 60_000,
    ...(memory.outcome ? { outcome: memory.outcome } : {}),
  }
}

function look<Source extends SourceObject>(
  world: World,
  seen: SourceSeen<Source>,
  { revisionOf }: Kind<Source>,
): LookOutcome {
  const { commit, stored, ignore } = world
  if (world.random() < world.trouble)
    return { kind: 'failed', reason: 'Failed', message: 'no route', condition: 'FetchFailed' }
  const revision = revisionOf(commit)
  const isKnown = seen.source.artifact?.revision === revision && seen.source.status['observedIgnore'] === ignore
  if (isKnown && stored.has(commit)) return { kind: 'unchanged', revision }
  stored.add(commit)
  world.writes++
  const artifact = { digest: `d-${commit}`, revision, path: commit, url: '', lastUpdateTime: '', size: 1 }
  return { kind: 'stored', artifact, included: [], news: 'change' }
}

function act<Source extends SourceObject>(
  world: World,
  change: string,
  seen: SourceSeen<Source>,
  kind: Kind<Source>,
): void {
  if (world.random() < world.trouble) throw new Crash()
  const { memory, meta } = world
  if (change === 'look at the remote') {
    memory.outcome = look(world, seen, kind)
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

/** A refused write is noted; before and after any other the process may end. */
function writeStatus(world: World, status: Readonly<Record<string, unknown>>): void {
  const { memory, random, trouble } = world
  if (random() < trouble) throw new Crash()
  memory.unsettled = status
  if (random() < trouble) throw new Refused()
  delete memory.unsettled
  if (JSON.stringify(status) !== JSON.stringify(world.status)) {
    world.status = JSON.parse(JSON.stringify(status)) as Record<string, unknown>
    world.writes++
  }
  if (random() < trouble) throw new Crash()
}

/** One wake: the engine's loop until the object is settled. Answers when it wants to come again. */
function reconcile<Source extends SourceObject>(world: World, kind: Kind<Source>): number | undefined {
  if (world.memory.unsettled) writeStatus(world, world.memory.unsettled)
  for (let round = 0; round < 64; round++) {
    const seen = observe(world, kind)
    const decision = decideSource(seen, kind.words)
    if (decision.kind === 'act') {
      for (const change of decision.changes) act(world, change, seen, kind)
      continue
    }
    const { status, nextLookInMs } = decision.status
    delete world.memory.outcome
    if (nextLookInMs !== undefined) world.memory.nextLookMs = world.nowMs + nextLookInMs
    if (status !== undefined) writeStatus(world, status)
    return decision.kind === 'wait' ? decision.afterMs : decision.againAfterMs
  }
  throw new Error('it spins')
}

/** Interruptions, failures, moves of the remote and changes of the object, then calm. */
function live<Source extends SourceObject>(world: World, kind: Kind<Source>): void {
  for (let turn = 0; turn < 30; turn++) {
    if (turn === 20) world.trouble = 0
    if (turn < 20 && world.random() < 0.2) world.commit = `c${Math.floor(world.random() * 5)}`
    if (turn < 20 && world.random() < 0.1) edit(world)
    try {
      world.nowMs += reconcile(world, kind) ?? 0
    } catch (error) {
      if (error instanceof Refused) continue
      if (!(error instanceof Crash)) throw error
      world.memory = forgotten()
    }
  }
}

/** Somebody changes the object. */
function edit(world: World): void {
  world.meta = { ...world.meta, generation: world.meta.generation + 1 }
  world.ignore = world.random() < 0.5 ? '/docs' : undefined
}

function settles<Source extends SourceObject>(kind: Kind<Source>): void {
  test(`a ${kind.kind} offers what the remote has, from any of ${SEEDS} states, and then writes nothing`, () => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      const world = anyWorld(seed, kind)
      live(world, kind)
      check(world, kind, `seed ${seed}`)
      const before = world.writes
      reconcile(world, kind)
      world.memory = forgotten()
      reconcile(world, kind)
      assert.equal(world.writes, before, `seed ${seed}: a second run, and one after a restart, write nothing`)
    }
  })
}

function check<Source extends SourceObject>(world: World, { revisionOf }: Kind<Source>, name: string): void {
  const { meta, status, stored, commit, ignore } = world
  if (meta.deletionTimestamp !== undefined) return assert.deepEqual([meta.finalizers, stored.size], [[], 0], name)
  const artifact = status['artifact'] as { readonly revision?: string } | undefined
  const { observedIgnore, observedGeneration } = status
  assert.deepEqual(
    { revision: artifact?.revision, observedIgnore, observedGeneration },
    { revision: revisionOf(commit), observedIgnore: ignore, observedGeneration: meta.generation },
    name,
  )
  assert.ok(stored.has(commit), `${name}: stored`)
  assert.deepEqual(meta.finalizers, [FINALIZER], `${name}: holds what it stored`)
}

settles({
  ...{ kind: 'GitRepository', parse: parseGitRepository, words: GIT_WORDS },
  spec: { url: 'http://git/app.git', ref: { branch: 'main' } },
  revisionOf: (content) => `main@sha1:${content}`,
})
settles({
  ...{ kind: 'OCIRepository', parse: parseOciRepository, words: OCI_WORDS },
  spec: { url: 'oci://registry/app', layerSelector: { operation: 'copy' } },
  revisionOf: (content) => `latest@sha256:${content}`,
})
settles({
  ...{ kind: 'Bucket', parse: parseBucket, words: BUCKET_WORDS },
  spec: { bucketName: 'app', endpoint: 's3' },
  revisionOf: (content) => `sha256:${content}`,
})
