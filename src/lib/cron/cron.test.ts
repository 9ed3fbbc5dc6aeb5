import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nextTimeMs } from './next.ts'
import { CronError, parseSchedule } from './parse.ts'
import { wallFormat } from './zones.ts'

/** What robfig/cron 3.0.1 answers. */
const cases: { schedule: string; after: string; zone?: string; want: string }[] = [
  { schedule: '* * * * *', after: '2026-11-23T04:00:30Z', want: '2026-11-23T04:01:00.000Z' },
  { schedule: '*/15 3 * * *', after: '2026-11-23T03:50:00Z', want: '2026-11-24T03:00:00.000Z' },
  { schedule: '0 0 1 1 *', after: '2026-11-23T03:50:00Z', want: '2027-01-01T00:00:00.000Z' },
  { schedule: '30 2 * * mon-fri', after: '2026-11-20T12:00:00Z', want: '2026-11-23T02:30:00.000Z' },
  { schedule: '0 0 13 * 5', after: '2026-11-14T00:00:00Z', want: '2026-11-20T00:00:00.000Z' },
  { schedule: '@daily', after: '2026-11-23T12:00:00Z', zone: 'Europe/Paris', want: '2026-11-23T23:00:00.000Z' },
  { schedule: '@every 1h30m', after: '2026-11-23T12:00:00Z', want: '2026-11-23T13:30:00.000Z' },
  { schedule: 'TZ=Europe/Paris 0 0 * * *', after: '2026-11-23T12:00:00Z', want: '2026-11-23T23:00:00.000Z' },
  { schedule: 'TZ=Local 0 0 * * *', after: '2026-11-23T12:00:00Z', want: '2026-11-24T00:00:00.000Z' },
  { schedule: '0 12 29 2 *', after: '2026-11-23T12:00:00Z', want: '2028-02-29T12:00:00.000Z' },
]
for (const { schedule, after, zone = 'UTC', want } of cases)
  test(`"${schedule}" after ${after} is ${want}`, () => {
    const next = nextTimeMs(parseSchedule(schedule), Date.parse(after), zone)
    assert.equal(next && new Date(next).toISOString(), want)
  })

test('a day that a place never had is passed over', () => {
  const next = nextTimeMs(parseSchedule('29 * 7 * *'), Date.parse('2011-12-29T05:00:00Z'), 'Pacific/Apia')
  assert.equal(next && new Date(next).toISOString(), '2012-01-06T10:29:00.000Z')
})

test('a time that never comes is none', () => {
  for (const text of ['0 0 30 2 *', ', * * * *']) assert.equal(nextTimeMs(parseSchedule(text), 0, 'UTC'), undefined)
})

const faults: { schedule: string; want: string }[] = [
  { schedule: '', want: 'empty spec string' },
  { schedule: '* * * *', want: 'expected exactly 5 fields, found 4: [* * * *]' },
  { schedule: ' @daily', want: 'expected exactly 5 fields, found 1: [@daily]' },
  { schedule: '@reboot', want: 'unrecognized descriptor: @reboot' },
  { schedule: '@every 1d', want: 'failed to parse duration @every 1d: time: unknown unit "d" in duration "1d"' },
  { schedule: '* * * * 7', want: 'end of range (7) above maximum (6): 7' },
  { schedule: '* * 0 * *', want: 'beginning of range (0) below minimum (1): 0' },
  { schedule: '5-1 * * * *', want: 'beginning of range (5) beyond end of range (1): 5-1' },
  { schedule: '*/0 * * * *', want: 'step of range should be a positive number: */0' },
  { schedule: '1-2-3 * * * *', want: 'too many hyphens: 1-2-3' },
  { schedule: '1--2 * * * *', want: 'too many hyphens: 1--2' },
  { schedule: '1/2/3 * * * *', want: 'too many slashes: 1/2/3' },
  { schedule: 'a * * * *', want: 'failed to parse int from a: strconv.Atoi: parsing "a": invalid syntax' },
  { schedule: 'TZ=Nope/Nope 0 0 * * *', want: 'provided bad location Nope/Nope: unknown time zone Nope/Nope' },
  { schedule: 'TZ=+01:00 0 0 * * *', want: 'provided bad location +01:00: unknown time zone +01:00' },
  { schedule: 'CRON_TZ=../x @daily', want: 'provided bad location ../x: time: invalid location name' },
]
for (const { schedule, want } of faults)
  test(`"${schedule}" is no schedule`, () => assert.throws(() => parseSchedule(schedule), new CronError(want)))

test('a schedule that says a star again and again keeps each time once', () => {
  const schedule = parseSchedule(`${'*,'.repeat(100_000)} * * * *`)
  assert.equal('minutes' in schedule && schedule.minutes.values.size, 60)
})

test('the clock of a time zone is made once', () => {
  assert.equal(wallFormat('Europe/Paris'), wallFormat('Europe/Paris'))
})
