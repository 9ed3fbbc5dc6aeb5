import { clone } from '../../../lib/kube/json.ts'
import type { Obj } from '../object.ts'
import type { Store } from '../storage/store.ts'

/** kube-apiserver's `--event-ttl`. */
const KEPT_MS = 3_600_000
const LOOK_EVERY_MS = 60_000
const EVENTS = '/events'
const EVERYWHERE = { namespace: '', name: '' }

type Written = { readonly namespace: string; readonly name: string; readonly atMs: number }

/**
 * Removes Events an hour after they were last written, as the real server has etcd do: nobody else does, and they come for as long as a cluster
 * runs. Those of an earlier process have an hour from the start on, as with leases of an etcd that begins anew.
 *
 * @returns `endOld` looks for them at once
 */
export function ageEvents(store: Store, nowMs: () => number): { readonly endOld: () => void } {
  const [startedAtMs, firstVersion] = [nowMs(), store.version()]
  let hasEarlier = true
  /** The one that was written last at the end. */
  const written = new Map<string, Written>()
  store.watch(EVENTS, EVERYWHERE, ({ type, atMs, stored: { head } }) => {
    const { namespace, name } = head
    const key = `${namespace}/${name}`
    written.delete(key)
    if (type !== 'DELETED') written.set(key, { namespace, name, atMs })
  })
  const end = (namespace: string, name: string): void => {
    const found = store.get(EVENTS, namespace, name)
    if (found !== undefined) store.remove(EVENTS, clone(found))
  }
  return {
    endOld() {
      // a full disk would only be asked for more
      if (store.fault() !== undefined) return
      const oldestMs = nowMs() - KEPT_MS
      for (const { namespace, name, atMs } of written.values()) {
        if (atMs > oldestMs) break
        end(namespace, name)
      }
      if (!hasEarlier || startedAtMs > oldestMs) return
      hasEarlier = false
      const isEarlier = ({ metadata }: Obj): boolean => Number(metadata.resourceVersion) <= firstVersion
      for (const { metadata } of store.list(EVENTS).filter(isEarlier)) end(metadata.namespace ?? '', metadata.name)
    },
  }
}

/** Looks every minute until the answer is called. */
export function endOldEvents(store: Store, nowMs: () => number): () => void {
  const timer = setInterval(ageEvents(store, nowMs).endOld, LOOK_EVERY_MS)
  timer.unref()
  return () => clearInterval(timer)
}
