import type { DaemonSet } from './shapes.ts'

/** When daemons failed on nodes: each failure doubles the wait before the next try. */
export type FailureWaits = {
  readonly note: (set: DaemonSet, nodeName: string, nowMs: number) => void
  /** Milliseconds until the next try; 0: now. */
  readonly waitMs: (set: DaemonSet, nodeName: string, nowMs: number) => number
}

type Entry = { readonly atMs: number; readonly delayMs: number }

const FIRST_MS = 1000
const LONGEST_MS = 15 * 60_000
const MOST_KNOWN = 4096

/** Waits between failed daemons of a node: 1 s at first, 15 min at most, forgotten after twice that time without a failure, and once the DaemonSet changes. */
export function failureWaits(): FailureWaits {
  const entries = new Map<string, Entry>()
  return {
    note(set, nodeName, nowMs) {
      const key = waitKeyOf(set, nodeName)
      const before = entries.get(key)
      const isRecent = before && nowMs - before.atMs <= 2 * LONGEST_MS
      entries.delete(key)
      entries.set(key, { atMs: nowMs, delayMs: isRecent ? Math.min(before.delayMs * 2, LONGEST_MS) : FIRST_MS })
      const [oldest] = entries.keys()
      if (entries.size > MOST_KNOWN && oldest !== undefined) entries.delete(oldest)
    },
    waitMs(set, nodeName, nowMs) {
      const entry = entries.get(waitKeyOf(set, nodeName))
      return entry ? Math.max(entry.atMs + entry.delayMs - nowMs, 0) : 0
    },
  }
}

const waitKeyOf = ({ metadata, status }: DaemonSet, nodeName: string): string =>
  `${metadata.uid ?? ''}/${status?.observedGeneration ?? 0}/${nodeName}`
