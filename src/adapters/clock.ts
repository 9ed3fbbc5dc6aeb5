/** Time and timers as a value, so that everything above the adapters can be tested without sleeping. */
export type Clock = {
  /** Milliseconds since the epoch. */
  readonly nowMs: () => number
  /** Runs `task` once after `afterMs`; the answer cancels it. Timers never keep the process alive by themselves. */
  readonly after: (afterMs: number, task: () => void) => () => void
}

/** The machine's clock. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  after(afterMs, task) {
    const timer = setTimeout(task, afterMs)
    timer.unref()
    return () => clearTimeout(timer)
  },
}
