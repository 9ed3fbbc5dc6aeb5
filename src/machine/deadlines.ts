import { timerMs } from './timers.ts'

/** A signal that is aborted after so many milliseconds, as `AbortSignal.timeout`; and earlier when whoever handed it out ends. */
export type Deadline = (afterMs: number) => AbortSignal

/** Deadlines of one owner. */
export type Deadlines = {
  readonly within: Deadline
  /** Aborted when they have ended. */
  readonly ended: AbortSignal
  /** Aborts those that run, and from then on each new one at once. */
  readonly end: () => void
}

/**
 * Hands out deadlines that all end with their owner, so that nobody who wants to stop waits for somebody who does not answer. A deadline
 * is held until its time is over, and no longer; `AbortSignal.any` with a signal that lives as long as the process keeps some bytes of each for good.
 */
export function openDeadlines(): Deadlines {
  const running = new Map<AbortController, NodeJS.Timeout>()
  const ending = new AbortController()
  return {
    ended: ending.signal,
    within(afterMs) {
      if (ending.signal.aborted) return ending.signal
      const controller = new AbortController()
      const over = (): void => {
        running.delete(controller)
        controller.abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError'))
      }
      running.set(controller, setTimeout(over, timerMs(afterMs)).unref())
      return controller.signal
    },
    end() {
      ending.abort(new DOMException('what waited for an answer has ended', 'AbortError'))
      for (const [controller, timer] of running) {
        clearTimeout(timer)
        controller.abort(ending.signal.reason)
      }
      running.clear()
    },
  }
}
