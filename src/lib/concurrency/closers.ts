/** What was opened, closed in reverse order: also when a later step of the start fails. */
export type Closers = {
  readonly add: (close: () => void | Promise<void>) => void
  /** Closes everything once; a fault in one does not keep the others open, the first is thrown at the end. */
  readonly closeAll: () => Promise<void>
}

/** Nothing is open yet: each step of a start adds how to undo it as soon as it is done. */
export function openClosers(): Closers {
  const closers: (() => void | Promise<void>)[] = []
  return {
    add: (close) => void closers.push(close),
    async closeAll() {
      const faults: unknown[] = []
      for (const close of closers.splice(0).reverse()) {
        try {
          await close()
        } catch (error) {
          faults.push(error)
        }
      }
      if (faults.length > 0) throw faults[0]
    },
  }
}
