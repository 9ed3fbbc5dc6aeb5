import { once } from 'node:events'
import type { Duplex } from 'node:stream'

/** Waits for a peer that asks for answers and does not read them: they would be kept without end. */
export async function untilTaken(socket: Duplex): Promise<void> {
  if (!socket.writableNeedDrain || socket.destroyed) return
  const over = new AbortController()
  const { signal } = over
  await Promise.race([once(socket, 'drain', { signal }), once(socket, 'close', { signal })]).catch(() => undefined)
  over.abort()
}
