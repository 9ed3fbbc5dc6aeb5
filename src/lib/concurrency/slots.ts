/** Lets a task begin when a slot is free, and answers what it answers. */
export type Slots = <T>(task: () => Promise<T>) => Promise<T>

/** At most `count` tasks at once, in the order in which they came; those that wait are not counted. */
export function limitTo(count: number): Slots {
  let running = 0
  const waiting: (() => void)[] = []
  return async (task) => {
    if (running < count) running++
    else await new Promise<void>((resolve) => waiting.push(resolve))
    try {
      return await task()
    } finally {
      // the slot is handed on, so that nobody who comes now takes it first
      const next = waiting.shift()
      if (next) next()
      else running--
    }
  }
}
