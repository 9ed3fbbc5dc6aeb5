/** Where waiting after a failure starts, in milliseconds: Flux's `--min-retry-delay`. */
const FIRST_BACKOFF_MS = 750

/** Where it ends, in milliseconds: Flux's `--max-retry-delay`. */
export const LONGEST_BACKOFF_MS = 15 * 60_000

/** How long to wait after the n-th failure in a row (counted from 1): 750 ms, doubling up to 15 minutes, as Flux's controllers do; Kubernetes' own begin with 5 ms. */
export function backoffMs(failures: number, firstMs = FIRST_BACKOFF_MS): number {
  if (failures <= 1) return firstMs
  return Math.min(firstMs * 2 ** Math.min(failures - 1, 30), LONGEST_BACKOFF_MS)
}

/** How far an interval is spread to each side, as a share of it. */
const JITTER = 0.05

/** Spreads an interval by up to a twentieth of it to both sides; `random` is in [0, 1). Keeps a thousand objects from waking at once. */
export function jitterMs(intervalMs: number, random: number): number {
  return Math.round(intervalMs * (1 + JITTER * (2 * random - 1)))
}
