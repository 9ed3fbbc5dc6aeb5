import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MOST_CUT_OFFS, pauseAfterMs } from './cut-off.ts'

const cases: [cutOffs: number, pauseMs: number][] = [
  [0, 0],
  [2, 0],
  [3, 10_000],
  [4, 20_000],
  [7, 160_000],
  [8, 300_000],
  [MOST_CUT_OFFS, 300_000],
]
for (const [cutOffs, pauseMs] of cases)
  test(`a run that was cut off ${cutOffs} times waits ${pauseMs} ms`, () =>
    assert.equal(pauseAfterMs(cutOffs), pauseMs))

test('one is given up after 25 minutes at least', () => {
  const pauses = Array.from({ length: MOST_CUT_OFFS }, (_, times) => pauseAfterMs(times))
  assert.ok(pauses.reduce((sum, each) => sum + each, 0) >= 1_500_000)
})
