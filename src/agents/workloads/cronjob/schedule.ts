import { SluiceError } from '../../../lib/error/sluice-error.ts'
import { parseGoDuration } from '../../../lib/go-duration/go-duration.ts'

/** A schedule: times of the calendar, or one time so long after the other. */
export type Schedule = Calendar | { readonly everyMs: number }

/** Which minutes, hours, days, months and weekdays. */
type Calendar = {
  readonly minutes: ReadonlySet<number>
  readonly hours: ReadonlySet<number>
  readonly days: ReadonlySet<number>
  readonly months: ReadonlySet<number>
  readonly weekdays: ReadonlySet<number>
  /** With both restricted, either day is enough: cron's old rule. */
  readonly isAnyDay: boolean
}

const NAMED: Record<string, string> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
}
const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']
const MINUTE_MS = 60_000
const MOST_DAYS = 366 * 5
const EVERY = '@every '
const SECOND_NS = 1_000_000_000n

/**
 * Reads a cron expression of five fields, `@daily` and its like, or `@every 1h30m`.
 *
 * @throws SluiceError OBJECT_INVALID that names the field
 */
export function parseSchedule(text: string): Schedule {
  const every = text.trim().startsWith(EVERY) ? parseGoDuration(text.trim().slice(EVERY.length)) : undefined
  if (every && 'ns' in every) return { everyMs: wholeSecondsMs(every.ns) }
  const fields = (NAMED[text.trim()] ?? text.trim()).split(/\s+/)
  const [minutes, hours, days, months, weekdays] = fields
  if (fields.length !== 5 || !minutes || !hours || !days || !months || !weekdays)
    throw new SluiceError('OBJECT_INVALID', `"${text}" is not a cron schedule of five fields`, {
      where: 'spec.schedule',
    })
  const week = parseField(weekdays, 0, 7, text, WEEKDAYS, 0)
  return {
    minutes: parseField(minutes, 0, 59, text),
    hours: parseField(hours, 0, 23, text),
    days: parseField(days, 1, 31, text),
    months: parseField(months, 1, 12, text, MONTHS, 1),
    weekdays: new Set([...week].map((day) => day % 7)),
    isAnyDay: !/^[*?]/.test(days) && !/^[*?]/.test(weekdays),
  }
}

/** Whole seconds, and at least one. */
function wholeSecondsMs(ns: bigint): number {
  return Number(ns < SECOND_NS ? 1n : ns / SECOND_NS) * 1000
}

/** A moment as RFC 3339 writes it in a time zone: `2026-11-27T22:37:00+09:00`. */
export function zonedText(atMs: number, timeZone: string): string {
  const fields = { year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric' } as const
  const format = new Intl.DateTimeFormat('en-US', { timeZone, hourCycle: 'h23', ...fields })
  const parts = new Map(format.formatToParts(new Date(atMs)).map(({ type, value }) => [type, Number(value)]))
  const part = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type) ?? 0
  const localMs = Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'))
  const offset = Math.round(localMs / MINUTE_MS) - Math.floor(atMs / MINUTE_MS)
  const text = new Date(Math.floor(atMs / 1000) * 1000 + offset * MINUTE_MS).toISOString().slice(0, 19)
  if (offset === 0) return `${text}Z`
  const two = (value: number): string => String(value).padStart(2, '0')
  return `${text}${offset < 0 ? '-' : '+'}${two(Math.floor(Math.abs(offset) / 60))}:${two(Math.abs(offset) % 60)}`
}

/** The first time after `afterMs` that a schedule names, in a time zone; `undefined` when there is none within five years. */
export function nextTimeMs(schedule: Schedule, afterMs: number, timeZone: string): number | undefined {
  if ('everyMs' in schedule) return Math.floor(afterMs / 1000) * 1000 + schedule.everyMs
  const clock = zoneClock(timeZone)
  let atMs = (Math.floor(afterMs / MINUTE_MS) + 1) * MINUTE_MS
  const endMs = atMs + MOST_DAYS * 86_400_000
  while (atMs < endMs) {
    const now = clock(atMs)
    if (!schedule.months.has(now.month) || !isDay(schedule, now))
      atMs += (1440 - (now.hour * 60 + now.minute)) * MINUTE_MS
    else if (!schedule.hours.has(now.hour)) atMs += (60 - now.minute) * MINUTE_MS
    else if (!schedule.minutes.has(now.minute)) atMs += MINUTE_MS
    else return atMs
  }
  return undefined
}

function isDay(schedule: Calendar, { day, weekday }: { readonly day: number; readonly weekday: number }): boolean {
  const [isInMonth, isInWeek] = [schedule.days.has(day), schedule.weekdays.has(weekday)]
  return schedule.isAnyDay ? isInMonth || isInWeek : isInMonth && isInWeek
}

function parseField(field: string, low: number, high: number, text: string, names: readonly string[] = [], first = 0) {
  const found = new Set<number>()
  const valueOf = (word: string): number => {
    const named = names.indexOf(word.toLowerCase())
    return named >= 0 ? named + first : /^\d+$/.test(word) ? Number(word) : NaN
  }
  for (const part of field.split(',')) {
    const [range = '', stepText] = part.split('/')
    const [fromText = '', toText] = range === '*' || range === '?' ? [String(low), String(high)] : range.split('-')
    const from = valueOf(fromText)
    const to = toText !== undefined ? valueOf(toText) : stepText !== undefined ? high : from
    const step = stepText === undefined ? 1 : Number(stepText)
    if (!(from >= low && to <= high && from <= to && Number.isInteger(step) && step > 0))
      throw new SluiceError(
        'OBJECT_INVALID',
        `"${part}" in the cron schedule "${text}" is not within ${low} to ${high}`,
        {
          where: 'spec.schedule',
        },
      )
    for (let value = from; value <= to; value += step) found.add(value)
  }
  return found
}

/** Reads the wall clock of a time zone. */
function zoneClock(timeZone: string) {
  if (timeZone === 'UTC' || timeZone === 'Etc/UTC')
    return (atMs: number) => {
      const at = new Date(atMs)
      const [hour, minute] = [at.getUTCHours(), at.getUTCMinutes()]
      return { hour, minute, day: at.getUTCDate(), month: at.getUTCMonth() + 1, weekday: at.getUTCDay() }
    }
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    hour: 'numeric',
    minute: 'numeric',
    day: 'numeric',
    month: 'numeric',
    weekday: 'short',
  })
  return (atMs: number) => {
    const parts = new Map(format.formatToParts(new Date(atMs)).map(({ type, value }) => [type, value]))
    const number = (type: Intl.DateTimeFormatPartTypes): number => Number(parts.get(type))
    const weekday = WEEKDAYS.indexOf((parts.get('weekday') ?? '').toLowerCase())
    return { hour: number('hour'), minute: number('minute'), day: number('day'), month: number('month'), weekday }
  }
}
