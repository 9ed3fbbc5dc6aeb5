const UNIT_MS: Readonly<Record<string, number>> = {
  h: 3_600_000,
  m: 60_000,
  s: 1000,
  ms: 1,
  us: 0.001,
  µs: 0.001,
  ns: 0.000001,
}

/** Reads a Go duration (`1h30m`, `500ms`) as milliseconds; `undefined` when it is none or longer than Go can say (about 292 years). */
export function parseDurationMs(text: string): number | undefined {
  if (!/^([0-9]+(\.[0-9]+)?(h|ms|m|s|us|µs|ns))+$/.test(text)) return undefined
  let totalMs = 0
  for (const [, amount, unit] of text.matchAll(/([0-9]+(?:\.[0-9]+)?)(h|ms|m|s|us|µs|ns)/g))
    totalMs += Number(amount) * (UNIT_MS[unit ?? ''] ?? 0)
  return totalMs <= 9.2e15 ? totalMs : undefined
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
  if (ms === 0) return '0s'
  if (ms < 1000) return `${trim(ms, 6)}ms`
  const hours = Math.floor(ms / 3_600_000)
  const minutes = Math.floor((ms % 3_600_000) / 60_000)
  const seconds = `${trim((ms % 60_000) / 1000, 9)}s`
  if (hours > 0) return `${hours}h${minutes}m${seconds}`
  return minutes > 0 ? `${minutes}m${seconds}` : seconds
}

function trim(value: number, digits: number): string {
  return value.toFixed(digits).replace(/\.?0+$/, '')
}
