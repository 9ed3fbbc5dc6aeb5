import type { DispatchFault, OnDispatch } from '../../pipeline/notify/dispatch.ts'

/** What Alerts cannot tell to their Providers now; what waits is sent again after a restart, and tells it again. */
export type Dispatches = {
  readonly onDispatch: OnDispatch
  readonly faults: () => readonly DispatchFault[]
  readonly subscribe: (changed: () => void) => () => void
}

/** Begins with no fault. */
export function openDispatches(): Dispatches {
  const faults = new Map<string, DispatchFault>()
  const watchers = new Set<() => void>()
  return {
    onDispatch(alert, fault) {
      const before = faults.get(alert)
      if (fault === undefined) faults.delete(alert)
      else faults.set(alert, { alert, ...fault, sinceMs: Math.min(fault.sinceMs, before?.sinceMs ?? fault.sinceMs) })
      if (before?.cause !== fault?.cause) watchers.forEach((changed) => changed())
    },
    faults: () => [...faults.values()],
    subscribe(changed) {
      watchers.add(changed)
      return () => watchers.delete(changed)
    },
  }
}
