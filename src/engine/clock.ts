/** Time and timers as a value; the machine's own stands in `adapters/clock.ts`, tests turn theirs by hand. */
export type Clock = {
  /** Milliseconds since the epoch. */
  readonly nowMs: () => number
  /** Runs `task` once after `afterMs`; the answer cancels it. Timers never keep the process alive by themselves. */
  readonly after: (afterMs: number, task: () => void) => () => void
}
