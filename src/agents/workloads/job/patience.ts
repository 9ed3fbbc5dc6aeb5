const FIRST_RETRY_MS = 10_000
const LONGEST_RETRY_MS = 600_000

/** After so many failures in a row a Job waits as long as it ever does. */
export const FAILURES_TO_LONGEST = Math.ceil(Math.log2(LONGEST_RETRY_MS / FIRST_RETRY_MS)) + 1

/** How long to wait after so many failures in a row, of which the last happened at that time. */
export function patienceMs(failures: number, lastMs: number, nowMs: number): number {
  if (failures === 0) return 0
  return Math.max(lastMs + Math.min(FIRST_RETRY_MS * 2 ** (failures - 1), LONGEST_RETRY_MS) - nowMs, 0)
}
