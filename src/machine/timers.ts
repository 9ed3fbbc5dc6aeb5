/** The longest that a timer of Node waits, 24 days: a longer one fires at once. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1

/** What a timer can wait of a time that somebody wrote. */
export function timerMs(ms: number): number {
  return Math.min(ms, LONGEST_TIMER_MS)
}

/** Aborts when the time is over, however long it is and whatever part of a millisecond it ends with. */
export function abortAfter(afterMs: number): AbortSignal {
  return AbortSignal.timeout(Math.ceil(timerMs(afterMs)))
}
