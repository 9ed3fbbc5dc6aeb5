import type { Duplex } from 'node:stream'

/** As long as a kubelet lets a connection be on which nothing moves: nothing is said, or nothing is taken. @see streamingConnectionIdleTimeout */
export const IDLE_MS = 4 * 3_600_000
const LINGER_MS = 5_000

/**
 * Ends a connection after its last bytes. It is closed at once only when the peer closed it, too: closing while the peer still sends would
 * reset the connection and could lose the last word.
 */
export function endGently(socket: Duplex, last: Buffer): void {
  if (!socket.writable) return void socket.destroy()
  const destroy = (): void => void socket.destroy()
  let timer = setTimeout(destroy, IDLE_MS).unref()
  // a peer that is slow still reads what was sent before: its time begins when all is on its way
  socket.end(last, () => {
    clearTimeout(timer)
    timer = setTimeout(destroy, LINGER_MS).unref()
  })
  socket.once('close', () => clearTimeout(timer))
}
