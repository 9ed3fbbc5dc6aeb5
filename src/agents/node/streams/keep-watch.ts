import type { Duplex } from 'node:stream'

const EVERY_MS = 2_000

/**
 * Sends a small frame now and then, so that a peer that is gone is noticed though nothing is read from it: while a program does not take
 * its input, the end of the connection waits behind that input.
 */
export function keepWatch(socket: Duplex, renderPing: () => Buffer): void {
  const timer = setInterval(() => {
    if (socket.writable && !socket.writableNeedDrain) socket.write(renderPing())
  }, EVERY_MS)
  timer.unref()
  socket.once('close', () => clearInterval(timer))
}
