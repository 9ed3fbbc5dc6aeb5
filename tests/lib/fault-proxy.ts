import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Socket } from 'node:net'

/** A way to an API server that can go wrong on demand. */
export type FaultProxy = {
  /** Plain HTTP on loopback; the server's token is added on the way. */
  readonly url: string
  /** Requests that changed something and were let through, `PATCH /api/v1/…`. */
  readonly writes: string[]
  /** Nothing answers: connections are cut, new ones are refused at once. */
  setDown(isDown: boolean): void
  /** The next requests that `picks` are answered by this status instead. */
  fail(status: number, picks: (request: IncomingMessage) => boolean, times: number): void
  /** How many failures are left to come. */
  left(): number
  /** Cuts what is open: watches. */
  cut(): void
  close(): Promise<void>
}

/** Opens the proxy in front of an API server with a bearer token. */
export async function openFaultProxy(target: string, token: string): Promise<FaultProxy> {
  const url = new URL(target)
  const sockets = new Set<Socket>()
  const writes: string[] = []
  let isDown = false
  let fault: { status: number; picks: (request: IncomingMessage) => boolean; left: number } | undefined
  const make = url.protocol === 'https:' ? httpsRequest : httpRequest
  const server = createServer((request, response) => {
    if (isDown) return void request.socket.destroy()
    if (fault && fault.left > 0 && fault.picks(request)) {
      fault.left--
      return refuse(request, response, fault.status)
    }
    if (request.method !== 'GET') writes.push(`${request.method} ${request.url}`)
    const headers = { ...request.headers, host: url.host, authorization: `Bearer ${token}` }
    const { method, url: path } = request
    const onward = make({ host: url.hostname, port: url.port, method, path, headers, rejectUnauthorized: false })
    onward.on('response', (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(response)
      response.on('close', () => answer.destroy())
    })
    onward.on('error', () => request.socket.destroy())
    request.pipe(onward)
  })
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => undefined)
    if (isDown) socket.destroy()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const cut = (): void => sockets.forEach((socket) => socket.destroy())
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    writes,
    setDown(down) {
      isDown = down
      if (down) cut()
    },
    fail: (status, picks, times) => void (fault = { status, picks, left: times }),
    left: () => fault?.left ?? 0,
    cut,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        cut()
      }),
  }
}

function refuse(request: IncomingMessage, response: ServerResponse, code: number): void {
  request.resume()
  const reason = code === 409 ? 'Conflict' : 'InternalError'
  const body = { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message: `injected ${reason}` }
  response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
