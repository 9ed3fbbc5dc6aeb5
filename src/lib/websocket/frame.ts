import { frameReader, type FrameReader } from '../frames/read-frames.ts'

/** What a frame carries. @see https://www.rfc-editor.org/rfc/rfc6455#section-5.2 */
export type Opcode = 'continuation' | 'text' | 'binary' | 'close' | 'ping' | 'pong'

/** One frame, unmasked. */
export type Frame = { readonly opcode: Opcode; readonly isFinal: boolean; readonly payload: Buffer }

/** A fault of the peer; the connection is to be closed with `code`. */
export class WebSocketFault extends Error {
  readonly code: number

  constructor(code: number, message: string) {
    super(message)
    this.code = code
  }
}

const OPCODES: ReadonlyMap<number, Opcode> = new Map([
  [0x0, 'continuation'],
  [0x1, 'text'],
  [0x2, 'binary'],
  [0x8, 'close'],
  [0x9, 'ping'],
  [0xa, 'pong'],
])
const NUMBERS: ReadonlyMap<Opcode, number> = new Map([...OPCODES].map(([number, opcode]) => [opcode, number]))
const MAX_CONTROL_BYTES = 125

type Head = {
  readonly opcode: Opcode
  readonly isFinal: boolean
  readonly mask: Buffer | undefined
  readonly start: number
  readonly end: number
}

/**
 * Reads frames of one side of a connection. Keeps no more than one frame of at most `maxPayloadBytes`.
 *
 * @param from who sends: a client masks its frames, a server never does
 * @throws WebSocketFault 1002 for what RFC 6455 forbids, 1009 for a frame that is too large
 */
export function readFrames(from: 'client' | 'server', maxPayloadBytes: number): FrameReader<Frame> {
  return frameReader<Frame>((bytes) => {
    const head = readHead(bytes, from, maxPayloadBytes)
    if (typeof head === 'number') return { wantedBytes: head }
    if (bytes.length < head.end) return { wantedBytes: head.end }
    return { frame: { opcode: head.opcode, isFinal: head.isFinal, payload: unmask(bytes, head) }, end: head.end }
  })
}

/** The head of the first frame, or how many bytes it takes to know more. */
function readHead(bytes: Buffer, from: 'client' | 'server', maxPayloadBytes: number): Head | number {
  if (bytes.length < 2) return 2
  const [first = 0, second = 0] = bytes
  const opcode = OPCODES.get(first & 0x0f)
  if (opcode === undefined) throw new WebSocketFault(1002, `unknown opcode ${first & 0x0f}`)
  if ((first & 0x70) !== 0) throw new WebSocketFault(1002, 'reserved bits are set, but no extension was agreed on')
  const isFinal = (first & 0x80) !== 0
  const isMasked = (second & 0x80) !== 0
  if (isMasked !== (from === 'client'))
    throw new WebSocketFault(1002, from === 'client' ? 'a client must mask its frames' : 'a server must not mask')
  const short = second & 0x7f
  const isControl = (first & 0x08) !== 0
  if (isControl && (!isFinal || short > MAX_CONTROL_BYTES))
    throw new WebSocketFault(1002, 'a control frame is fragmented or larger than 125 bytes')
  const lengthBytes = short === 127 ? 8 : short === 126 ? 2 : 0
  const start = 2 + lengthBytes + (isMasked ? 4 : 0)
  if (bytes.length < start) return start
  const size = short === 127 ? bytes.readBigUInt64BE(2) : short === 126 ? bytes.readUInt16BE(2) : short
  if (size > maxPayloadBytes) throw new WebSocketFault(1009, `a frame has more than ${maxPayloadBytes} bytes`)
  const mask = isMasked ? bytes.subarray(start - 4, start) : undefined
  return { opcode, isFinal, mask, start, end: start + Number(size) }
}

function unmask(bytes: Buffer, { mask, start, end }: Head): Buffer {
  const payload = Buffer.from(bytes.subarray(start, end))
  return mask === undefined ? payload : masked(payload, mask)
}

/** Masking is its own inverse; changes `payload`. */
function masked(payload: Buffer, mask: Buffer): Buffer {
  const [a = 0, b = 0, c = 0, d = 0] = mask
  const key = [a, b, c, d]
  for (let at = 0; at < payload.length; at++) payload[at] = (payload[at] ?? 0) ^ (key[at & 3] ?? 0)
  return payload
}

/** The bytes of one whole frame. @param mask four random bytes when a client sends */
export function renderFrame(opcode: Opcode, payload: Buffer, mask?: Buffer): Buffer {
  const size = payload.length
  const lengthBytes = size > 0xffff ? 8 : size > MAX_CONTROL_BYTES ? 2 : 0
  const head = Buffer.alloc(2 + lengthBytes)
  head[0] = 0x80 | (NUMBERS.get(opcode) ?? 0)
  head[1] = (mask === undefined ? 0 : 0x80) | (lengthBytes === 8 ? 127 : lengthBytes === 2 ? 126 : size)
  if (lengthBytes === 2) head.writeUInt16BE(size, 2)
  if (lengthBytes === 8) head.writeBigUInt64BE(BigInt(size), 2)
  return mask === undefined
    ? Buffer.concat([head, payload])
    : Buffer.concat([head, mask, masked(Buffer.from(payload), mask)])
}

/** The payload of a close frame. */
export function closePayload(code: number, reason: string): Buffer {
  const text = Buffer.from(reason).subarray(0, MAX_CONTROL_BYTES - 2)
  const payload = Buffer.alloc(2 + text.length)
  payload.writeUInt16BE(code, 0)
  text.copy(payload, 2)
  return payload
}
