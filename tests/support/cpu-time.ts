import assert from 'node:assert/strict'

/**
 * Seconds of processor time that work without a pause takes in this process: what a test of growth bounds, since wall time is the
 * whole machine's, and the runner's `timeout` cannot end such work.
 */
export function cpuSeconds(work: () => void): number {
  const start = process.cpuUsage().user
  work()
  return (process.cpuUsage().user - start) / 1_000_000
}

/** What takes less is noise: a collection of garbage, or a function that is compiled. */
const LEAST_SECONDS = 0.01
const TRIES = 3

/**
 * Asserts that work takes processor time that grows with the size of its input: for eight times the size thrice eight times as much,
 * at most, where the square would be 64 times as much.
 */
export function assertLinear(work: (size: number) => void, size: number): void {
  const seconds = (of: number): number[] => Array.from({ length: TRIES }, () => cpuSeconds(() => work(of)))
  const bound = 3 * 8 * Math.max(Math.min(...seconds(size / 8)), LEAST_SECONDS)
  let took = Infinity
  for (let tries = 0; tries < TRIES && took > bound; tries++) took = cpuSeconds(() => work(size))
  assert.ok(took <= bound, `${took} s of processor time instead of ${bound} s at most`)
}
