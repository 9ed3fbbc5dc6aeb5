import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bounded } from './bounded.ts'

const STOPPED = new Error('stopped')

/** A machine on which the code needs `needsMs` by the clock, of which it has the processor for the given share. */
function machine(needsMs: number, share: number) {
  let spent = 0
  const tried: number[] = []
  const run = (timeoutMs: number): string => {
    tried.push(timeoutMs)
    spent += Math.min(timeoutMs, needsMs) * share
    if (timeoutMs < needsMs) throw STOPPED
    return 'done'
  }
  return { tried, stopwatch: { run, stopped: (error: unknown) => error === STOPPED, spentMs: () => spent } }
}

const cases = [
  { what: 'cheap, quiet machine', needsMs: 10, share: 1, tried: [200], ends: true },
  { what: 'cheap, busy machine', needsMs: 700, share: 0.01, tried: [200, 400, 800], ends: true },
  { what: 'never ends, quiet machine', needsMs: Infinity, share: 1, tried: [200], ends: false },
  { what: 'never ends, half a processor', needsMs: Infinity, share: 0.5, tried: [200, 400], ends: false },
  {
    what: 'never gets the processor',
    needsMs: Infinity,
    share: 0,
    tried: [200, 400, 800, 1600, 3200, 6400],
    ends: false,
  },
]
for (const { what, needsMs, share, tried, ends } of cases) {
  test(`bounded: ${what}`, () => {
    const one = machine(needsMs, share)
    if (ends) assert.equal(bounded(one.stopwatch, 200), 'done')
    else assert.throws(() => bounded(one.stopwatch, 200), /^Error: took longer than 200 ms$/)
    assert.deepEqual(one.tried, tried)
  })
}

test('bounded: what the code throws is thrown', () => {
  const fault = new Error('no such key')
  const run = (): never => {
    throw fault
  }
  assert.throws(() => bounded({ run, stopped: () => false, spentMs: () => 0 }, 200), fault)
})
