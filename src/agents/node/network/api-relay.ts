import { rmSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { closeServer } from '../../../machine/close-server.ts'

/** Where pods find the API server: a socket in the file system, which every network namespace sees. */
export type ApiRelay = { readonly path: string; readonly close: () => Promise<void> }

/**
 * Carries connections from the pods' network, which has no way out, to the API server that this node itself talks to; byte for byte,
 * so that a pod's TLS ends at the API server.
 */
export async function startApiRelay(path: string, apiServer: string, log: (line: string) => void): Promise<ApiRelay> {
  const { hostname, port, protocol } = new URL(apiServer)
  const target = { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) || (protocol === 'http:' ? 80 : 443) }
  const sockets = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const upstream = connect({ ...target, allowHalfOpen: true, noDelay: true })
    for (const [one, other] of [
      [socket, upstream],
      [upstream, socket],
    ] as const) {
      sockets.add(one)
      one.on('error', () => other.destroy())
      one.on('close', () => {
        sockets.delete(one)
        other.destroy()
      })
      one.pipe(other)
    }
  })
  rmSync(path, { force: true })
  await new Promise<void>((resolve) => {
    server.once('error', (error) => {
      log(`node: pods do not reach the API server: ${error.message}`)
      resolve()
    })
    server.listen(path, resolve)
  })
  server.unref()
  return {
    path,
    close() {
      for (const socket of sockets) socket.destroy()
      return closeServer(server)
    },
  }
}
