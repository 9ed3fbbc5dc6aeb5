import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** How long a peer may let us wait. */
export type Patience = {
  /** Who lets nothing move for so long is ended. */
  readonly silentMs: number
  /** While others wait for a slot, who moves less than `leastBytesPerSecond` for so long is ended, too. */
  readonly slowMs: number
  readonly leastBytesPerSecond: number
}

export const PATIENCE: Patience = { silentMs: 60_000, slowMs: 10_000, leastBytesPerSecond: 16 << 10 }

/**
 * Ends the connection of a peer that neither sends what it announced nor reads what it asked for: it holds one of few places for a process.
 *
 * While git computes and nobody waits for the peer, any time may pass.
 * @returns what ends the watch
 */
export function watchPeer(
  request: IncomingMessage,
  response: ServerResponse,
  isWanted: () => boolean,
  { silentMs, slowMs, leastBytesPerSecond }: Patience = PATIENCE,
): () => void {
  const { socket } = request
  const everyMs = slowMs / 2
  const least = (leastBytesPerSecond * everyMs) / 1000
  let last = movedBy(socket)
  let [silent, slow] = [0, 0]
  const timer = setInterval(() => {
    const now = movedBy(socket)
    const moved = now - last
    last = now
    const isOurTurn = !response.writableNeedDrain && (request.complete || request.isPaused())
    silent = isOurTurn || moved > 0 ? 0 : silent + everyMs
    slow = isOurTurn || moved >= least ? 0 : slow + everyMs
    if (silent >= silentMs || (slow >= slowMs && isWanted())) socket.destroy()
  }, everyMs)
  timer.unref()
  return () => clearInterval(timer)
}

function movedBy(socket: Socket): number {
  return socket.bytesRead + socket.bytesWritten
}
