import { timeMs } from '../meta.ts'
import type { Pod, Service } from '../shapes.ts'

/** Remembers what was seen of each Service, to tell when what is new happened. */
export type Triggers = {
  /** The first of the changes since the last look, milliseconds; undefined when nothing is new. */
  readonly since: (key: string, service: Service, pods: readonly Pod[]) => number | undefined
  readonly forget: (key: string) => void
}

/**
 * A change is a pod that became ready or unready, or the Service that was made anew; of a Service that is not known yet, its creation.
 *
 * @see k8s.io/endpointslice TriggerTimeTracker
 */
export function createTriggers(): Triggers {
  const known = new Map<string, { readonly madeMs: number; readonly readyMs: ReadonlyMap<string, number> }>()
  return {
    since(key, service, pods) {
      const before = known.get(key)
      const madeMs = timeMs(service.metadata.creationTimestamp)
      const readyMs = new Map(pods.flatMap((pod): [string, number][] => timesOf(pod)))
      known.set(key, { madeMs, readyMs })
      if (before === undefined) return madeMs
      const changed = [...readyMs]
        .filter(([name, atMs]) => atMs > (before.readyMs.get(name) ?? 0))
        .map(([, atMs]) => atMs)
      if (madeMs > before.madeMs) changed.push(madeMs)
      return changed.length === 0 ? undefined : Math.min(...changed)
    },
    forget: (key) => void known.delete(key),
  }
}

function timesOf(pod: Pod): [name: string, atMs: number][] {
  const ready = pod.status?.conditions?.find(({ type }) => type === 'Ready')
  return ready?.lastTransitionTime === undefined ? [] : [[pod.metadata.name, timeMs(ready.lastTransitionTime)]]
}
