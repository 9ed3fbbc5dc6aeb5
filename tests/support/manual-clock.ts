import type { Clock } from '../../src/engine/clock.ts'

/** A clock that stands still until it is turned. What is `set` is the time that is told: nothing falls due by it. */
export function manualClock(
  startMs = 0,
): Clock & { readonly advance: (byMs: number) => void; readonly set: (byMs: number) => void } {
  let nowMs = startMs
  let setByMs = 0
  let tasks: { readonly dueMs: number; readonly task: () => void }[] = []
  return {
    nowMs: () => nowMs + setByMs,
    monotonicMs: () => nowMs,
    after(afterMs, task) {
      const entry = { dueMs: nowMs + afterMs, task }
      tasks.push(entry)
      return () => {
        tasks = tasks.filter((other) => other !== entry)
      }
    },
    advance(byMs) {
      const endMs = nowMs + byMs
      for (;;) {
        const next = tasks.filter(({ dueMs }) => dueMs <= endMs).sort((a, b) => a.dueMs - b.dueMs)[0]
        if (!next) break
        tasks = tasks.filter((other) => other !== next)
        nowMs = next.dueMs
        next.task()
      }
      nowMs = endMs
    },
    set: (byMs) => void (setByMs += byMs),
  }
}
