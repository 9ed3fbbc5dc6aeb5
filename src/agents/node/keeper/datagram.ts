import type { Socket } from 'node:dgram'

/** Who sends may have forged where from, down to a port that nobody can be answered at: what cannot be sent is lost. */
export function sendDatagram(
  socket: Pick<Socket, 'send'>,
  message: Buffer,
  to: { readonly address: string; readonly port: number },
): void {
  if (to.port > 0) socket.send(message, to.port, to.address, () => undefined)
}

/** A datagram in a stream: two bytes that say how long it is, then what it says. */
export function frameDatagram(message: Buffer): Buffer {
  const length = Buffer.alloc(2)
  length.writeUInt16BE(message.length)
  return Buffer.concat([length, message])
}

/** Reads the datagrams of a stream, whatever pieces it comes in. */
export function readDatagrams(onDatagram: (message: Buffer) => void): (chunk: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0)
  return (chunk) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    let at = 0
    while (rest.length - at >= 2 && rest.length - at - 2 >= rest.readUInt16BE(at)) {
      const end = at + 2 + rest.readUInt16BE(at)
      onDatagram(rest.subarray(at + 2, end))
      at = end
    }
    rest = rest.subarray(at)
  }
}
