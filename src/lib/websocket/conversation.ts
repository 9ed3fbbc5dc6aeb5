import { closePayload, readFrames, renderFrame, WebSocketFault } from './frame.ts'
import { joinFrames, type Message } from './message.ts'

/** What bytes of a client lead to. */
export type Step = {
  /** Whole messages, in order. */
  readonly messages: readonly Message[]
  /** Frames to send at once: pongs, and the answer to a close. */
  readonly replies: readonly Buffer[]
  /** Whether the client said goodbye or broke the rules: nothing more is read. */
  readonly isOver: boolean
}

/** The server's side of a WebSocket: takes bytes of the client, answers what to do; never throws. */
export function listenTo(maxMessageBytes: number): (chunk: Buffer) => Step {
  const read = readFrames('client', maxMessageBytes)
  const join = joinFrames(maxMessageBytes)
  return (chunk) => {
    const messages: Message[] = []
    const replies: Buffer[] = []
    try {
      for (const frame of read(chunk)) {
        const message = join(frame)
        if (message === undefined) continue
        if (message.kind === 'ping') replies.push(renderFrame('pong', message.payload))
        if (message.kind === 'close') {
          replies.push(renderFrame('close', message.payload.subarray(0, 2)))
          return { messages, replies, isOver: true }
        }
        if (message.kind === 'text' || message.kind === 'binary') messages.push(message)
      }
      return { messages, replies, isOver: false }
    } catch (error) {
      if (!(error instanceof WebSocketFault)) throw error
      replies.push(renderFrame('close', closePayload(error.code, error.message)))
      return { messages, replies, isOver: true }
    }
  }
}
