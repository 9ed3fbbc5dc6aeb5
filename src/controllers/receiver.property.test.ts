import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '../../tests/support/seeded-random.ts'
import { FINALIZER } from '../kinds/flux-object.ts'
import { parseReceiver } from '../kinds/receiver.ts'
import { decideReceiver, type ReceiverSeen } from './receiver.ts'

/** All there is: the object, its token, the clock, and what the engine remembers (lost in a crash). */
type World = {
  readonly random: () => number
  nowMs: number
  /** Share of writes that fail or are interrupted. */
  trouble: number
  token: string | undefined
  meta: { readonly generation: number; finalizers: readonly string[]; readonly deletionTimestamp?: string } | undefined
  readonly spec: Record<string, unknown>
  status: Record<string, unknown>
  memory: { nextMs: number; failures: number }
  writes: number
}

class Crash extends Error {}
const SEEDS = 500
const ROUNDS = 60

function anyWorld(seed: number): World {
  const random = seededRandom(seed)
  const pick = <T>(...all: T[]): T => all[Math.floor(random() * all.length)] as T
  const isOld = random() < 0.5
  return {
    ...{ random, nowMs: 0, trouble: 0.4, memory: { nextMs: 0, failures: 0 }, writes: 0 },
    token: pick('a', 'b', undefined),
    meta: {
      generation: 1 + Math.floor(random() * 3),
      finalizers: random() < 0.5 ? [FINALIZER] : [],
      ...(random() < 0.15 ? { finalizers: [FINALIZER], deletionTimestamp: 'x' } : {}),
    },
    spec: {
      ...{ type: 'generic', interval: '10m', resources: [], secretRef: { name: 's' } },
      suspend: random() < 0.1,
      resourceFilter: pick('', '', 'res.metadata.name == "a"', 'not (cel'),
    },
    status: isOld
      ? {
          webhookPath: pick('/hook/a', '/hook/old'),
          observedGeneration: 1,
          conditions: [{ type: 'Ready', status: pick('True', 'False'), reason: 'x', message: 'x' }],
        }
      : {},
  }
}

function observe({ meta, spec, status, token, nowMs, random, memory }: World): ReceiverSeen | undefined {
  if (!meta) return undefined
  const metadata = { name: 'r', namespace: 'ns', ...meta }
  return {
    receiver: parseReceiver({
      apiVersion: 'notification.toolkit.fluxcd.io/v1',
      kind: 'Receiver',
      metadata,
      spec,
      status,
    }),
    path: token === undefined ? { missing: 'no token' } : { path: `/hook/${token}` },
    ...{
      nowMs,
      random: random(),
      dueInMs: memory.nextMs - nowMs,
      failures: memory.failures,
      knownMs: 60_000,
      traps: 'safe',
    },
  }
}

/** A write that may be lost before or after it was made, as when the process or the API server dies. */
function write(world: World, make: () => void): void {
  if (world.random() < world.trouble) throw new Crash()
  make()
  world.writes++
  if (world.random() < world.trouble) throw new Crash()
}

/** One reconcile, as the engine does it; answers whether there is nothing left to do now. */
function reconcile(world: World): boolean {
  const seen = observe(world)
  if (!seen) return true
  const decision = decideReceiver(seen)
  if (decision.kind === 'act') {
    const [change] = decision.changes
    write(world, () => {
      const { meta } = world
      if (change === 'remove finalizer') world.meta = undefined
      else if (meta) world.meta = { ...meta, finalizers: [FINALIZER] }
    })
    return false
  }
  const { status } = decision.status
  if (status !== undefined && JSON.stringify(status) !== JSON.stringify(world.status))
    write(world, () => (world.status = { ...status }))
  const afterMs = decision.kind === 'wait' ? decision.afterMs : decision.againAfterMs
  if (afterMs !== undefined) world.memory.nextMs = seen.nowMs + afterMs
  world.memory.failures = decision.kind === 'wait' ? world.memory.failures + 1 : 0
  return true
}

function run(world: World, rounds: number): void {
  for (let round = 0; round < rounds; round++) {
    try {
      if (reconcile(world)) return
    } catch (error) {
      if (!(error instanceof Crash)) throw error
      world.memory = { nextMs: 0, failures: 0 }
    }
  }
}

test('a Receiver: from any state, through any interruption, it shows the path of its token, and a second run writes nothing', () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const world = anyWorld(seed)
    run(world, ROUNDS)
    world.trouble = 0
    world.memory = { nextMs: 0, failures: 0 }
    run(world, ROUNDS)
    const settled = JSON.stringify([world.meta, world.status])
    const { writes } = world
    world.memory = { nextMs: 0, failures: 0 }
    run(world, ROUNDS)
    assert.equal(world.writes, writes, `seed ${seed}: a second run wrote ${settled} -> ${JSON.stringify(world.status)}`)
    check(world, seed)
  }
})

function check({ meta, spec, status, token }: World, seed: number): void {
  if (!meta) return
  assert.equal(meta.deletionTimestamp, undefined, `seed ${seed}: deletion ends`)
  if (spec['suspend'] === true) return
  assert.deepEqual(meta.finalizers, [FINALIZER], `seed ${seed}`)
  const conditions = status['conditions'] as { type: string; status: string }[]
  const ready = conditions.find(({ type }) => type === 'Ready')?.status
  const isGood = token !== undefined && spec['resourceFilter'] !== 'not (cel'
  assert.equal(ready, isGood ? 'True' : 'False', `seed ${seed}: ${JSON.stringify(status)}`)
  if (isGood) assert.equal(status['webhookPath'], `/hook/${token}`, `seed ${seed}`)
  else if (spec['resourceFilter'] !== 'not (cel') assert.equal(status['webhookPath'], undefined, `seed ${seed}`)
}
