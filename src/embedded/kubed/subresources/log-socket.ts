import type { ServerResponse } from 'node:http'
import type { Readable } from 'node:stream'
import { listenTo } from '../../../lib/websocket/conversation.ts'
import { closePayload, renderFrame } from '../../../lib/websocket/frame.ts'
import { handshakeFault, isWebSocket, offeredProtocols, renderAccept } from '../../../lib/websocket/handshake.ts'
import type { Call, Connection } from '../request/call.ts'
import { badRequest } from '../fault.ts'

/** A client that takes a text by WebSocket. */
export type TextSocket = Connection & { readonly protocol: string }

/** In the second one each message is base64. */
const PROTOCOLS = ['binary.k8s.io', 'base64.binary.k8s.io', '']
/** A client has nothing to say here. */
const MAX_MESSAGE_BYTES = 4_096

/**
 * The client's WebSocket, when it asks for one.
 *
 * @throws Fault 400 for a handshake that is not sound
 */
export function textSocketOf({ method, connection }: Call): TextSocket | undefined {
  if (connection === undefined || !isWebSocket(connection.headers)) return undefined
  const fault = handshakeFault(method, connection.headers)
  if (fault !== undefined) throw badRequest(fault)
  const offered = offeredProtocols(connection.headers)
  const protocol = offered.find((name) => PROTOCOLS.includes(name))
  if (protocol === undefined)
    throw badRequest(
      `requested protocol(s) are not supported: [${offered.join(' ')}]; supports [${PROTOCOLS.join(' ')}]`,
    )
  return { ...connection, protocol }
}

/** Sends a text as it comes, and says goodbye at its end; who reads slowly is waited for. */
export function sendText({ socket, headers, protocol }: TextSocket, response: ServerResponse, text: Readable): void {
  const isBase64 = protocol.startsWith('base64.')
  const render = (chunk: Buffer): Buffer =>
    isBase64 ? renderFrame('text', Buffer.from(chunk.toString('base64'))) : renderFrame('binary', chunk)
  response.detachSocket(socket)
  socket.write(renderAccept(String(headers['sec-websocket-key']), protocol))
  // says that the text begins, however long its first byte takes
  socket.write(render(Buffer.alloc(0)))
  const listen = listenTo(MAX_MESSAGE_BYTES)
  socket.on('data', (chunk) => {
    const { replies, isOver } = listen(chunk)
    for (const reply of replies) if (socket.writable) socket.write(reply)
    if (isOver) return void socket.end()
    // who asks for answers and reads none is not heard any further
    if (!socket.writableNeedDrain) return
    socket.pause()
    socket.once('drain', () => socket.resume())
  })
  socket.once('close', () => text.destroy())
  text.on('data', (chunk: Buffer) => {
    if (!socket.writable || socket.write(render(chunk))) return
    text.pause()
    socket.once('drain', () => text.resume())
  })
  text.once('end', () => socket.writable && socket.end(renderFrame('close', closePayload(1000, ''))))
  text.once('error', () => socket.destroy())
}
