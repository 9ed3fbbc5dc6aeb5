/** A run that was cut off so often may be what ends the process: it waits before it is tried again. */
const PATIENT = 2
/** One that was cut off so often, over 25 minutes at least, is given up. */
export const MOST_CUT_OFFS = 12
const FIRST_PAUSE_MS = 10_000
const LONGEST_PAUSE_MS = 300_000

/** Pure. How long a run that the end of the process has cut off so many times waits before its next try, in milliseconds. */
export function pauseAfterMs(cutOffs: number): number {
  if (cutOffs <= PATIENT) return 0
  return Math.min(FIRST_PAUSE_MS * 2 ** (cutOffs - PATIENT - 1), LONGEST_PAUSE_MS)
}
