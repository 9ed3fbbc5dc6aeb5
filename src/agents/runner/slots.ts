/** Lets a task begin when a slot is free; one limit for all runs of a runner. */
export type Slots = <T>(task: () => Promise<T>) => Promise<T>

/** At most `count` tasks at once, in the order in which they came. */
export function limitTo(count: number): Slots {
  let running = 0
  const waiting: (() => void)[] = []
  return async (task) => {
    while (running >= count) await new Promise<void>((resolve) => waiting.push(resolve))
    running++
    try {
      return await task()
    } finally {
      running--
      waiting.shift()?.()
    }
  }
}
