import { type Clock, longestSince, type Moment, momentOf } from '../engine/clock.ts'

export { type Clock, longestSince, type Moment, momentOf }

/** Node fires a longer timer at once; one that comes early is harmless, whoever set it looks again. */
const LONGEST_MS = 2 ** 31 - 1

/** The machine's clock. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => Math.floor(performance.timeOrigin + performance.now()),
  after(afterMs, task) {
    const timer = setTimeout(task, Math.min(afterMs, LONGEST_MS))
    timer.unref()
    return () => clearTimeout(timer)
  },
}
