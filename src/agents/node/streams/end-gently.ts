import type { Duplex } from 'node:stream'

/**
 * Ends a connection after its last bytes. It is closed at once only when the peer closed it, too: closing while the peer still sends would
 * reset the connection and could lose the last word.
 */
export function endGently(socket: Duplex, last: Buffer): void {
  if (!socket.writable) return void socket.destroy()
  let timer: NodeJS.Timeout | undefined
  // a peer that is slow still reads what was sent before: its time begins when all is on its way
  socket.end(last, () => {
    timer = setTimeout(() => socket.destroy(), 5_000).unref()
  })
  socket.once('close', () => clearTimeout(timer))
}
