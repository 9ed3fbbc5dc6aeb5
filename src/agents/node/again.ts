/** Work that runs once at a time, and once more when it was asked for meanwhile. */
export type Again = { readonly wake: () => void; readonly settled: () => Promise<void> }

/** Makes such work; it must not throw. */
export function onceMore(work: () => Promise<void>): Again {
  let isWanted = false
  let running: Promise<void> | undefined
  const loop = async (): Promise<void> => {
    while (isWanted) {
      isWanted = false
      await work()
    }
    running = undefined
  }
  return {
    wake() {
      isWanted = true
      // a tick later, so that all changes of one moment are one look
      running ??= Promise.resolve().then(loop)
    },
    settled: async () => running,
  }
}
