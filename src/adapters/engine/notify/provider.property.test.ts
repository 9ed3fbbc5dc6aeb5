import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '../../../../tests/support/seeded-random.ts'
import { FINALIZER } from '../../../kinds/flux-object.ts'
import type { KubeObject } from '../../../lib/kube/object.ts'
import { ApiError } from '../../kube/api-error.ts'
import type { AbsorbingCache } from '../../kube/types.ts'
import type { EngineContext } from '../context.ts'
import { providerController } from './provider-controller.ts'

const SEEDS = 500
const OTHER = 'example.com/other'

/** An API server with one Provider that others change, too, and a watch that lags behind it. */
type World = {
  readonly random: () => number
  /** Share of requests that fail, before or after they had their effect. */
  trouble: number
  object: KubeObject | undefined
  /** What the watch shows; may be an older version. */
  shown: KubeObject | undefined
  version: number
  writes: number
}

function anyWorld(seed: number): World {
  const random = seededRandom(seed)
  const isDeleted = random() < 0.3
  const finalizers = [...(isDeleted || random() < 0.5 ? [FINALIZER] : []), ...(random() < 0.3 ? [OTHER] : [])]
  const metadata = {
    ...{ name: 'p', namespace: 'ns', uid: 'u', resourceVersion: '1', finalizers },
    ...(isDeleted ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}),
  }
  const object = { apiVersion: 'notification.toolkit.fluxcd.io/v1beta3', kind: 'Provider', metadata } as KubeObject
  return { random, trouble: 0.4, object, shown: random() < 0.8 ? object : undefined, version: 1, writes: 0 }
}

/** Writes as the server does: a new version, and an object that is deleted goes with its last finalizer. */
function put(world: World, finalizers: readonly string[]): KubeObject | undefined {
  const { object } = world
  if (!object) return undefined
  const metadata = { ...object.metadata, resourceVersion: String(++world.version), finalizers }
  const next = { ...object, metadata } as KubeObject
  const isGone = metadata.deletionTimestamp !== undefined && finalizers.length === 0
  world.object = isGone ? undefined : next
  return next
}

function clientOf(world: World) {
  const fail = (): void => {
    if (world.random() < world.trouble / 2) throw new ApiError(503, 'ServiceUnavailable', 'not now')
  }
  return {
    async patch(
      _ref: object,
      _type: string,
      patch: { metadata: { resourceVersion: string; finalizers: string[] | null } },
    ) {
      fail()
      if (!world.object) throw new ApiError(404, 'NotFound', 'gone')
      if (patch.metadata.resourceVersion !== world.object.metadata.resourceVersion)
        throw new ApiError(409, 'Conflict', 'changed meanwhile')
      const others = (finalizers: readonly string[] = []): string[] => finalizers.filter((name) => name !== FINALIZER)
      const written = patch.metadata.finalizers ?? []
      assert.deepEqual(others(written), others(world.object.metadata.finalizers), 'what others hold stays')
      world.writes++
      const next = put(world, written)
      fail()
      return next
    },
    async get() {
      fail()
      return world.object
    },
  }
}

/** The engine's loop for one wake; a request that failed ends it. */
async function reconcile(controller: ReturnType<typeof start>): Promise<void> {
  for (let round = 0; round < 64; round++) {
    const seen = await controller.observe('ns/p')
    if (!seen) return
    const decision = controller.decide(seen)
    if (decision.kind !== 'act') return
    await controller.act(decision.changes, seen, 'ns/p')
  }
  throw new Error('it spins')
}

function start(world: World) {
  const cache = { get: () => world.shown, list: () => [] } as unknown as AbsorbingCache
  return providerController({ client: clientOf(world) } as unknown as EngineContext, cache)
}

/** Failures, crashes, other people's finalizers and a deletion, then calm. */
async function live(world: World): Promise<void> {
  let controller = start(world)
  for (let turn = 0; turn < 24; turn++) {
    if (turn === 16) world.trouble = 0
    const { random, object } = world
    if (turn < 16 && random() < 0.2) {
      const others = (object?.metadata.finalizers ?? []).filter((name) => name !== OTHER)
      put(world, random() < 0.5 ? others : [...others, OTHER])
    }
    if (turn < 16 && world.object && random() < 0.05)
      world.object = { ...world.object, metadata: { ...world.object.metadata, deletionTimestamp: 'x' } }
    if (turn >= 16 || random() < 0.6) world.shown = world.object
    if (random() < world.trouble / 4) controller = start(world)
    try {
      await reconcile(controller)
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
    }
  }
}

test(`a Provider has Flux's finalizer, or loses it, from any of ${SEEDS} states, and then nothing is written`, async () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const world = anyWorld(seed)
    await live(world)
    const { object, writes } = world
    const finalizers = object?.metadata.finalizers ?? []
    const isDeleted = object?.metadata.deletionTimestamp !== undefined
    if (object) assert.equal(finalizers.filter((name) => name === FINALIZER).length, isDeleted ? 0 : 1, `seed ${seed}`)
    if (isDeleted) assert.deepEqual(finalizers, [OTHER], `seed ${seed}: what others hold stays`)
    world.shown = world.object
    await reconcile(start(world))
    assert.equal(world.writes, writes, `seed ${seed}: a second run, after a restart, writes nothing`)
  }
})
