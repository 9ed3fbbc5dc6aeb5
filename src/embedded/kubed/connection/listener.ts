import { type IncomingMessage, type Server, ServerResponse } from 'node:http'
import type { Server as TlsServer } from 'node:https'
import { Socket } from 'node:net'
import { closeServer } from '../../../machine/close-server.ts'
import { listenFault } from '../../../machine/listen-fault.ts'
import type { Connection } from '../request/call.ts'

/** Answers a request; `connection` is there when the client asks for another protocol. */
export type Answer = (request: IncomingMessage, response: ServerResponse, connection?: Connection) => Promise<void>

/** One address at which a server listens. */
export type Listener = {
  /** Begins to listen; answers the port. @throws SluiceError PORT_IN_USE, PORT_REFUSED */
  readonly listen: (host: string, port: number) => Promise<number>
  /** Ends all connections and takes no more. */
  readonly close: () => Promise<void>
}

/** Hands the requests of a server to `answer`, those that ask for another protocol, too. */
export function listenerOf(server: Server | TlsServer, answer: Answer): Listener {
  // A request that is answered by nothing at all costs its connection, never the process.
  const serve = (request: IncomingMessage, response: ServerResponse, connection?: Connection): void =>
    void answer(request, response, connection).catch(() => response.destroy())
  const upgraded = new Set<Socket>()
  // A socket that somebody listens to hands its data on as a stream, which can be paused. Otherwise Node ends a TLS connection with "Parse Error:
  // Paused" when a large request follows a large answer, as kubectl's do.
  server.on('secureConnection', (socket: Socket) => socket.on('data', ignore))
  server.on('request', (request, response) => serve(request, response))
  server.on('upgrade', (request, socket, head) => {
    if (!(socket instanceof Socket)) return void socket.destroy()
    socket.off('data', ignore)
    upgraded.add(socket)
    socket.once('close', () => upgraded.delete(socket))
    socket.on('error', () => socket.destroy())
    serve(request, responseOn(socket, request), { headers: request.headers, socket, head })
  })
  return {
    listen: (host, port) => listen(server, host, port),
    close() {
      for (const socket of upgraded) socket.destroy()
      return closeServer(server)
    },
  }
}

const ignore = (): void => undefined

/** What does not become another protocol is answered like any other request, and the connection closed. */
function responseOn(socket: Socket, request: IncomingMessage): ServerResponse {
  const response = new ServerResponse(request)
  response.shouldKeepAlive = false
  response.assignSocket(socket)
  response.once('finish', () => socket.end())
  return response
}

function listen(server: Server | TlsServer, host: string, port: number): Promise<number> {
  return new Promise((done, failed) => {
    server.once('error', (error) => failed(listenFault(`${host}:${port}`, error)))
    server.listen(port, host, () => {
      const address = server.address()
      done(typeof address === 'object' && address !== null ? address.port : port)
    })
  })
}
