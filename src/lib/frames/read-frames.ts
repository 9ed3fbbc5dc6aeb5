/** What the bytes at hand begin with: a whole frame that ends at `end`, or the bytes that must be there before it is worth another look. */
export type Begun<F> = { readonly frame: F; readonly end: number } | { readonly wantedBytes: number }

/** Takes bytes as they come and answers the frames that are complete. */
export type FrameReader<F> = (chunk: Buffer) => readonly F[]

/** Cuts a connection's bytes into frames. Keeps no more than one frame, and joins its bytes once, when enough of them are there. */
export function frameReader<F>(begin: (bytes: Buffer) => Begun<F>): FrameReader<F> {
  let chunks: Buffer[] = []
  let sizeBytes = 0
  let wantedBytes = 0
  return (chunk) => {
    chunks.push(chunk)
    sizeBytes += chunk.length
    if (sizeBytes < wantedBytes) return []
    let rest = chunks.length === 1 ? chunk : Buffer.concat(chunks)
    const frames: F[] = []
    for (;;) {
      const begun = begin(rest)
      if (!('frame' in begun)) {
        chunks = [rest]
        sizeBytes = rest.length
        wantedBytes = begun.wantedBytes
        return frames
      }
      frames.push(begun.frame)
      rest = rest.subarray(begun.end)
    }
  }
}
