import assert from 'node:assert/strict'
import type { EngineContext } from '../../src/adapters/engine/context.ts'
import type { Clock } from '../../src/engine/clock.ts'
import type { Controller } from '../../src/engine/controller.ts'
import type { KubeObject } from '../../src/lib/kube/object.ts'
import { manualClock } from './manual-clock.ts'
import { abortAfter } from '../../src/machine/timers.ts'

/** A cluster that holds one object, which `now` replaces; what a controller needs besides is for the test to add. */
export function clusterOf(first: KubeObject, clock: Clock = manualClock()) {
  const cluster = { now: first }
  const context = {
    clock,
    random: () => 0.5,
    within: abortAfter,
    tell: () => undefined,
    report: async () => undefined,
    caches: { open: () => ({ get: () => cluster.now, list: () => [cluster.now], close: () => undefined }) },
    client: {
      get: async () => undefined,
      patch: async (_ref: unknown, _type: unknown, [{ value }]: [{ readonly value: unknown }]) =>
        (cluster.now = { ...cluster.now, status: value }),
    },
  }
  return { cluster, context: context as unknown as EngineContext }
}

/** Looks, decides and acts as the engine does, until nothing is left to do, and settles. */
export async function reconcile<Seen, Change, Status>(
  controller: Controller<Seen, Change, Status>,
  key: string,
): Promise<void> {
  for (;;) {
    const seen = await controller.observe(key)
    assert.ok(seen)
    const decision = controller.decide(seen)
    if (decision.kind !== 'act') return controller.settle(decision.status, seen, key)
    await controller.act(decision.changes, seen, key)
  }
}
