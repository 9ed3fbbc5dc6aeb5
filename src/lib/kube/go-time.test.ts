import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GoTimeError, parseGoTime } from './go-time.ts'

const read = (text: string, isMicro: boolean): string => {
  try {
    return parseGoTime(text, isMicro)
  } catch (error) {
    if (!(error instanceof GoTimeError)) throw error
    return error.message
  }
}
const LAYOUT = '2006-01-02T15:04:05Z07:00'
const MICRO = '2006-01-02T15:04:05.000000Z07:00'

const cases: { it: string; text: string; isMicro?: boolean; want: string }[] = [
  { it: 'a moment stays', text: '2026-01-01T00:00:00Z', want: '2026-01-01T00:00:00Z' },
  { it: 'zones become UTC', text: '2026-01-01T00:00:00+02:00', want: '2025-12-31T22:00:00Z' },
  { it: 'the first century', text: '0001-01-01T00:00:02Z', want: '0001-01-01T00:00:02Z' },
  { it: 'fractions are read over', text: '2026-01-01T00:00:00.123Z', want: '2026-01-01T00:00:00Z' },
  { it: 'a word', text: 'soon', want: `parsing time "soon" as "${LAYOUT}": cannot parse "soon" as "2006"` },
  { it: 'a day', text: '2026-01-01', want: `parsing time "2026-01-01" as "${LAYOUT}": cannot parse "" as "T"` },
  {
    it: 'a month too many',
    text: '2026-13-01T00:00:00Z',
    want: 'parsing time "2026-13-01T00:00:00Z": month out of range',
  },
  { it: 'a day too many', text: '2026-02-30T00:00:00Z', want: 'parsing time "2026-02-30T00:00:00Z": day out of range' },
  { it: 'more text', text: '2026-01-01T00:00:00Zx', want: 'parsing time "2026-01-01T00:00:00Zx": extra text: "x"' },
  { it: 'microseconds', text: '2026-01-01T00:00:00.123456Z', isMicro: true, want: '2026-01-01T00:00:00.123456Z' },
  {
    it: 'microseconds left out',
    text: '2026-01-01T00:00:00Z',
    isMicro: true,
    want: `parsing time "2026-01-01T00:00:00Z" as "${MICRO}": cannot parse "Z" as ".000000"`,
  },
]
for (const { it, text, isMicro = false, want } of cases)
  test(`Go's moments: ${it}`, () => assert.equal(read(text, isMicro), want))
