import { wallFormat } from '../../../lib/cron/zones.ts'

const MINUTE_MS = 60_000

/** A moment as RFC 3339 writes it in a time zone: `2026-11-27T22:37:00+09:00`. */
export function zonedText(atMs: number, timeZone: string): string {
  const parts = new Map(
    wallFormat(timeZone)
      .formatToParts(new Date(atMs))
      .map(({ type, value }) => [type, Number(value)]),
  )
  const part = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type) ?? 0
  const localMs = Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'))
  const offset = Math.round(localMs / MINUTE_MS) - Math.floor(atMs / MINUTE_MS)
  const text = new Date(Math.floor(atMs / 1000) * 1000 + offset * MINUTE_MS).toISOString().slice(0, 19)
  if (offset === 0) return `${text}Z`
  const two = (value: number): string => String(value).padStart(2, '0')
  return `${text}${offset < 0 ? '-' : '+'}${two(Math.floor(Math.abs(offset) / 60))}:${two(Math.abs(offset) % 60)}`
}
