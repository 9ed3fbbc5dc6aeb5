import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8'

/** Large enough that most of what a reconcile allocates dies in it. */
const YOUNG_BYTES = 8 << 20
const LOOK_MS = 100

/**
 * Keeps V8's heap near what is in use, because it would rather grow threefold than collect: with a thousand Kustomizations 38 MiB are in use, and the
 * heap grew to 150 (docs/adr/0081). For a process that allocates little at a time and runs for months.
 *
 * The old generation is collected when it has grown by a quarter; the young one stays at 8 MiB once it has come to that.
 *
 * @returns how to stop looking at the young one
 */
export function boundHeap(): () => void {
  setFlagsFromString('--heap-growing-percent=25')
  const timer = setInterval(() => {
    if (youngBytes() < YOUNG_BYTES) return
    setFlagsFromString('--semi-space-growth-factor=1')
    clearInterval(timer)
  }, LOOK_MS).unref()
  return () => clearInterval(timer)
}

function youngBytes(): number {
  return getHeapSpaceStatistics().find((space) => space.space_name === 'new_space')?.space_size ?? 0
}
