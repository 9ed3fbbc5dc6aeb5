import { finalizerChange } from '../../../controllers/basic-status.ts'
import type { Controller } from '../../../engine/controller.ts'
import type { Decision } from '../../../engine/decision.ts'
import { type FluxMeta, parseFluxMeta } from '../../../kinds/flux-object.ts'
import type { AbsorbingCache } from '../../kube/types.ts'
import type { EngineContext } from '../context.ts'
import { objectIo } from '../image/object-io.ts'
import { keyOf } from '../status-writer.ts'

type Change = 'add finalizer' | 'remove finalizer'

/** Providers have no status; they get Flux's finalizer, and lose it (also one that Flux has put there) when they are deleted. */
export function providerController(
  context: EngineContext,
  cache: AbsorbingCache,
): Controller<FluxMeta, Change, object> {
  const io = objectIo(context, cache, 'notification-controller')
  return {
    kind: 'Provider',
    concurrency: 4,
    async watch(wake) {
      cache.onChange((object) => wake.now(keyOf(object)))
      await cache.ready
      for (const object of cache.list()) wake.now(keyOf(object))
    },
    async observe(key) {
      const object = io.view.get(key)
      return object && parseFluxMeta(object)
    },
    decide,
    async act(changes, meta, key) {
      for (const change of changes)
        await (change === 'add finalizer' ? io.addFinalizer(meta, key) : io.removeFinalizer(meta, key))
    },
    settle: () => Promise.resolve(),
    close: () => undefined,
  }
}

function decide(meta: FluxMeta): Decision<Change, object> {
  const change = finalizerChange(meta)
  return change === undefined || change === 'gone' ? { kind: 'done', status: {} } : { kind: 'act', changes: [change] }
}
