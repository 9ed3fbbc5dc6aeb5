import { parseGoDuration, renderGoDuration } from '../lib/go-duration/go-duration.ts'

/** Reads a Go duration (`1h30m`, `500ms`) as milliseconds; `undefined` when it is none, below zero or longer than Go can say (about 292 years). */
export function parseDurationMs(text: string): number | undefined {
  const found = parseGoDuration(text)
  return 'fault' in found || found.ns < 0n ? undefined : Number(found.ns) / 1e6
}

/** An interval of `0s`, in Flux's reading: nothing but a change or a request brings a look. In milliseconds, longer than anything lives. */
export const NEVER_MS = Number.MAX_SAFE_INTEGER / 4

/** How long an interval as written lets an object wait. */
export function intervalOf(ms: number): number {
  return ms === 0 ? NEVER_MS : ms
}

/** Writes an interval as it was written. */
export function renderInterval(ms: number): string {
  return renderDuration(ms === NEVER_MS ? 0 : ms)
}

/** Writes milliseconds as Go does: `10m0s`, `1h0m0s`, `5.03s`, `12.5ms`, `0s`. */
export function renderDuration(ms: number): string {
  return renderGoDuration(BigInt(Math.round(ms * 1e6)))
}
