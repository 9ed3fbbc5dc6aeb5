/** What it takes to stop code that does not end: the effects of `bounded`. */
export type Stopwatch = {
  /** Carries the code out, and throws an error that `stopped` knows when it took longer than `timeoutMs` by the clock. */
  readonly run: (timeoutMs: number) => unknown
  readonly stopped: (error: unknown) => boolean
  /** Processor time of this process since it started, in milliseconds. */
  readonly spentMs: () => number
}

/** How often the time by the clock is doubled on a machine whose processors others hold: 200 ms become 6.4 s at most. */
const DOUBLINGS = 5

/**
 * Carries out code from outside that must end soon. What was stopped before it had its share of the processor is begun again with twice the time:
 * a busy machine fails no expression that is cheap.
 *
 * @param limitMs processor time, in milliseconds
 * @throws Error when it was stopped, and what the code throws
 */
export function bounded({ run, stopped, spentMs }: Stopwatch, limitMs: number): unknown {
  const before = spentMs()
  for (let doubling = 0; ; doubling++) {
    try {
      return run(limitMs * 2 ** doubling)
    } catch (error) {
      if (!stopped(error)) throw error
      if (doubling < DOUBLINGS && spentMs() - before < limitMs) continue
      throw new Error(`took longer than ${limitMs} ms`, { cause: error })
    }
  }
}
