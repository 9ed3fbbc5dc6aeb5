import { freeBytes } from '../../adapters/files/free-bytes.ts'

/** Knows whether the disk of the state folder has room. */
export type DiskWatch = {
  /** What everybody should know; `undefined` while there is room. */
  readonly notice: () => string | undefined
  /** Told when the disk becomes full and when it no longer is. */
  readonly subscribe: (changed: () => void) => () => void
  readonly close: () => void
}

/** What is written next is small, but does not fit below this. */
const FULL_BYTES = 4 << 20
const LOOK_MS = 5_000

/** Looks at the disk every five seconds, as nothing tells of it. */
export function watchDisk(folder: string): DiskWatch {
  let free = Infinity
  const readers = new Set<() => void>()
  const look = async (): Promise<void> => {
    const wasFull = free < FULL_BYTES
    free = await freeBytes(folder).catch(() => Infinity)
    if (free < FULL_BYTES !== wasFull) for (const changed of readers) changed()
  }
  void look()
  const timer = setInterval(() => void look(), LOOK_MS)
  return {
    notice: () => (free < FULL_BYTES ? fullDisk(folder, free) : undefined),
    subscribe(changed) {
      readers.add(changed)
      return () => readers.delete(changed)
    },
    close: () => clearInterval(timer),
  }
}

function fullDisk(folder: string, free: number): string {
  const left = `${(free / (1 << 20)).toFixed(1)} MiB left`
  return `the disk of ${folder} is full (${left}): free space, what waits goes on by itself; nothing of what was acknowledged is lost`
}
