const FIRST_MS = 10_000
/** The longest that anything of a pod waits for its next attempt. */
export const LONGEST_PAUSE_MS = 300_000

/** How long a container's n-th restart in a row waits after its end: at once, then 10 s, doubling to 300 s, as the kubelet does. */
export function restartDelayMs(restartsInARow: number): number {
  return restartsInARow <= 1 ? 0 : Math.min(FIRST_MS * 2 ** (restartsInARow - 2), LONGEST_PAUSE_MS)
}

/** How long the n-th failure in a row of a pull or of a start waits: 1, 2, 4 … 300 s; quicker at first than the kubelet's, for the common race of a push. */
export function retryDelayMs(failures: number): number {
  return Math.min(1_000 * 2 ** Math.max(0, failures - 1), LONGEST_PAUSE_MS)
}

/** A length of time as Go writes it, to the millisecond: `1m20s`, `1.5s`, `250ms`. */
export function durationText(ms: number): string {
  if (ms < 1000) return ms === 0 ? '0s' : `${ms}ms`
  const [hours, minutes] = [Math.floor(ms / 3_600_000), Math.floor((ms % 3_600_000) / 60_000)]
  const seconds = `${(ms % 60_000) / 1000}s`
  return `${hours > 0 ? `${hours}h` : ''}${hours + minutes > 0 ? `${minutes}m` : ''}${seconds}`
}
