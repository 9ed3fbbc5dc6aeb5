import { setTimeout as sleep } from 'node:timers/promises'
import { freeBytes } from '../../adapters/files/free-bytes.ts'

/** Less is soon gone again: a job checks out its repository and writes layers. */
const ENOUGH_BYTES = 16 << 20
const LOOK_MS = 2_000

/** Waits `afterMs`, then until the disk of a folder has room; answers false when `signal` was aborted before. */
export async function untilThereIsRoom(folder: string, afterMs: number, signal: AbortSignal): Promise<boolean> {
  const pause = (ms: number): Promise<boolean> =>
    sleep(ms, undefined, { signal }).then(
      () => true,
      () => false,
    )
  for (let ms = afterMs; await pause(ms); ms = LOOK_MS) if ((await freeBytes(folder)) >= ENOUGH_BYTES) return true
  return false
}
