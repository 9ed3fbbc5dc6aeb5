import type { BasicStatus } from '../../../controllers/basic-status.ts'
import { FINALIZER, type FluxMeta } from '../../../kinds/flux-object.ts'
import type { AbsorbingCache } from '../../kube/types.ts'
import type { EngineContext } from '../context.ts'
import { type ObjectView, overlayView, writeFinalizers, writeStatus } from '../status-writer.ts'

/** Reads and writes the objects of one kind for one of Flux's controllers. */
export type ObjectIo = {
  readonly view: ObjectView
  readonly addFinalizer: (meta: FluxMeta, key: string) => Promise<void>
  readonly removeFinalizer: (meta: FluxMeta, key: string) => Promise<void>
  /** Writes the status, then tells the event. */
  readonly settle: (status: BasicStatus, meta: FluxMeta, key: string) => Promise<void>
}

/** Lays writes over a watch; `manager` is the name of the Flux controller that would have written. */
export function objectIo(context: EngineContext, cache: AbsorbingCache, manager: string): ObjectIo {
  const view = overlayView(cache.get)
  const setFinalizers = async (key: string, finalizers: readonly string[]): Promise<void> => {
    const object = view.get(key)
    if (!object) return
    const written = await writeFinalizers(context.client, object, finalizers, manager)
    if (written) view.put(key, written)
    else view.drop(key)
  }
  return {
    view,
    addFinalizer: ({ finalizers }, key) => setFinalizers(key, [...finalizers, FINALIZER]),
    removeFinalizer: ({ finalizers }, key) =>
      setFinalizers(
        key,
        finalizers.filter((name) => name !== FINALIZER),
      ),
    async settle({ status, event }, meta, key) {
      const object = view.get(key)
      if (!object || status === undefined) return
      const written = await writeStatus(context.client, object, status, manager)
      if (written) view.put(key, written)
      if (!event) return
      const { apiVersion, kind, namespace, name, uid, resourceVersion } = meta
      const ref = { apiVersion, kind, namespace, name, uid, resourceVersion }
      context.tell({ object: ref, ...event, controller: manager, atMs: context.clock.nowMs() })
    },
  }
}
