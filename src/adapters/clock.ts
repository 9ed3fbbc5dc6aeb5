/** Time and timers as a value, so that everything above the adapters can be tested without sleeping. */
export type Clock = {
  /** Milliseconds since the epoch. */
  readonly nowMs: () => number
  /** Runs `task` once after `afterMs`; the answer cancels it. Timers never keep the process alive by themselves. */
  readonly after: (afterMs: number, task: () => void) => () => void
}

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
