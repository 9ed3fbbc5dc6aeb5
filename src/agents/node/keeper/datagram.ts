import type { Socket } from 'node:dgram'

/** Who sends may have forged where from, down to a port that nobody can be answered at: what cannot be sent is lost. */
export function sendDatagram(
  socket: Pick<Socket, 'send'>,
  message: Buffer,
  to: { readonly address: string; readonly port: number },
): void {
  if (to.port > 0) socket.send(message, to.port, to.address, () => undefined)
}
