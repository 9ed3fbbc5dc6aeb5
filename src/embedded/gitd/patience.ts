import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** How long a peer may let us wait. */
export type Patience = {
  /** Who lets nothing move for so long is ended. */
  readonly silentMs: number
  /** While others wait for a slot, who falls so far behind `leastBytesPerSecond` is ended, too. */
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
  const judge = judgePeer({ silentMs, slowMs, leastBytesPerSecond })
  let last = movedBy(socket)
  const timer = setInterval(() => {
    const now = movedBy(socket)
    const verdict = judge(now - last, everyMs, isTurnOf(request, response))
    last = now
    if (verdict === 'silent' || (verdict === 'slow' && isWanted())) socket.destroy()
  }, everyMs)
  timer.unref()
  return () => clearInterval(timer)
}

/** True while we wait for the peer: it has not read what there is for it (an ended answer needs no drain), or not sent what it announced. */
function isTurnOf(request: IncomingMessage, response: ServerResponse): boolean {
  const isUnread = response.writableNeedDrain || (response.writableEnded && !response.writableFinished)
  return isUnread || !(request.complete || request.isPaused())
}

/**
 * What a peer is after each span of time in which it moved some bytes, when it was its turn or ours.
 *
 * The kernel takes megabytes at once and then, from a peer that reads slowly but steadily, nothing for a long while: so what moves is
 * credit for the time after it, of no more than silence is allowed.
 */
export function judgePeer({
  silentMs,
  slowMs,
  leastBytesPerSecond,
}: Patience): (movedBytes: number, spanMs: number, isPeersTurn: boolean) => 'silent' | 'slow' | 'well' {
  let [quietMs, creditMs] = [0, 0]
  return (movedBytes, spanMs, isPeersTurn) => {
    const earned = creditMs + (movedBytes / leastBytesPerSecond) * 1000
    creditMs = Math.min(isPeersTurn ? earned - spanMs : Math.max(earned, 0), silentMs)
    quietMs = isPeersTurn && movedBytes === 0 ? quietMs + spanMs : 0
    if (quietMs >= silentMs) return 'silent'
    return creditMs <= -slowMs ? 'slow' : 'well'
  }
}

function movedBy(socket: Socket): number {
  return socket.bytesRead + socket.bytesWritten
}
