import { listenTo } from '../../../lib/websocket/conversation.ts'
import { closePayload, renderFrame } from '../../../lib/websocket/frame.ts'
import type { Message } from '../../../lib/websocket/message.ts'
import type { Upgraded } from './command-streams.ts'
import { endGently } from './end-gently.ts'
import { keepWatch } from './keep-watch.ts'
import { untilTaken } from './until-taken.ts'

/** A WebSocket that was agreed on. */
export type WebSocketConnection = {
  /** Aborted when the connection is over. */
  readonly gone: AbortSignal
  /** Sends one message; `done` is called when more may be sent, with an error when the connection is over. */
  readonly send: (kind: 'text' | 'binary', payload: Buffer, done: (error?: Error | null) => void) => void
  /** Says goodbye (normal closure) and ends the connection after everything that was sent. */
  readonly close: () => void
  /** Ends the connection at once. */
  readonly cut: () => void
}

/** Nobody sends larger messages: client-go copies by 32 KiB, browsers what was typed or pasted. */
const MAX_MESSAGE_BYTES = 1024 * 1024

/** Serves a WebSocket on an upgraded connection; the next message is read when `onMessage` has resolved. */
export function serveWebSocket(
  { socket, head }: Upgraded,
  onMessage: (message: Message) => Promise<void> | undefined,
): WebSocketConnection {
  const gone = new AbortController()
  socket.on('error', () => socket.destroy())
  socket.once('close', () => gone.abort())
  keepWatch(socket, () => renderFrame('ping', Buffer.alloc(0)))
  if (head.length > 0) socket.unshift(head)
  const receive = async (): Promise<void> => {
    const listen = listenTo(MAX_MESSAGE_BYTES)
    for await (const chunk of socket) {
      const { messages, replies, isOver } = listen(chunk)
      for (const reply of replies) if (socket.writable) socket.write(reply)
      await untilTaken(socket)
      for (const message of messages) await onMessage(message)
      if (isOver) return
    }
  }
  void receive()
    .catch(() => undefined)
    .finally(() => socket.destroy())
  return {
    gone: gone.signal,
    send: (kind, payload, done) => void socket.write(renderFrame(kind, payload), done),
    close: () => endGently(socket, renderFrame('close', closePayload(1000, ''))),
    cut: () => void socket.destroy(),
  }
}
