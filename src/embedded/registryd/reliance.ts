import { stat, utimes } from 'node:fs/promises'

/** As long a push may take from the first blob that it finds here to its manifest. */
export const PUSH_MS = 3600 * 1000

/** What those who push rely on: content that is being named, or that they were told is there. */
export type Reliance = {
  /** Keeps content from being removed until the answer is called: for the time between its file and its name. */
  readonly hold: (digest: string) => () => void
  readonly isHeld: (digest: string) => boolean
  /** Notes that somebody who pushes counts on content that is there. */
  readonly countOn: (digest: string) => void
  /** When content came, or somebody counted on it last, in milliseconds; undefined when it is not there. */
  readonly countedOnMs: (digest: string) => Promise<number | undefined>
  /** True while a manifest that is still to come may name it. */
  readonly isAwaited: (digest: string) => boolean
}

/** Tracks reliance in memory, and for the next start in the times of the files. */
export function trackReliance(pathOf: (digest: string) => string): Reliance {
  const holds = createHolds()
  const counted = createCounted()
  return {
    hold: holds.take,
    isHeld: holds.has,
    countOn(digest) {
      if (!counted.note(digest)) return
      const now = new Date()
      void utimes(pathOf(digest), now, now).catch(() => undefined) // it is remembered here until the next start
    },
    async countedOnMs(digest) {
      const found = await stat(pathOf(digest)).catch(() => undefined)
      return found && Math.max(found.mtimeMs, counted.atMs(digest))
    },
    isAwaited: (digest) => holds.has(digest) || Date.now() - counted.atMs(digest) < PUSH_MS,
  }
}

/** When somebody counted on content last; forgets what is older than `PUSH_MS`. */
function createCounted(): { readonly note: (digest: string) => boolean; readonly atMs: (digest: string) => number } {
  const times = new Map<string, number>()
  return {
    atMs: (digest) => times.get(digest) ?? 0,
    /** Answers false when that is on disk well enough. */
    note(digest) {
      const now = Date.now()
      const before = times.get(digest) ?? 0
      times.delete(digest)
      times.set(digest, now)
      for (const [oldest, at] of times) {
        if (now - at < PUSH_MS) break
        times.delete(oldest)
      }
      return now - before > PUSH_MS / 60
    },
  }
}

/** Counts who holds what. */
function createHolds(): { readonly take: Reliance['hold']; readonly has: (digest: string) => boolean } {
  const held = new Map<string, number>()
  return {
    has: (digest) => held.has(digest),
    take(digest) {
      held.set(digest, (held.get(digest) ?? 0) + 1)
      return () => {
        const left = (held.get(digest) ?? 1) - 1
        if (left > 0) held.set(digest, left)
        else held.delete(digest)
      }
    },
  }
}
