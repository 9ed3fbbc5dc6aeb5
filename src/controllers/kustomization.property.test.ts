import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '../../tests/support/seeded-random.ts'
import { FINALIZER } from '../kinds/flux-object.ts'
import { type InventoryEntry, parseKustomization } from '../kinds/kustomization.ts'
import { staleEntries } from '../pipeline/apply/inventory.ts'
import type { Checked } from '../pipeline/health/summarize.ts'
import {
  type Attempt,
  decideKustomization,
  type KustomizationChange,
  type KustomizationSeen,
  type StepFailure,
} from './kustomization.ts'

/** Objects by name, each with its content. */
type Objects = Map<string, string>

/** All there is: Git, the cluster's objects, the Kustomization, and what the engine remembers (lost in a crash). */
type World = {
  readonly random: () => number
  nowMs: number
  /** Share of acts that fail or are interrupted. */
  trouble: number
  git: { readonly revision: number; readonly objects: Objects }
  cluster: Objects
  /** In the cluster, in no inventory and not in Git: nobody's business. */
  readonly foreign: Objects
  readonly wait: boolean
  generation: number
  finalizers: readonly string[]
  readonly isDeleting: boolean
  status: Record<string, unknown>
  memory: { attempt?: Attempt; nextMs: number; generation: number; revision: string }
  objectWrites: number
  statusWrites: number
}

class Crash extends Error {}

/** The API server refused a write; the engine lives on and tries again. */
class Refused extends Error {}

const SEEDS = 300
const NAMES = ['a', 'b', 'c', 'd', 'e', 'f']
const entryOf = (name: string): InventoryEntry => ({ id: `ns_${name}__ConfigMap`, v: 'v1' })
const nameOf = ({ id }: InventoryEntry): string => id.split('_')[1] ?? ''
const forgotten = (): World['memory'] => ({ nextMs: 0, generation: -1, revision: '' })

function someObjects(random: () => number, names: readonly string[]): Objects {
  const picked = names.filter(() => random() < 0.5)
  return new Map(picked.map((name) => [name, `v${Math.floor(random() * 3)}`]))
}

function anyWorld(seed: number): World {
  const random = seededRandom(seed)
  const git = { revision: 1, objects: someObjects(random, NAMES) }
  const foreign = new Map([['foreign', 'v0']])
  const cluster = someObjects(random, NAMES)
  // What the inventory names may have gone; what it does not name is Git's or nobody's.
  const inventory = [...new Set([...cluster.keys(), ...NAMES.filter(() => random() < 0.2)])].map(entryOf)
  const conditions = random() < 0.5 ? [{ type: 'Ready', status: random() < 0.5 ? 'True' : 'False' }] : []
  const isDeleting = random() < 0.15
  return {
    random,
    nowMs: 0,
    trouble: 0.2,
    git,
    cluster: new Map([...cluster, ...foreign]),
    foreign,
    wait: random() < 0.5,
    generation: 1,
    finalizers: isDeleting || random() < 0.5 ? [FINALIZER] : [],
    isDeleting,
    status: inventory.length > 0 ? { inventory: { entries: inventory }, conditions } : {},
    memory: forgotten(),
    objectWrites: 0,
    statusWrites: 0,
  }
}

function observe(world: World): KustomizationSeen {
  const { generation, finalizers, isDeleting, status, memory, nowMs, random, wait } = world
  const revision = `main@sha1:${world.git.revision}`
  const kustomization = parseKustomization({
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata: { name: 'app', namespace: 'ns', generation, finalizers, ...(isDeleting && { deletionTimestamp: 'x' }) },
    spec: { interval: '10m', timeout: '1m', prune: true, wait, sourceRef: { kind: 'GitRepository', name: 'app' } },
    status,
  })
  const isNew = memory.generation !== generation || memory.revision !== revision
  const health = memory.attempt?.healthStartedMs === undefined ? [] : judged(world)
  return {
    kustomization,
    nowMs,
    monotonicMs: nowMs,
    dependencyRetryMs: 30_000,
    random: random(),
    dueInMs: isNew ? 0 : memory.nextMs - nowMs,
    terminationLookInMs: 0,
    source: random() < world.trouble ? { kind: 'no artifact' } : { kind: 'ready', revision, digest: revision },
    dependencies: [],
    isBlockNews: false,
    healthGraceMs: random() < 0.5 ? 0 : 2_000,
    health,
    ...(memory.attempt ? { attempt: memory.attempt } : {}),
  }
}

function judged(world: World): readonly Checked[] {
  const health = world.random() < world.trouble ? (world.random() < 0.5 ? 'InProgress' : 'Failed') : 'Current'
  const ref = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'ns', name: 'a' }
  return [{ ref, judgement: { health, why: '' } }]
}

/** Something goes wrong now and then: the process dies. */
function risk(world: World): void {
  if (world.random() < world.trouble) throw new Crash()
}

function failureIn(world: World, phase: StepFailure['phase']): StepFailure | undefined {
  return world.random() < world.trouble ? { phase, reason: 'Failed', message: 'no' } : undefined
}

function act(world: World, change: KustomizationChange, seen: KustomizationSeen): void {
  risk(world)
  carryOut(world, change, seen)
  risk(world)
}

function carryOut(world: World, change: KustomizationChange, { kustomization, source }: KustomizationSeen): void {
  const { memory } = world
  const { attempt } = memory
  if (change === 'add finalizer') world.finalizers = [FINALIZER]
  if (change === 'finalize') {
    remove(world, kustomization.inventory)
    world.finalizers = []
  }
  if (change === 'begin' && source.kind === 'ready') begin(world, source.revision)
  if (!attempt) return
  if (change === 'build') {
    const failure = failureIn(world, 'Building manifests')
    memory.attempt = failure ? { ...attempt, failure } : { ...attempt, build: { digest: attempt.revision } }
  }
  if (change === 'apply') memory.attempt = apply(world, attempt, kustomization.inventory)
  if (change === 'prune' && attempt.inventory) {
    const stale = staleEntries(kustomization.inventory, attempt.inventory)
    const left = remove(world, stale)
    memory.attempt =
      left.length === 0
        ? { ...attempt, isPruned: true }
        : {
            ...attempt,
            inventory: [...attempt.inventory, ...left],
            failure: { phase: 'Detecting drift', reason: 'PruneFailed', message: 'no' },
          }
  }
  if (change === 'begin health check') memory.attempt = { ...attempt, healthStartedMs: world.nowMs }
}

function begin({ memory, generation, nowMs }: World, revision: string): void {
  memory.generation = generation
  memory.revision = revision
  memory.attempt = {
    revision,
    digest: revision,
    generation,
    requestedAt: undefined,
    startedMs: nowMs,
    wasHealthy: false,
  }
}

/** Writes what differs, one object after the other; a failure or a crash may come between any two. */
function apply(world: World, attempt: Attempt, before: readonly InventoryEntry[]): Attempt {
  const done: InventoryEntry[] = []
  let hasChanged = false
  hold(world, before)
  for (const [name, content] of world.git.objects) {
    const failure = failureIn(world, 'Detecting drift')
    if (failure) return { ...attempt, failure, inventory: [...before, ...staleEntries(done, before)] }
    if (world.cluster.get(name) !== content) {
      world.cluster.set(name, content)
      world.objectWrites++
      hasChanged = true
    }
    done.push(entryOf(name))
    risk(world)
  }
  return { ...attempt, inventory: done, hasChanged }
}

/** What is about to be applied stands in the inventory before it is, so that it is never lost from sight. */
function hold(world: World, before: readonly InventoryEntry[]): void {
  const fresh = staleEntries([...world.git.objects.keys()].map(entryOf), before)
  if (fresh.length === 0) return
  if (world.random() < world.trouble) throw new Refused()
  world.status = { ...world.status, inventory: { entries: [...before, ...fresh] } }
  world.statusWrites++
  risk(world)
}

/** Deletes what is there; answers what would not go. */
function remove(world: World, entries: readonly InventoryEntry[]): readonly InventoryEntry[] {
  return entries.filter((entry) => {
    if (world.random() < world.trouble) {
      if (world.isDeleting) throw new Crash()
      return true
    }
    if (world.cluster.delete(nameOf(entry))) world.objectWrites++
    return false
  })
}

/** One wake: the engine's loop until the object is settled. Answers when it wants to come again. */
function reconcile(world: World): number | undefined {
  for (let round = 0; round < 64; round++) {
    const seen = observe(world)
    const decision = decideKustomization(seen)
    if (decision.kind === 'act') {
      for (const change of decision.changes) act(world, change, seen)
      continue
    }
    const { status, ended } = decision.status
    if (status !== undefined && JSON.stringify(status) !== JSON.stringify(world.status)) {
      risk(world)
      if (world.random() < world.trouble) throw new Refused()
      world.status = JSON.parse(JSON.stringify(status)) as Record<string, unknown>
      world.statusWrites++
    }
    if (ended) {
      const { retryIntervalMs, intervalMs } = seen.kustomization
      world.memory.nextMs = world.nowMs + (ended === 'failed' ? retryIntervalMs : intervalMs * 0.95)
      delete world.memory.attempt
    }
    return decision.kind === 'wait' ? decision.afterMs : decision.againAfterMs
  }
  throw new Error('it spins')
}

/** Interruptions, failures, drift, new commits and changes of the object, then calm. */
function live(world: World): void {
  const { random } = world
  for (let turn = 0; turn < 60; turn++) {
    if (turn === 50) world.trouble = 0
    if (turn < 50 && random() < 0.1)
      world.git = { revision: world.git.revision + 1, objects: someObjects(random, NAMES) }
    if (turn < 50 && random() < 0.1) world.generation++
    const name = NAMES[Math.floor(random() * NAMES.length)] ?? ''
    if (turn < 50 && random() < 0.2 && world.cluster.has(name)) world.cluster.set(name, 'drift')
    try {
      world.nowMs += reconcile(world) ?? 0
    } catch (error) {
      if (error instanceof Refused) continue
      if (!(error instanceof Crash)) throw error
      world.memory = forgotten()
    }
  }
}

test(`a Kustomization brings the cluster to Git, from any of ${SEEDS} states, and then writes nothing`, () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const world = anyWorld(seed)
    live(world)
    if (world.isDeleting) {
      assert.deepEqual([...world.cluster], [...world.foreign], `seed ${seed}: all is gone`)
      assert.deepEqual(world.finalizers, [], `seed ${seed}: let go`)
    } else proveConverged(world, seed)
    const { objectWrites, statusWrites } = world
    // Woken for nothing, it sleeps on until its interval.
    world.memory.nextMs = Math.max(world.memory.nextMs, world.nowMs + 1)
    reconcile(world)
    assert.deepEqual([world.objectWrites, world.statusWrites], [objectWrites, statusWrites], `seed ${seed}: second run`)
    // A restart looks at everything again and may count that in the history; no object is written.
    world.memory = forgotten()
    reconcile(world)
    assert.equal(world.objectWrites, objectWrites, `seed ${seed}: after a restart`)
  }
})

test('one write an object that changed, none for the others, one status; a new object is noted beforehand', () => {
  const cases = [
    { it: 'a commit that touches one', change: { a: 'new' }, objects: 1, statuses: 1 },
    { it: 'a commit that touches none', change: {}, objects: 0, statuses: 1 },
    { it: 'a commit that adds one', change: { new: 'v0' }, objects: 1, statuses: 2 },
  ]
  for (let seed = 1; seed <= 50; seed++)
    for (const { it, change, objects, statuses } of cases) {
      const world = { ...anyWorld(seed), isDeleting: false }
      world.git = { revision: 1, objects: new Map([...world.git.objects, ['a', 'v0']]) }
      live(world)
      const { objectWrites, statusWrites, git } = world
      world.git = { revision: git.revision + 1, objects: new Map([...git.objects, ...Object.entries(change)]) }
      if (it.endsWith('touches one') && git.objects.get('a') === undefined) continue
      reconcile(world)
      const written = [world.objectWrites - objectWrites, world.statusWrites - statusWrites]
      assert.deepEqual(written, [objects, statuses], `seed ${seed}: ${it}`)
    }
})

function proveConverged({ git, foreign, cluster, status, generation }: World, seed: number): void {
  const sorted = (objects: Iterable<readonly [string, string]>): unknown => [...objects].sort()
  assert.deepEqual(sorted(cluster), sorted([...git.objects, ...foreign]), `seed ${seed}: cluster`)
  const { conditions, lastAppliedRevision, inventory, observedGeneration } = status as {
    readonly conditions: readonly { readonly type: string; readonly status: string }[]
    readonly lastAppliedRevision: string
    readonly inventory: { readonly entries: readonly InventoryEntry[] }
    readonly observedGeneration: number
  }
  assert.equal(conditions.find(({ type }) => type === 'Ready')?.status, 'True', `seed ${seed}: Ready`)
  assert.equal(lastAppliedRevision, `main@sha1:${git.revision}`, `seed ${seed}: revision`)
  assert.equal(observedGeneration, generation, `seed ${seed}: generation`)
  assert.deepEqual(inventory.entries.map(nameOf).sort(), [...git.objects.keys()].sort(), `seed ${seed}: inventory`)
}
