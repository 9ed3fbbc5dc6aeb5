import type { Clock } from '../engine/clock.ts'

export type { Clock }

/** Node fires a longer timer at once; one that comes early is harmless, whoever set it looks again. */
const LONGEST_MS = 2 ** 31 - 1

/** The machine's clock. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  after(afterMs, task) {
    const timer = setTimeout(task, Math.min(afterMs, LONGEST_MS))
    timer.unref()
    return () => clearTimeout(timer)
  },
}
