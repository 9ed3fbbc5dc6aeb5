import { parseGoDuration } from '../go-duration/go-duration.ts'
import { isZone } from './zones.ts'
import { own } from '../value/own.ts'

/** A schedule: times of the calendar, or one time so long after the other. */
export type Schedule = Calendar | { readonly everyMs: number }

/** Which minutes, hours, days, months and weekdays. */
export type Calendar = {
  readonly minutes: Field
  readonly hours: Field
  readonly days: Field
  readonly months: Field
  readonly weekdays: Field
  /** The time zone that the text itself names; undefined: that of whoever asks. */
  readonly timeZone?: string
}

/** `isAny`: a star stands in it, so that of days and weekdays the other alone decides. */
type Field = { readonly values: ReadonlySet<number>; readonly isAny: boolean }

/** A text is no schedule, in the words of the library that reads them. */
export class CronError extends Error {}

const NAMED: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
}
const EVERY = '@every '

type Bounds = { readonly least: number; readonly most: number; readonly names: readonly string[] }

const MINUTES: Bounds = { least: 0, most: 59, names: [] }
const HOURS: Bounds = { least: 0, most: 23, names: [] }
const DAYS: Bounds = { least: 1, most: 31, names: [] }
const MONTHS: Bounds = { least: 1, most: 12, names: 'jan feb mar apr may jun jul aug sep oct nov dec'.split(' ') }
const WEEKDAYS: Bounds = { least: 0, most: 6, names: 'sun mon tue wed thu fri sat'.split(' ') }

/**
 * Reads a cron expression of five fields, `@daily` and its like, or `@every 1h30m`.
 *
 * @throws CronError
 * @see https://pkg.go.dev/github.com/robfig/cron/v3#ParseStandard
 */
export function parseSchedule(text: string): Schedule {
  if (text === '') throw new CronError('empty spec string')
  const [, timeZone] = /^(?:CRON_)?TZ=([^ ]*) /.exec(text) ?? []
  if (timeZone !== undefined) {
    const fault = zoneFault(timeZone)
    if (fault !== undefined) throw new CronError(`provided bad location ${timeZone}: ${fault}`)
    const schedule = parseUnzoned(text.slice(text.indexOf(' ')).trim())
    return 'everyMs' in schedule ? schedule : { ...schedule, timeZone: OF_SERVER.has(timeZone) ? 'UTC' : timeZone }
  }
  return parseUnzoned(text)
}

/** Names for which Go looks up nothing; the zone of the server itself is UTC here. */
const OF_SERVER: ReadonlySet<string> = new Set(['', 'UTC', 'Local'])

/** What Go's `time.LoadLocation` says of a name that is no time zone; undefined for one that is. */
function zoneFault(name: string): string | undefined {
  if (OF_SERVER.has(name)) return undefined
  if (/^[/\\]|(?:^|[/\\])\.\.(?:$|[/\\])/.test(name)) return 'time: invalid location name'
  // Offsets, which other readers take, are no names.
  return /^[A-Za-z]/.test(name) && isZone(name) ? undefined : `unknown time zone ${name}`
}

function parseUnzoned(text: string): Schedule {
  if (text.startsWith(EVERY)) return { everyMs: everyMs(text) }
  const named = own(NAMED, text)
  if (text.startsWith('@') && named === undefined) throw new CronError(`unrecognized descriptor: ${text}`)
  const fields = (named ?? text).split(/\s+/).filter((field) => field !== '')
  const [minutes, hours, days, months, weekdays, ...more] = fields
  if (
    minutes === undefined ||
    hours === undefined ||
    days === undefined ||
    months === undefined ||
    weekdays === undefined ||
    more.length > 0
  )
    throw new CronError(`expected exactly 5 fields, found ${fields.length}: [${fields.join(' ')}]`)
  return {
    minutes: parseField(minutes, MINUTES),
    hours: parseField(hours, HOURS),
    days: parseField(days, DAYS),
    months: parseField(months, MONTHS),
    weekdays: parseField(weekdays, WEEKDAYS),
  }
}

const SECOND_NS = 1_000_000_000n

/** Whole seconds, and at least one. */
function everyMs(text: string): number {
  const every = parseGoDuration(text.slice(EVERY.length))
  if ('fault' in every) throw new CronError(`failed to parse duration ${text}: time: ${every.fault}`)
  return Number(every.ns < SECOND_NS ? 1n : every.ns / SECOND_NS) * 1000
}

/** Parts between commas; where there is none, no time is one of the field. */
function parseField(field: string, bounds: Bounds): Field {
  const values = new Set<number>()
  let isAny = false
  for (const part of field.split(',')) {
    if (part === '') continue
    const { first, end, step, isStar } = parseRange(part, bounds)
    for (let value = first; value <= end; value += step) values.add(value)
    isAny ||= isStar && step === 1
  }
  return { values, isAny }
}

type Range = { readonly first: number; readonly end: number; readonly step: number; readonly isStar: boolean }

function parseRange(part: string, { least, most, names }: Bounds): Range {
  const [range = '', stepText, ...more] = part.split('/')
  const ends = range.split('-')
  const isStar = ends[0] === '*' || ends[0] === '?'
  const first = isStar ? least : parseNumber(ends[0] ?? '', names, least)
  if (!isStar && ends.length > 2) throw new CronError(`too many hyphens: ${part}`)
  const last = isStar ? most : ends.length === 1 ? first : parseNumber(ends[1] ?? '', names, least)
  if (more.length > 0) throw new CronError(`too many slashes: ${part}`)
  const step = stepText === undefined ? 1 : parseNumber(stepText, [], 0)
  // `5/10` is from 5 on, every 10th.
  const end = stepText !== undefined && ends.length === 1 ? most : last
  if (first < least) throw new CronError(`beginning of range (${first}) below minimum (${least}): ${part}`)
  if (end > most) throw new CronError(`end of range (${end}) above maximum (${most}): ${part}`)
  if (first > end) throw new CronError(`beginning of range (${first}) beyond end of range (${end}): ${part}`)
  if (step === 0) throw new CronError(`step of range should be a positive number: ${part}`)
  return { first, end, step, isStar }
}

function parseNumber(text: string, names: readonly string[], least: number): number {
  const named = names.indexOf(text.toLowerCase())
  if (named >= 0) return named + least
  const bad = (why: string): CronError =>
    new CronError(`failed to parse int from ${text}: strconv.Atoi: parsing ${JSON.stringify(text)}: ${why}`)
  if (!/^[-+]?\d+$/.test(text)) throw bad('invalid syntax')
  const value = BigInt(text.replace('+', ''))
  if (BigInt.asIntN(64, value) !== value) throw bad('value out of range')
  if (value < 0n) throw new CronError(`negative number (${value}) not allowed: ${text}`)
  return Number(value)
}
