import { type Clock, longestSince, type Moment, momentOf } from '../engine/clock.ts'
import { timerMs } from '../machine/timers.ts'

export { type Clock, longestSince, type Moment, momentOf }

/** The machine's clock. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => Math.floor(performance.timeOrigin + performance.now()),
  after(afterMs, task) {
    // one that comes early is harmless: whoever set it looks again
    const timer = setTimeout(task, timerMs(afterMs))
    timer.unref()
    return () => clearTimeout(timer)
  },
}
