import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Decision } from '../engine/decision.ts'
import { seededRandom } from '../../tests/support/seeded-random.ts'
import { FINALIZER } from '../kinds/flux-object.ts'
import { parseImagePolicy, parseImageRepository, parseImageUpdateAutomation } from '../kinds/image.ts'
import type { KubeObject } from '../lib/kube/object.ts'
import { summarizeScan } from '../pipeline/image/scan.ts'
import { decideImagePolicy, type DigestOutcome } from './image-policy.ts'
import { decideImageRepository, type ScanOutcome } from './image-repository.ts'
import type { BasicStatus } from './basic-status.ts'
import { type AutomationOutcome, decideImageUpdateAutomation } from './image-update-automation.ts'

// From any state, through failures and crashes, each controller comes to what the world asks for, and then writes nothing.

type World = {
  readonly random: () => number
  nowMs: number
  trouble: number
  generation: number
  finalizers: string[]
  status: Record<string, unknown>
  memory: {
    nextMs: number
    failures: number
    handled: number
    outcome?: unknown
    known?: readonly string[]
    /** A status that the API server refused: the engine's loop writes it before it looks again. */
    unsettled?: Readonly<Record<string, unknown>>
  }
  writes: number
  /** Tags in the registry; the commit of the branch. */
  tags: string[]
  commit: string
}

class Crash extends Error {}

/** The API server refused a write; the engine lives on and tries again. */
class Refused extends Error {}

const SEEDS = 300
const pick = <T>(random: () => number, list: readonly T[]): T => list[Math.floor(random() * list.length)]!
const forgotten = (): World['memory'] => ({ nextMs: 0, failures: 0, handled: -1 })

function anyWorld(seed: number): World {
  const random = seededRandom(seed)
  const ready = {
    type: 'Ready',
    status: pick(random, ['True', 'False']),
    reason: 'X',
    message: 'y',
    lastTransitionTime: '',
  }
  return {
    random,
    nowMs: 0,
    trouble: 0.3,
    generation: 1 + Math.floor(random() * 3),
    finalizers: random() < 0.5 ? [FINALIZER] : [],
    status: random() < 0.5 ? { observedGeneration: Math.floor(random() * 3), conditions: [ready] } : {},
    memory: forgotten(),
    writes: 0,
    tags: ['1.0.100'],
    commit: 'c0',
  }
}

function objectOf(world: World, kind: string, spec: object): KubeObject {
  const { generation, finalizers, status } = world
  const metadata = { name: 'app', namespace: 'ns', uid: 'u', generation, finalizers }
  return { apiVersion: 'image.toolkit.fluxcd.io/v1', kind, metadata, spec, status }
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

/** One wake, as the engine's loop: answers when the object wants to come again. */
function reconcile<Change>(
  world: World,
  decide: () => Decision<Change, BasicStatus>,
  act: (change: Change) => void,
  settled: () => void = () => undefined,
): number {
  if (world.memory.unsettled) writeStatus(world, world.memory.unsettled)
  for (let round = 0; round < 64; round++) {
    const decision = decide()
    if (decision.kind !== 'act') {
      const { status } = decision.status
      settled()
      delete world.memory.outcome
      if (status !== undefined) writeStatus(world, status)
      return Math.abs(decision.kind === 'wait' ? decision.afterMs : (decision.againAfterMs ?? 60_000))
    }
    for (const change of decision.changes) {
      if (world.random() < world.trouble) throw new Crash()
      if (JSON.stringify(change).includes('add finalizer')) {
        world.finalizers = [FINALIZER]
        world.writes++
      } else act(change)
      if (world.random() < world.trouble) throw new Crash()
    }
  }
  throw new Error('it spins')
}

type Controller = { readonly wake: (world: World) => number; readonly check: (world: World, seed: number) => void }

const repository: Controller = {
  wake: (world) =>
    reconcile(
      world,
      () => {
        const { memory, nowMs, random, generation } = world
        const isHandled = memory.handled === generation
        const seen = {
          nowMs,
          random: random(),
          traps: 'safe' as const,
          dueInMs: isHandled ? memory.nextMs - nowMs : 0,
          hasTags: true,
          failures: memory.failures,
        }
        const outcome = memory.outcome as ScanOutcome | undefined
        return decideImageRepository({
          repository: parseImageRepository(objectOf(world, 'ImageRepository', { image: 'r.io/app', interval: '10m' })),
          ...seen,
          ...(outcome ? { outcome } : {}),
        })
      },
      () => {
        const { memory, tags } = world
        const failed: ScanOutcome = { kind: 'failed', reason: 'ReadOperationFailed', message: 'gone' }
        const outcome =
          world.random() < world.trouble ? failed : ({ kind: 'scanned', result: summarizeScan(tags, []) } as const)
        memory.handled = world.generation
        memory.failures = outcome.kind === 'failed' ? memory.failures + 1 : 0
        memory.outcome = outcome
      },
      () => {
        const outcome = world.memory.outcome as ScanOutcome | undefined
        if (outcome) world.memory.nextMs = world.nowMs + (outcome.kind === 'failed' ? 0 : 570_000)
      },
    ),
  check(world, seed) {
    const scan = world.status['lastScanResult'] as { revision?: string } | undefined
    assert.equal(scan?.revision, summarizeScan(world.tags, []).revision, `seed ${seed}`)
  },
}

const policy: Controller = {
  wake: (world) =>
    reconcile(
      world,
      () => {
        const spec = {
          imageRepositoryRef: { name: 'app' },
          policy: { semver: { range: '*' } },
          digestReflectionPolicy: 'IfNotPresent',
        }
        const digest = world.memory.outcome as DigestOutcome | undefined
        return decideImagePolicy({
          policy: parseImagePolicy(objectOf(world, 'ImagePolicy', spec)),
          repository: { kind: 'scanned', image: 'r.io/app', tags: world.tags, olderByMs: 0 },
          traps: 'safe',
          nowMs: world.nowMs,
          failures: world.memory.failures,
          knownMs: 60_000,
          digestDueInMs: 0,
          isNewScan: false,
          ...(digest ? { digest } : {}),
        })
      },
      (change) => {
        const tag = 'tag' in change ? change.tag : ''
        const isBroken = world.random() < world.trouble
        world.memory.outcome = isBroken
          ? { kind: 'failed', tag, message: 'gone' }
          : { kind: 'known', tag, digest: `sha256:${tag}` }
        world.memory.failures = isBroken ? world.memory.failures + 1 : 0
        // the registry goes on while it is asked
        if (world.random() < world.trouble) world.tags.push(`1.0.${100 + world.tags.length}`)
      },
    ),
  check(world, seed) {
    const latest = world.status['latestRef'] as { tag?: string; digest?: string } | undefined
    const want = [...world.tags].sort().at(-1)
    assert.deepEqual([latest?.tag, latest?.digest], [want, `sha256:${want}`], `seed ${seed}`)
  },
}

const automation: Controller = {
  wake: (world) =>
    reconcile(
      world,
      () => {
        const { memory, nowMs, random, commit, tags } = world
        const spec = { interval: '10m', sourceRef: { kind: 'GitRepository', name: 'app' }, git: {} }
        const outcome = memory.outcome as AutomationOutcome | undefined
        const policies = { app: { name: 'r.io/app', tag: [...tags].sort().at(-1) ?? '' } }
        return decideImageUpdateAutomation({
          automation: parseImageUpdateAutomation(objectOf(world, 'ImageUpdateAutomation', spec)),
          sourceRevision: `main@sha1:${commit}`,
          lastSeenRevision: '',
          isSourceEdited: false,
          policies,
          traps: 'safe',
          crossNamespace: true,
          nowMs,
          random: random(),
          dueInMs: memory.nextMs - nowMs,
          failures: memory.failures,
          ...(outcome ? { outcome, ranWith: policies } : {}),
        })
      },
      () => {
        const isBroken = world.random() < world.trouble
        world.memory.failures = isBroken ? world.memory.failures + 1 : 0
        world.memory.outcome = isBroken
          ? { kind: 'failed', reason: 'GitOperationFailed', message: 'gone' }
          : { kind: 'up-to-date', sourceRevision: `main@sha1:${world.commit}`, problems: [] }
      },
      () => {
        const outcome = world.memory.outcome as AutomationOutcome | undefined
        if (outcome) world.memory.nextMs = outcome.kind === 'failed' ? 0 : world.nowMs + 570_000
      },
    ),
  check(world, seed) {
    assert.equal(world.status['observedSourceRevision'], `main@sha1:${world.commit}`, `seed ${seed}: source`)
    const policies = world.status['observedPolicies'] as { app?: { tag?: string } } | undefined
    assert.equal(policies?.app?.tag, [...world.tags].sort().at(-1), `seed ${seed}: policies`)
  },
}

/** Failures, crashes, new tags, commits and generations; then calm, long enough for every interval. */
function live(world: World, { wake }: Controller): void {
  for (let turn = 0; turn < 40; turn++) {
    if (turn === 25) world.trouble = 0
    const isWild = turn < 25
    if (isWild && world.random() < 0.2) world.tags.push(`1.0.${100 + world.tags.length}`)
    if (isWild && world.random() < 0.2) world.commit = `c${turn}`
    if (isWild && world.random() < 0.1) world.generation++
    try {
      world.nowMs += wake(world)
    } catch (error) {
      if (error instanceof Refused) continue
      if (!(error instanceof Crash)) throw error
      world.memory = forgotten()
    }
  }
}

for (const [name, controller] of Object.entries({
  ImageRepository: repository,
  ImagePolicy: policy,
  ImageUpdateAutomation: automation,
}))
  test(`${name} comes to what the world asks for, from any of ${SEEDS} states, and then writes nothing`, () => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      const world = anyWorld(seed)
      live(world, controller)
      controller.check(world, seed)
      assert.equal(world.status['observedGeneration'], world.generation, `seed ${seed}: generation`)
      assert.deepEqual(world.finalizers, [FINALIZER], `seed ${seed}: finalizer`)
      const conditions = (world.status['conditions'] ?? []) as { type: string; status: string }[]
      assert.deepEqual(
        conditions.map(({ type, status }) => `${type}=${status}`),
        ['Ready=True'],
        `seed ${seed}`,
      )
      // What is due once more, as a scan whose interval is over, notes its time; the run after it has nothing to do.
      controller.wake(world)
      const before = world.writes
      controller.wake(world)
      assert.equal(world.writes, before, `seed ${seed}: a second run writes nothing`)
    }
  })
