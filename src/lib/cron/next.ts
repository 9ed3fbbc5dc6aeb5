import type { Calendar, Schedule } from './parse.ts'
import { wallFormat } from './zones.ts'

const SECOND_MS = 1000
const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
const DAY_MS = 86_400_000
/** Dates that never come, as the 30th of February, are looked for so long. */
const MOST_YEARS = 5
const FIELDS = ['minutes', 'hours', 'days', 'months', 'weekdays'] as const

/**
 * The first time after `afterMs` that a schedule names, in a time zone; `undefined` when there is none within five years.
 *
 * Where the clock is put forward or back it goes the way of the library: hours are counted on, days begin anew at midnight.
 * @see https://pkg.go.dev/github.com/robfig/cron/v3 SpecSchedule.Next
 */
export function nextTimeMs(schedule: Schedule, afterMs: number, timeZone: string): number | undefined {
  const seconds = Math.floor(afterMs / SECOND_MS)
  if ('everyMs' in schedule) return seconds * SECOND_MS + schedule.everyMs
  if (FIELDS.some((field) => schedule[field].values.size === 0)) return undefined
  const walk = new Walk(clockOf(schedule.timeZone ?? timeZone), (seconds + 1) * SECOND_MS)
  const lastYear = walk.wall.getUTCFullYear() + MOST_YEARS
  while (walk.wall.getUTCFullYear() <= lastYear)
    if (toMonth(walk, schedule) && toDay(walk, schedule) && toHour(walk, schedule) && toMinute(walk, schedule))
      return walk.atMs
  return undefined
}

/** Time between UTC and the clock on the wall at a moment, milliseconds. */
type Clock = (atMs: number) => number

/** A moment that goes on to the next one that fits, with what the clock on the wall shows then. */
class Walk {
  readonly #clock: Clock
  atMs: number
  /** False until the first step, which goes to the beginning of its unit. */
  hasMoved = false

  constructor(clock: Clock, atMs: number) {
    this.#clock = clock
    this.atMs = atMs
  }

  get wall(): Date {
    return new Date(this.atMs + this.#clock(this.atMs))
  }

  /** To what the clock on the wall shows; where it shows that never, to a time beside it. */
  setWall(wallMs: number): void {
    this.atMs = wallMs - this.#clock(wallMs - this.#clock(wallMs))
    this.hasMoved = true
  }

  add(ms: number): void {
    this.atMs += ms
    this.hasMoved = true
  }
}

/** True when the month fits; false when another year has begun, so that all is to be looked at again. */
function toMonth(walk: Walk, { months }: Calendar): boolean {
  while (!months.values.has(walk.wall.getUTCMonth() + 1)) {
    const wall = walk.wall
    const [year, month] = [wall.getUTCFullYear(), wall.getUTCMonth()]
    if (!walk.hasMoved) walk.setWall(Date.UTC(year, month, 1))
    const { wall: moved } = walk
    walk.setWall(moved.setUTCMonth(moved.getUTCMonth() + 1))
    if (walk.wall.getUTCMonth() === 0) return false
  }
  return true
}

function toDay(walk: Walk, schedule: Calendar): boolean {
  while (!isDay(schedule, walk.wall)) {
    if (!walk.hasMoved) walk.setWall(walk.wall.setUTCHours(0, 0, 0, 0))
    const { wall, atMs } = walk
    walk.setWall(wall.setUTCDate(wall.getUTCDate() + 1))
    const hour = walk.wall.getUTCHours()
    // Midnight does not come everywhere every day.
    if (hour !== 0) walk.add((hour > 12 ? 24 - hour : -hour) * HOUR_MS)
    // Samoa never had the 30th of December 2011, for which the original looks for ever.
    if (walk.atMs <= atMs) walk.add(DAY_MS)
    if (walk.wall.getUTCDate() === 1) return false
  }
  return true
}

/** With both restricted, either day is enough: cron's old rule. */
function isDay({ days, weekdays }: Calendar, wall: Date): boolean {
  const [isInMonth, isInWeek] = [days.values.has(wall.getUTCDate()), weekdays.values.has(wall.getUTCDay())]
  return days.isAny || weekdays.isAny ? isInMonth && isInWeek : isInMonth || isInWeek
}

function toHour(walk: Walk, { hours }: Calendar): boolean {
  while (!hours.values.has(walk.wall.getUTCHours())) {
    if (!walk.hasMoved) walk.setWall(walk.wall.setUTCMinutes(0, 0, 0))
    walk.add(HOUR_MS)
    if (walk.wall.getUTCHours() === 0) return false
  }
  return true
}

function toMinute(walk: Walk, { minutes }: Calendar): boolean {
  while (!minutes.values.has(walk.wall.getUTCMinutes())) {
    walk.add(untilNext(walk.atMs, MINUTE_MS))
    if (walk.wall.getUTCMinutes() === 0) return false
  }
  if (walk.atMs % MINUTE_MS === 0) return true
  // Times are whole minutes: the next one is looked at anew.
  walk.add(untilNext(walk.atMs, MINUTE_MS))
  return false
}

const untilNext = (atMs: number, unitMs: number): number => unitMs - (atMs % unitMs)

/** Reads the wall clock of a time zone. */
function clockOf(timeZone: string): Clock {
  if (timeZone === 'UTC' || timeZone === 'Etc/UTC') return () => 0
  const format = wallFormat(timeZone)
  return (atMs) => {
    const parts = new Map(format.formatToParts(new Date(atMs)).map(({ type, value }) => [type, Number(value)]))
    const part = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type) ?? 0
    const wall = Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second'))
    return wall - Math.floor(atMs / SECOND_MS) * SECOND_MS
  }
}
