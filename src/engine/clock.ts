/** Time and timers as a value; the machine's own stands in `adapters/clock.ts`, tests turn theirs by hand. */
export type Clock = {
  /** Milliseconds since the epoch: the time that is told and written down. It may be set, by hours and days, back and forward. */
  readonly nowMs: () => number
  /**
   * Milliseconds that nobody sets, for what is waited for and how long it took; of this process only, never written down. They count from when the
   * process began, as the other clock told it then: 0 is long ago.
   */
  readonly monotonicMs: () => number
  /** Runs `task` once after `afterMs`; the answer cancels it. Timers never keep the process alive by themselves. */
  readonly after: (afterMs: number, task: () => void) => () => void
}

/** When something was, by both. */
export type Moment = { readonly toldMs: number; readonly monotonicMs: number }

/** This moment. */
export function momentOf(clock: Pick<Clock, 'nowMs' | 'monotonicMs'>): Moment {
  return { toldMs: clock.nowMs(), monotonicMs: clock.monotonicMs() }
}

/**
 * How long ago a moment was, in milliseconds, by the one that says more: for what holds for so long and no longer. The time that is told may have been
 * set back since, and the one that nobody sets stands still while the machine sleeps.
 */
export function longestSince(clock: Pick<Clock, 'nowMs' | 'monotonicMs'>, { toldMs, monotonicMs }: Moment): number {
  return Math.max(clock.nowMs() - toldMs, clock.monotonicMs() - monotonicMs)
}
