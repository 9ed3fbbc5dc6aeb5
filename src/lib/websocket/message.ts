import { type Frame, WebSocketFault } from './frame.ts'

/** What a peer sent: a whole message, or one of the frames that keep a connection. */
export type Message = {
  readonly kind: 'text' | 'binary' | 'close' | 'ping' | 'pong'
  readonly payload: Buffer
}

/**
 * Puts fragments together. Keeps at most `maxBytes` of an unfinished message.
 *
 * @throws WebSocketFault 1002 for fragments out of turn, 1009 for a message that is too large
 */
export function joinFrames(maxBytes: number): (frame: Frame) => Message | undefined {
  let kind: 'text' | 'binary' | undefined
  let parts: Buffer[] = []
  let sizeBytes = 0
  return ({ opcode, isFinal, payload }) => {
    if (opcode === 'close' || opcode === 'ping' || opcode === 'pong') return { kind: opcode, payload }
    if ((opcode === 'continuation') !== (kind !== undefined))
      throw new WebSocketFault(1002, 'a fragment belongs to no message, or a message begins inside another')
    kind = opcode === 'continuation' ? kind : opcode
    parts.push(payload)
    sizeBytes += payload.length
    if (sizeBytes > maxBytes) throw new WebSocketFault(1009, `a message has more than ${maxBytes} bytes`)
    // an endless row of empty fragments is no message either
    if (parts.length > 10_000) throw new WebSocketFault(1009, 'a message has more than 10,000 fragments')
    if (!isFinal || kind === undefined) return undefined
    const message: Message = { kind, payload: parts.length === 1 ? payload : Buffer.concat(parts) }
    kind = undefined
    parts = []
    sizeBytes = 0
    return message
  }
}
