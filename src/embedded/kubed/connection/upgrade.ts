import { type IncomingMessage, type Server, ServerResponse } from 'node:http'
import type { Server as TlsServer } from 'node:https'
import { Socket } from 'node:net'
import type { Connection } from '../call.ts'

/** Answers a request that asks for another protocol. */
export type Answer = (request: IncomingMessage, response: ServerResponse, connection: Connection) => Promise<void>

/**
 * Hands requests that ask for an upgrade to `answer`: what does not become another protocol is answered like any other request, and its
 * connection closed.
 *
 * @returns a way to end all such connections
 */
export function onUpgrade(server: Server | TlsServer, answer: Answer): { readonly end: () => void } {
  const open = new Set<Socket>()
  server.on('upgrade', (request, socket, head) => {
    if (!(socket instanceof Socket)) return void socket.destroy()
    open.add(socket)
    socket.once('close', () => open.delete(socket))
    socket.on('error', () => socket.destroy())
    const response = new ServerResponse(request)
    response.shouldKeepAlive = false
    response.assignSocket(socket)
    response.once('finish', () => socket.end())
    void answer(request, response, { headers: request.headers, socket, head })
  })
  return { end: () => open.forEach((socket) => socket.destroy()) }
}
