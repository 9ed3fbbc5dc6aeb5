import type { Readable } from 'node:stream'

/** Which stream of a program, and some of its bytes. */
export type Frame = { readonly stream: 'stdout' | 'stderr'; readonly bytes: Buffer }

const HEAD_BYTES = 8
const MOST_FRAME_BYTES = 1 << 24

/**
 * Reads what an engine sends of a program without a terminal: frames of `[stream, 0, 0, 0, length]` and bytes. Ends early at what is no frame.
 *
 * @see https://docs.docker.com/reference/api/engine/version/v1.40/#tag/Container/operation/ContainerAttach
 */
export async function* readFrames(from: Readable): AsyncGenerator<Frame> {
  let text: Buffer = Buffer.alloc(0)
  for await (const chunk of from) {
    text = text.length === 0 ? Buffer.from(chunk) : Buffer.concat([text, Buffer.from(chunk)])
    while (text.length >= HEAD_BYTES) {
      const length = text.readUInt32BE(4)
      if ((text[0] ?? 9) > 2 || length > MOST_FRAME_BYTES) return
      if (text.length < HEAD_BYTES + length) break
      yield { stream: text[0] === 2 ? 'stderr' : 'stdout', bytes: text.subarray(HEAD_BYTES, HEAD_BYTES + length) }
      text = text.subarray(HEAD_BYTES + length)
    }
  }
}
