import assert from 'node:assert/strict'
import { test } from 'node:test'
import { abortAfter, LONGEST_TIMER_MS, timerMs } from './timers.ts'

const times: { it: string; ms: number; want: number }[] = [
  { it: 'a minute', ms: 60_000, want: 60_000 },
  { it: 'no time', ms: 0, want: 0 },
  { it: 'the longest that Node waits', ms: LONGEST_TIMER_MS, want: LONGEST_TIMER_MS },
  { it: '30 days', ms: 30 * 24 * 3_600_000, want: LONGEST_TIMER_MS },
  { it: 'for ever', ms: Infinity, want: LONGEST_TIMER_MS },
]
for (const { it, ms, want } of times) test(`a timer waits ${it}`, () => assert.equal(timerMs(ms), want))

for (const ms of [LONGEST_TIMER_MS + 1, 2 ** 32, Number.MAX_SAFE_INTEGER, 3_600_000.5])
  test(`a deadline of ${ms} ms is not over at once`, async () => {
    const signal = abortAfter(ms)
    // a timer that was set later and fires first is one that the deadline did not
    await new Promise((resolve) => setTimeout(resolve, 2))
    assert.equal(signal.aborted, false)
  })
