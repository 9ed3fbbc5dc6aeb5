/** A packet of git's wire format; `data` is undefined for the special packets `0000` (flush), `0001` and `0002`. */
export type Packet = { readonly raw: Buffer; readonly data: Buffer | undefined }

/** What is left after the packets were taken out: `rest` is an incomplete packet. */
export type Packets = { readonly packets: readonly Packet[]; readonly rest: Buffer }

export const FLUSH = Buffer.from('0000')

/** Wraps a payload (at most 65,516 bytes) into one packet. */
export function packet(data: Buffer | string): Buffer {
  const body = typeof data === 'string' ? Buffer.from(data) : data
  return Buffer.concat([Buffer.from((body.length + 4).toString(16).padStart(4, '0')), body])
}

/**
 * Goes over packets from the start of one at `from`, without taking anything.
 *
 * @returns the place behind the first flush, or of the packet that has not come as a whole; undefined when the bytes are not packets
 */
export function skipPackets(
  bytes: Buffer,
  from: number,
): { readonly at: number; readonly flushed: boolean } | undefined {
  let at = from
  while (at + 4 <= bytes.length) {
    const header = bytes.toString('latin1', at, at + 4)
    if (!/^[0-9a-fA-F]{4}$/.test(header)) return undefined
    const length = Number.parseInt(header, 16)
    if (length === 0) return { at: at + 4, flushed: true }
    if (length < 4) return undefined
    if (at + length > bytes.length) break
    at += length
  }
  return { at, flushed: false }
}

/**
 * Takes whole packets off the front of `bytes`, up to and including the first flush when `untilFlush` is set.
 *
 * @returns undefined when the bytes are not packets
 */
export function takePackets(bytes: Buffer, untilFlush = false): (Packets & { readonly flushed: boolean }) | undefined {
  const packets: Packet[] = []
  let at = 0
  while (at + 4 <= bytes.length) {
    const header = bytes.toString('latin1', at, at + 4)
    if (!/^[0-9a-fA-F]{4}$/.test(header)) return undefined
    const length = Number.parseInt(header, 16)
    if (length === 3) return undefined
    const end = at + (length < 4 ? 4 : length)
    if (end > bytes.length) break
    const raw = bytes.subarray(at, end)
    packets.push({ raw, data: length < 4 ? undefined : raw.subarray(4) })
    at = end
    if (untilFlush && length === 0) return { packets, rest: bytes.subarray(at), flushed: true }
  }
  return { packets, rest: bytes.subarray(at), flushed: false }
}
