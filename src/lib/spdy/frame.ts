import { frameReader, type FrameReader } from '../frames/read-frames.ts'
import { SpdyFault } from './fault.ts'

/** A frame of SPDY/3.1 whose headers are still compressed. Kinds that we have no use for are `other`. */
export type Frame =
  | { readonly kind: 'data'; readonly stream: number; readonly isLast: boolean; readonly data: Buffer }
  | { readonly kind: 'synStream'; readonly stream: number; readonly isLast: boolean; readonly block: Buffer }
  | { readonly kind: 'synReply'; readonly stream: number; readonly isLast: boolean; readonly block: Buffer }
  | { readonly kind: 'headers'; readonly stream: number; readonly isLast: boolean; readonly block: Buffer }
  | { readonly kind: 'reset'; readonly stream: number; readonly status: number }
  | { readonly kind: 'ping'; readonly id: number }
  | { readonly kind: 'goAway' }
  | { readonly kind: 'other'; readonly type: number }

const TYPES = { synStream: 1, synReply: 2, reset: 3, settings: 4, ping: 6, goAway: 7, headers: 8 } as const
const VERSION = 3
const FIN = 0x01
/** No client of Kubernetes sends larger ones: Go copies by 32 KiB. */
const MAX_DATA_BYTES = 4 * 1024 * 1024
const MAX_CONTROL_BYTES = 64 * 1024

/**
 * Reads frames of one side of a connection. Keeps no more than one frame.
 *
 * @throws SpdyFault for another version, and for frames that are too large or too short
 * @see https://www.chromium.org/spdy/spdy-protocol/spdy-protocol-draft3-1/
 */
export function readFrames(): FrameReader<Frame> {
  return frameReader<Frame>((bytes) => {
    const end = 8 + payloadBytesOf(bytes)
    return bytes.length < end ? { wantedBytes: end } : { frame: parseFrame(bytes.subarray(0, end)), end }
  })
}

function payloadBytesOf(bytes: Buffer): number {
  if (bytes.length < 8) return 0
  const isControl = (bytes.readUInt8(0) & 0x80) !== 0
  const size = bytes.readUIntBE(5, 3)
  const limit = isControl ? MAX_CONTROL_BYTES : MAX_DATA_BYTES
  if (size > limit) throw new SpdyFault(`a frame has ${size} bytes, more than ${limit}`)
  return size
}

function parseFrame(bytes: Buffer): Frame {
  const isLast = (bytes.readUInt8(4) & FIN) !== 0
  const first = bytes.readUInt32BE(0)
  const payload = bytes.subarray(8)
  if (first < 0x80000000) {
    if (first === 0) throw new SpdyFault('data for stream 0')
    return { kind: 'data', stream: first, isLast, data: payload }
  }
  const version = (first >>> 16) & 0x7fff
  if (version !== VERSION) throw new SpdyFault(`a frame of version ${version}, not ${VERSION}`)
  return parseControl(first & 0xffff, isLast, payload)
}

function parseControl(type: number, isLast: boolean, payload: Buffer): Frame {
  const number = (at: number): number => {
    if (payload.length < at + 4) throw new SpdyFault(`a control frame of type ${type} is too short`)
    return payload.readUInt32BE(at)
  }
  const stream = (): number => {
    const id = number(0) & 0x7fffffff
    if (id === 0) throw new SpdyFault(`a control frame of type ${type} for stream 0`)
    return id
  }
  switch (type) {
    case TYPES.synStream:
      number(6)
      return { kind: 'synStream', stream: stream(), isLast, block: payload.subarray(10) }
    case TYPES.synReply:
      return { kind: 'synReply', stream: stream(), isLast, block: payload.subarray(4) }
    case TYPES.headers:
      return { kind: 'headers', stream: stream(), isLast, block: payload.subarray(4) }
    case TYPES.reset:
      return { kind: 'reset', stream: stream(), status: number(4) }
    case TYPES.ping:
      return { kind: 'ping', id: number(0) }
    case TYPES.goAway:
      return { kind: 'goAway' }
    default:
      return { kind: 'other', type }
  }
}

/** A data frame; `isLast` closes our side of the stream. */
export function renderData(stream: number, data: Buffer, isLast: boolean): Buffer {
  const head = Buffer.alloc(8)
  head.writeUInt32BE(stream, 0)
  head.writeUInt8(isLast ? FIN : 0, 4)
  head.writeUIntBE(data.length, 5, 3)
  return Buffer.concat([head, data])
}

/** Opens a stream, with a block of compressed headers. */
export function renderSynStream(stream: number, block: Buffer): Buffer {
  return control(TYPES.synStream, 0, words(stream, 0), Buffer.alloc(2), block)
}

/** Takes a stream that the peer opened. */
export function renderSynReply(stream: number, block: Buffer): Buffer {
  return control(TYPES.synReply, 0, words(stream), block)
}

/** Why a stream is ended by force. */
export const RESET = { protocolError: 1, refused: 3, cancel: 5 } as const

/** Ends a stream by force. */
export function renderReset(stream: number, status: number): Buffer {
  return control(TYPES.reset, 0, words(stream, status))
}

/** The answer to a ping is the same frame. */
export function renderPing(id: number): Buffer {
  return control(TYPES.ping, 0, words(id))
}

/** Says that no stream is taken any more. */
export function renderGoAway(lastStream: number): Buffer {
  return control(TYPES.goAway, 0, words(lastStream, 0))
}

function control(type: number, flags: number, ...parts: readonly Buffer[]): Buffer {
  const payload = Buffer.concat(parts)
  const head = Buffer.alloc(8)
  head.writeUInt32BE(0x80000000 + VERSION * 0x10000 + type, 0)
  head.writeUInt8(flags, 4)
  head.writeUIntBE(payload.length, 5, 3)
  return Buffer.concat([head, payload])
}

function words(...numbers: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * numbers.length)
  numbers.forEach((number, index) => bytes.writeUInt32BE(number, 4 * index))
  return bytes
}
